"""Tokens through the gate: every algorithm passes, and what must be refused is refused before anyone else sees it.

Samples of what `jose` and `filter` test case by case: here the whole chain has to agree, from the header to the upstream.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness.config import gateway_config, provider
from harness.encoding import b64url, b64url_decode, compact_json
from harness.gate import Gate
from harness.keys import ALGORITHMS, key, new_key
from harness.raw import request_bytes
from harness.refusals import problem, unauthorized
from harness.tokens import (
    ISSUER,
    NEVER,
    SUBJECT,
    bearer,
    claims,
    header,
    hmac_signature,
    mint,
    sign,
    signature,
)
from harness.waiting import eventually

RSA = key("RS256")
EC = key("ES256")
STRANGER = new_key("ES256", EC.key_id)


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Iterator[Gate]:
    # Symmetric keys and others in one local set: the harder case for algorithm confusion.
    yield start_gate(gateway_config(provider(*(key(algorithm) for algorithm in ALGORITHMS))))


@pytest.fixture(autouse=True)
def _clean(gate: Gate) -> None:
    gate.clear()


def refuse(gate: Gate, token: str | bytes) -> None:
    """401, the upstream never contacted, and the gate still takes a good token."""
    gate.clear()
    value = b"Bearer " + (token.encode() if isinstance(token, str) else token)
    unauthorized(gate.raw(request_bytes("GET", "/service/", [("authorization", value)])))
    gate.nobody_was_contacted()
    assert gate.get("/service/", headers=bearer(mint(EC))).status_code == 200


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_each_algorithm_passes(gate: Gate, algorithm: str) -> None:
    assert gate.get("/service/", headers=bearer(mint(key(algorithm)))).status_code == 200
    assert gate.upstream("service").only_request().one("x-user-id") == SUBJECT


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_each_algorithm_passes_without_a_key_id(gate: Gate, algorithm: str) -> None:
    token = mint(key(algorithm), header_changes={"kid": NEVER})
    assert gate.get("/service/", headers=bearer(token)).status_code == 200


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_changed_bit_anywhere_is_refused(gate: Gate, algorithm: str) -> None:
    parts = mint(key(algorithm)).split(".")
    for position in range(3):
        changed = bytearray(b64url_decode(parts[position]))
        changed[len(changed) // 2] ^= 1
        refuse(gate, ".".join([*parts[:position], b64url(bytes(changed)), *parts[position + 1 :]]))


def test_another_key_with_the_same_id_is_refused(gate: Gate) -> None:
    refuse(gate, mint(STRANGER))


# ---- algorithm confusion -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "nOnE", "", "none\u0000", " none"])
def test_no_signature_is_no_token(gate: Gate, spelling: str) -> None:
    unsigned = f"{b64url(compact_json({'alg': spelling, 'typ': 'at+jwt'}))}.{b64url(compact_json(claims()))}."
    for token in (unsigned, unsigned[:-1], unsigned + b64url(b"x"), unsigned + "AAAA"):
        refuse(gate, token)


@pytest.mark.parametrize("key_id", [True, False])
@pytest.mark.parametrize("secret", ["pem", "der", "jwk", "n", "empty"])
def test_a_public_key_is_no_hmac_secret(gate: Gate, secret: str, key_id: bool) -> None:
    for public in (RSA, EC):
        secrets: dict[str, bytes] = {
            "pem": public.pem(),
            "der": public.der(),
            "jwk": json.dumps(public.jwk).encode(),
            "n": b64url_decode(public.jwk.get("n", public.jwk.get("x", ""))),
            "empty": b"",
        }
        head = header(public, alg="HS256", kid=public.key_id if key_id else NEVER)
        signing_input = f"{b64url(compact_json(head))}.{b64url(compact_json(claims()))}"
        refuse(gate, f"{signing_input}.{b64url(hmac_signature(secrets[secret], signing_input.encode()))}")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_verifies_its_own_algorithm_only(gate: Gate, algorithm: str) -> None:
    used = key(algorithm)
    for other in ALGORITHMS:
        if other != algorithm:
            head = compact_json(header(used, alg=other))
            # A right signature of the key's own kind, under the name of another.
            refuse(gate, sign(used, head, compact_json(claims()), algorithm=algorithm))


@pytest.mark.parametrize(
    "algorithm",
    ["es256", "Es256", "RS1", "HS1", "ES256K", "RSA-OAEP", "ed25519", 256, None, ["ES256"], {"ES256": 1}, True],
)
def test_an_algorithm_is_an_exact_name(gate: Gate, algorithm: Any) -> None:
    refuse(gate, sign(EC, compact_json(header(EC, alg=algorithm)), compact_json(claims())))


@pytest.mark.parametrize(
    "extra",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": "exp"},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"enc": "A128GCM"},
        {"kid": 7},
        {"kid": {"a": 1}},
        {"kid": ["x"]},
        {"kid": None},
        {"kid": "../../../etc/passwd"},
        {"kid": "' OR 1=1 --"},
        {"kid": "x" * 4000},
        {"typ": "rt+jwt"},
        {"typ": "JWT"},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": 7},
        {"typ": NEVER},
    ],
    ids=str,
)
def test_a_header_says_nothing_that_the_gate_does_not_understand(gate: Gate, extra: dict[str, Any]) -> None:
    refuse(gate, mint(EC, header_changes=extra))


def test_keys_inside_a_token_are_never_used(gate: Gate) -> None:
    own = new_key("ES256", "mine")
    urls = {"jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/cert", "x5c": ["MIIB"]}
    for extra in ({"jwk": own.jwk}, urls, {"jwk": own.jwk, **urls}):
        refuse(gate, sign(own, compact_json(header(own, **extra)), compact_json(claims())))
        refuse(gate, sign(own, compact_json(header(own, kid=EC.key_id, **extra)), compact_json(claims())))


def test_ecdsa_signatures_have_one_form(gate: Gate) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    head, payload = compact_json(header(EC)), compact_json(claims())
    signing_input = f"{b64url(head)}.{b64url(payload)}"
    good = signature(EC, signing_input.encode())
    der = EC.private.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    zero, order = bytes(32), (0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551).to_bytes(32, "big")
    for bad in (
        der,
        good[:-1],
        good + b"\0",
        b"\0" + good,
        good[:32],
        zero + zero,
        zero + good[32:],
        good[:32] + zero,
        order + good[32:],
        good[:32] + order,
        b"\xff" * 64,
        good * 2,
        b"",
    ):
        refuse(gate, f"{signing_input}.{b64url(bad)}")


def test_rsa_signatures_have_one_length(gate: Gate) -> None:
    token = mint(RSA)
    signing_input, _, encoded = token.rpartition(".")
    good = b64url_decode(encoded)
    modulus = b64url_decode(RSA.jwk["n"])
    for bad in (good[:-1], good + b"\0", b"\0" + good, good[1:], bytes(256), b"\xff" * 256, modulus, b""):
        refuse(gate, f"{signing_input}.{b64url(bad)}")


# ---- structure ---------------------------------------------------------------------------------------------------------


def structures() -> dict[str, bytes]:
    token = mint(EC)
    head, payload, signed = token.split(".")
    broken = {
        "one part": head,
        "two parts": f"{head}.{payload}",
        "four parts": f"{token}.{signed}",
        "five parts": f"{token}..",
        "leading dot": f".{token}",
        "trailing dot": f"{token}.",
        "no header": f".{payload}.{signed}",
        "no payload": f"{head}..{signed}",
        "no signature": f"{head}.{payload}.",
        "only dots": "..",
        "dots": "." * 6000,
        "padded": f"{head}=.{payload}.{signed}",
        "padding at the end": f"{token}=",
        "inner space": f"{head}. {payload}.{signed}",
        "tab": f"{head}.\t{payload}.{signed}",
        "plus": f"{head}.{payload}.{'+' + signed[1:]}",
        "slash": f"{head}.{payload}.{'/' + signed[1:]}",
        "too long": f"{head}.{payload}.{'A' * 9000}",
        "one letter": f"{head}.{payload}.A",
        "JSON serialisation": json.dumps({"protected": head, "payload": payload, "signature": signed}).replace(" ", ""),
    }
    return {name: text.encode() for name, text in broken.items()}


@pytest.mark.parametrize("name", structures())
def test_what_is_no_compact_token_is_refused(gate: Gate, name: str) -> None:
    refuse(gate, structures()[name])


def test_stray_bits_at_the_end_of_a_part_are_refused(gate: Gate) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    signing_input, _, encoded = mint(EC).rpartition(".")
    # 64 bytes leave four unused bits in the last letter: fifteen other letters decode to the same bytes.
    last = alphabet.index(encoded[-1])
    assert last % 16 == 0
    for stray in (1, 8, 15):
        refuse(gate, f"{signing_input}.{encoded[:-1]}{alphabet[last + stray]}")


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b'"text"',
        b"null",
        b"7",
        b"",
        b"{",
        b"{}{}",
        b"{} x",
        b"\xef\xbb\xbf{}",
        '{"iss":"x"}'.encode("utf-16"),
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a":1e999}',
        b"{'iss':'x'}",
        b'{"iss":"x",}',
        b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}",
        b'{"a":NaN}',
        b'{"a":01}',
        b'{"a":"\x01"}',
        b"{}\0",
    ],
    ids=lambda payload: repr(payload[:24]),
)
def test_claims_are_one_strict_json_object(gate: Gate, payload: bytes) -> None:
    refuse(gate, sign(EC, compact_json(header(EC)), payload))
    refuse(gate, sign(EC, payload, compact_json(claims())))


def test_duplicate_members_are_refused_also_when_they_are_escaped(gate: Gate) -> None:
    good = compact_json(claims())
    for extra in (b'"exp":9999999999', b'"\\u0065xp":9999999999', b'"iss":"x"', b'"nested":{"a":1,"a":2}'):
        refuse(gate, sign(EC, compact_json(header(EC)), good[:-1] + b"," + extra + b"}"))
    head = compact_json(header(EC))
    for extra in (b'"alg":"none"', b'"\\u0061lg":"none"', b'"kid":"x"'):
        refuse(gate, sign(EC, head[:-1] + b"," + extra + b"}", good))


# ---- claims ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NEVER},
        {"exp": "9999999999"},
        {"exp": -1},
        {"exp": 0},
        {"exp": None},
        {"exp": [9999999999]},
        {"exp": True},
        {"nbf": "soon"},
        {"nbf": -5},
        {"iat": "now"},
        {"iss": ISSUER + "/"},
        {"iss": ISSUER.upper()},
        {"iss": [ISSUER]},
        {"iss": NEVER},
        {"iss": ""},
        {"iss": ISSUER.replace("i", "\u0456", 1)},
        {"iss": None},
        {"sub": 7},
        {"sub": None},
        {"aud": 7},
        {"aud": {"gatehouse": 1}},
        {"aud": ["gatehouse", 7]},
        {"jti": 7},
        {"token_type": "refresh"},
        {"token_type": "Access"},
        {"token_type": NEVER},
        {"token_type": ["access"]},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_is_refused(gate: Gate, changes: dict[str, Any]) -> None:
    refuse(gate, mint(EC, **changes))


@pytest.mark.parametrize("raw", [b"1e400", b"18446744073709551616", b"1" * 400, b"-0.5"])
def test_an_expiry_that_no_clock_can_hold_is_refused(gate: Gate, raw: bytes) -> None:
    payload = compact_json(claims(exp="@")).replace(b'"@"', raw)
    refuse(gate, sign(EC, compact_json(header(EC)), payload))


def test_time_counts_with_the_skew(gate: Gate) -> None:
    """A minute each way, the native filter's default; the exact edge is tested where the clock is an argument."""
    now = int(time.time())
    for changes in ({"exp": now - 20}, {"nbf": now + 20}):
        assert gate.get("/service/", headers=bearer(mint(EC, **changes))).status_code == 200
    for changes in ({"exp": now - 120}, {"nbf": now + 180}):
        refuse(gate, mint(EC, **changes))


