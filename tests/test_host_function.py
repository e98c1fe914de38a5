"""Signatures that the host verifies: what is accepted and refused with its function is the same as without."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from harness.config import gateway_config, provider
from harness.encoding import b64url, compact_json
from harness.fetching import ask
from harness.gate import Gate
from harness.keys import Key, key, new_key
from harness.refusals import problem
from harness.tokens import claims, header, mint, sign, signature

RSA = ("RS256", "RS384", "RS512")
# One algorithm that the function is not asked about, of each kind.
OTHERS = ("PS256", "ES256", "EdDSA")
BY_THE_HOST = "RS256, RS384 and RS512 signatures are verified by the host"
BY_THE_PLUGIN = "RS256, RS384 and RS512 signatures are verified by the plugin itself"
MODES = {"auto": BY_THE_HOST, "off": BY_THE_PLUGIN}


@pytest.fixture(scope="module", params=MODES)
def gate(request: pytest.FixtureRequest, start_gate: Callable[..., Gate]) -> Iterator[Gate]:
    """A gate in each mode. Nothing is remembered: every token is verified."""
    config = gateway_config(
        provider(*(key(algorithm) for algorithm in (*RSA, *OTHERS))),
        verification={"host_function": request.param},
        token_cache={"max_entries": 0},
    )
    gate = start_gate(config)
    assert MODES[request.param] in gate.envoy.log_text()
    yield gate


def parts(signer: Key) -> tuple[str, bytes]:
    """The signing input of a good token, and its signature."""
    signing_input = f"{b64url(compact_json(header(signer)))}.{b64url(compact_json(claims()))}"
    return signing_input, signature(signer, signing_input.encode())


@pytest.mark.parametrize("algorithm", [*RSA, *OTHERS])
def test_good_signatures_pass(gate: Gate, algorithm: str) -> None:
    assert [ask(gate, mint(key(algorithm), jti=str(number))).status_code for number in range(8)] == [200] * 8


@pytest.mark.parametrize("algorithm", [*RSA, *OTHERS])
def test_a_signature_with_any_bit_changed_is_refused(gate: Gate, algorithm: str) -> None:
    signing_input, good = parts(key(algorithm))
    for place in {0, 1, len(good) // 2, len(good) - 2, len(good) - 1}:
        for bit in (0x01, 0x80):
            forged = bytes(byte ^ (bit if at == place else 0) for at, byte in enumerate(good))
            problem(ask(gate, f"{signing_input}.{b64url(forged)}"), 401, "signature_invalid")
    assert ask(gate, f"{signing_input}.{b64url(good)}").status_code == 200


@pytest.mark.parametrize("algorithm", RSA)
def test_a_signature_of_another_length_or_size_is_refused(gate: Gate, algorithm: str) -> None:
    signer = key(algorithm)
    signing_input, good = parts(signer)
    modulus = signer.private.public_key().public_numbers().n
    # The same number modulo n, which a lax verifier takes: it fits into the length only if it is small.
    wrapped = int.from_bytes(good, "big") + modulus
    others = [
        good[:-1],
        good[1:],
        good + b"\0",
        b"\0" + good,
        good * 2,
        bytes(len(good)),
        b"\xff" * len(good),
        modulus.to_bytes(len(good), "big"),
        (modulus - 1).to_bytes(len(good), "big"),
        wrapped.to_bytes(len(good) + 1, "big"),
        good[::-1],
        b"\1",
    ]
    if wrapped < 1 << 8 * len(good):
        others.append(wrapped.to_bytes(len(good), "big"))
    for forged in others:
        problem(ask(gate, f"{signing_input}.{b64url(forged)}"), 401, "signature_invalid")


@pytest.mark.parametrize("algorithm", RSA)
def test_a_signature_over_something_else_is_refused(gate: Gate, algorithm: str) -> None:
    signer = key(algorithm)
    head, body = compact_json(header(signer)), compact_json(claims())
    _, _, other = sign(signer, head, compact_json(claims(sub="somebody else"))).rpartition(".")
    problem(ask(gate, f"{b64url(head)}.{b64url(body)}.{other}"), 401, "signature_invalid")
    for another in {*RSA, "PS256"} - {algorithm}:
        # The right key, another hash or padding than the header says.
        problem(ask(gate, sign(signer, head, body, algorithm=another)), 401, "signature_invalid")
    stranger = new_key(algorithm, signer.key_id)
    problem(ask(gate, sign(stranger, head, body)), 401, "signature_invalid")


def test_the_key_decides_about_the_algorithm_before_anybody_is_asked(gate: Gate) -> None:
    signer = key("RS256")
    for algorithm in ("RS384", "RS512", "PS256"):
        token = sign(signer, compact_json(header(signer, alg=algorithm)), compact_json(claims()), algorithm=algorithm)
        problem(ask(gate, token), 401, "key_unsuitable")
