"""The JOSE header: algorithms, key ids, and all that asks for more than one plain signature."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from harness.tokens import hmac_signature

from ..drafts import Draft, Mutation

ABSENT = object()


def _set(**members: Any) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        for name, value in members.items():
            if value is ABSENT:
                draft.header.pop(name, None)
            else:
                draft.header[name] = value

    return apply


def _unsigned(spelling: Any) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        draft.header["alg"] = spelling
        draft.sign = lambda data: b""

    return apply


def _hmac_with_public_key(form: str, *, named: bool) -> Callable[[Draft], None]:
    """RFC 8725, section 2.1: the public key as an HMAC secret."""

    def apply(draft: Draft) -> None:
        secret = draft.key.public_forms()[form]
        draft.header["alg"] = "HS256"
        if not named:
            draft.header.pop("kid", None)
        draft.sign = lambda data: hmac_signature(secret, data)

    return apply


def _hmac_with_empty_key(algorithm: str, name: str) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        draft.header["alg"] = algorithm
        draft.sign = lambda data: hmac.digest(b"", data, name)

    return apply


def _other_algorithm_of_the_key(draft: Draft) -> None:
    """A right signature with another algorithm that the key could do."""
    others = [algorithm for algorithm in draft.key.algorithms if algorithm != draft.algorithm]
    draft.algorithm = draft.rng.choice(others)
    draft.header["alg"] = draft.algorithm


def _lying_algorithm(draft: Draft) -> None:
    """The signature of one algorithm under the name of another."""
    names = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS512", "RS512", "PS384"]
    draft.header["alg"] = draft.rng.choice([name for name in names if name != draft.algorithm])


def _own_key(draft: Draft) -> None:
    """A token that brings its own key."""
    draft.header["jwk"] = draft.stranger.public_jwk
    draft.key = draft.stranger


_WIDE = "ＲＳ256"
HEADER = (
    *(
        Mutation(f"header.alg-none.{name}", _unsigned(spelling))
        for name, spelling in (
            ("lower", "none"),
            ("upper", "NONE"),
            ("mixed", "nOnE"),
            ("title", "None"),
            ("empty", ""),
        )
    ),
    *(
        Mutation(f"header.alg.{name}", _set(alg=value))
        for name, value in (
            ("absent", ABSENT),
            ("null", None),
            ("number", 256),
            ("list", ["ES256"]),
            ("object", {"a": 1}),
            ("true", True),
            ("unknown", "ES256K"),
            ("empty", ""),
            ("wide-letters", _WIDE),
            ("encryption", "RSA-OAEP"),
            ("dir", "dir"),
        )
    ),
    Mutation("header.alg.lower-case", lambda draft: draft.header.update(alg=draft.algorithm.lower())),
    Mutation("header.alg.blank", lambda draft: draft.header.update(alg=draft.algorithm + " ")),
    Mutation("header.alg.nul", lambda draft: draft.header.update(alg=draft.algorithm + "\0")),
    Mutation("header.alg.lie", _lying_algorithm, weight=4),
    Mutation(
        "header.alg.another-of-the-key",
        _other_algorithm_of_the_key,
        weight=3,
        # A small RSA key is too short for some of them.
        applies=lambda draft: len(draft.key.algorithms) > 1 and "jwk.small-rsa" not in draft.traits,
    ),
    *(
        Mutation(
            f"header.hmac-with-public-key.{form}.{'kid' if named else 'no-kid'}",
            _hmac_with_public_key(form, named=named),
            applies=lambda draft: draft.key.kind != "oct",
        )
        for form in ("pem", "pem-one-line", "der", "jwk")
        for named in (True, False)
    ),
    *(
        Mutation(f"header.hmac-with-empty-key.{algorithm}", _hmac_with_empty_key(algorithm, name))
        for algorithm, name in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512"))
    ),
    *(
        Mutation(f"header.kid.{name}", _set(kid=value), weight=weight)
        for name, value, weight in (
            ("absent", ABSENT, 6),
            ("empty", "", 2),
            ("null", None, 1),
            ("number", 7, 1),
            ("list", ["x"], 1),
            ("object", {"a": 1}, 1),
            ("true", True, 1),
            ("unknown", "nobody's", 4),
            ("path", "../../../etc/passwd", 1),
            ("sql", "' OR 1=1 --", 1),
            ("long", "x" * 1500, 1),
            # As long as Envoy lets headers be.
            ("longest", "x" * 60_000, 1),
            ("nul", "a\0b", 1),
            ("unicode", "é", 1),
        )
    ),
    Mutation("header.kid.other-case", lambda draft: draft.header.update(kid=draft.key.key_id.upper())),
    Mutation("header.kid.blank", lambda draft: draft.header.update(kid=draft.key.key_id + " ")),
    *(
        Mutation(f"header.typ.{name}", _set(typ=value))
        for name, value in (
            ("absent", ABSENT),
            ("JWT", "JWT"),
            ("access", "at+jwt"),
            ("access-in-full", "application/at+jwt"),
            ("access-in-capitals", "AT+JWT"),
            ("unknown", "example+jwt"),
            ("JOSE", "JOSE"),
            ("refresh", "rt+jwt"),
            ("refresh-in-full", "application/rt+jwt"),
            ("refresh-in-capitals", "RT+JWT"),
            ("dpop", "dpop+jwt"),
            ("logout", "logout+jwt"),
            ("events", "secevent+jwt"),
            ("statuses", "statuslist+jwt"),
            ("introspection", "token-introspection+jwt"),
            ("list", ["JWT"]),
            ("number", 7),
            ("null", None),
            ("empty", ""),
        )
    ),
    *(
        Mutation(f"header.{name}", _set(**members))
        for name, members in (
            ("crit.known", {"crit": ["exp"], "exp": 1}),
            ("crit.unknown", {"crit": ["x"], "x": 1}),
            ("crit.empty", {"crit": []}),
            ("crit.string", {"crit": "exp"}),
            ("crit.null", {"crit": None}),
            ("crit.b64", {"crit": ["b64"], "b64": False}),
            ("b64.false", {"b64": False}),
            ("b64.true", {"b64": True}),
            ("zip", {"zip": "DEF"}),
            ("zip.null", {"zip": None}),
            ("cty.JWT", {"cty": "JWT"}),
            ("cty.other", {"cty": "example"}),
            ("cty.number", {"cty": 7}),
            ("cty.at-jwt", {"cty": "at+jwt"}),
            ("enc", {"enc": "A128GCM"}),
            ("enc.null", {"enc": None}),
            ("jku", {"jku": "http://127.0.0.1:1/jwks"}),
            ("x5u", {"x5u": "http://127.0.0.1:1/x"}),
            ("x5c", {"x5c": ["MIIB"]}),
            ("x5t", {"x5t": 7}),
            ("unknown-member", {"zzz": {"a": [1, None]}}),
            ("long", {"zzz": "x" * 3000}),
        )
    ),
    Mutation("header.own-jwk", _own_key, weight=2),
    Mutation("header.duplicate.alg", lambda draft: _duplicate(draft, '"alg":"none"')),
    Mutation("header.duplicate.alg-escaped", lambda draft: _duplicate(draft, '"\\u0061lg":"none"')),
    Mutation("header.duplicate.kid", lambda draft: _duplicate(draft, f'"kid":"{draft.key.key_id}"')),
    Mutation("header.escaped-name", lambda draft: _escape(draft)),
)


def _duplicate(draft: Draft, member: str) -> None:
    draft.header_json = lambda data: b"{" + member.encode() + b"," + data[1:]


def _escape(draft: Draft) -> None:
    """The same names, otherwise spelled: no mistake."""
    draft.header_json = lambda data: data.replace(b'"alg"', b'"\\u0061lg"')