@pytest.mark.parametrize("audience", ["elsewhere", ["elsewhere", "nowhere"], "", [], NEVER, "gatehouse2", "Gatehouse"])
def test_another_audience_is_forbidden(gate: Gate, audience: object) -> None:
    answer = gate.get("/service/", headers=bearer(mint(EC, aud=audience)))
    problem(answer, 403, "audience_not_allowed")
    gate.nobody_was_contacted()


def test_one_audience_of_several_is_enough(gate: Gate) -> None:
    assert gate.get("/service/", headers=bearer(mint(EC, aud=["elsewhere", "gatehouse"]))).status_code == 200


def test_a_key_of_one_issuer_never_vouches_for_another(start_gate: Callable[..., Gate]) -> None:
    other_issuer = "https://other.example"
    mine, theirs = new_key("ES256", "shared-id"), new_key("ES256", "shared-id")
    config = gateway_config(provider(mine))
    config["providers"]["other"] = provider(theirs, issuer=other_issuer)
    config["rules"] = [
        {
            "match": {"prefix": "/"},
            "requires": {"requires_any": {"requirements": [{"provider_name": "issuer"}, {"provider_name": "other"}]}},
        },
    ]
    config["token_profiles"] = {}
    gate = start_gate(config)
    assert gate.get("/service/", headers=bearer(mint(mine))).status_code == 200
    assert gate.get("/service/", headers=bearer(mint(theirs, iss=other_issuer))).status_code == 200
    gate.clear()
    unauthorized(gate.get("/service/", headers=bearer(mint(theirs))))
    unauthorized(gate.get("/service/", headers=bearer(mint(mine, iss=other_issuer))))
    gate.nobody_was_contacted()


def test_each_refusal_is_counted_by_its_reason(gate: Gate) -> None:
    def count() -> int:
        found = gate.envoy.counters(".*gatehouse.*")
        return sum(value for name, value in found.items() if name.endswith("refused.signature_invalid"))

    before = count()
    gate.get("/service/", headers=bearer(mint(STRANGER)))
    eventually(lambda: count() > before, "the reason is counted")
