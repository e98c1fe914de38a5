"""The claims: registered ones at their edges, and values that become headers.

Times are hours away from any edge, so that no clock decides; the edges to the second have a test of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..drafts import Draft, Mutation
from .header import ABSENT

HOUR = 3600


def _set(name: str, value: Any) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        if value is ABSENT:
            draft.claims.pop(name, None)
        else:
            draft.claims[name] = value

    return apply


def _raw(name: str, json_text: str) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        draft.claims.pop(name, None)
        draft.claims_json = lambda data: (
            b"{" + f'"{name}":{json_text}'.encode() + (b"," if len(data) > 2 else b"") + data[1:]
        )

    return apply


def _at(name: str, offset: float) -> Callable[[Draft], None]:
    return lambda draft: draft.claims.update({name: draft.now + offset})


def _issuer(change: Callable[[str], Any]) -> Callable[[Draft], None]:
    return lambda draft: draft.claims.update(iss=change(str(draft.claims.get("iss", ""))))


def _bare(audience: str) -> str:
    return audience.removeprefix("https://").removeprefix("http://")


def _audiences(draft: Draft) -> list[Any]:
    audience = draft.claims.get("aud", [])
    return list(audience) if isinstance(audience, list) else [audience]


def _similar(change: Callable[[str], str]) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        changed = [change(each) for each in _audiences(draft) if isinstance(each, str)] or [change("aud-a")]
        draft.claims["aud"] = changed if len(changed) > 1 else changed[0]

    return apply


_NOT_A_DATE: tuple[tuple[str, Any], ...] = (
    ("string", "4102444800"),
    ("null", None),
    ("true", True),
    ("list", [4102444800]),
    ("object", {}),
    ("empty", ""),
)
_RAW_DATES = (
    ("negative", "-1"),
    ("negative-float", "-0.5"),
    ("too-large", "1e400"),
    ("2-63", "9223372036854775808"),
    ("2-64", "18446744073709551616"),
    ("2-64-less-1", "18446744073709551615"),
    ("1e18", "1e18"),
    ("1e19", "1e19"),
    ("1e30", "1e30"),
    ("exponent", "4.1e9"),
    ("fraction", "4102444800.5"),
    ("minus-zero", "-0"),
)

CLAIMS = (
    # issuer
    *(
        Mutation(f"claims.iss.{name}", _set("iss", value))
        for name, value in (
            ("absent", ABSENT),
            ("null", None),
            ("number", 7),
            ("list", ["https://issuer-0.example"]),
            ("empty", ""),
            ("unknown", "https://elsewhere.example"),
            ("object", {}),
        )
    ),
    Mutation("claims.iss.slash", _issuer(lambda iss: iss + "/")),
    Mutation("claims.iss.other-case", _issuer(str.upper)),
    Mutation("claims.iss.look-alike", _issuer(lambda iss: iss.replace("s", "ѕ"))),
    Mutation("claims.iss.blank", _issuer(lambda iss: iss + " ")),
    Mutation("claims.iss.listed", _issuer(lambda iss: [iss])),
    # subject and id
    *(
        Mutation(f"claims.{claim}.{name}", _set(claim, value))
        for claim in ("sub", "jti")
        for name, value in (
            ("absent", ABSENT),
            ("null", None),
            ("number", 7),
            ("list", ["a"]),
            ("true", True),
            ("empty", ""),
            ("object", {}),
        )
    ),
    *(
        Mutation(f"claims.token-type.{name}", _set("token_type", value))
        for name, value in (("refresh", "refresh"), ("access", "access"), ("number", 7), ("null", None))
    ),
    # audience
    *(
        Mutation(f"claims.aud.{name}", _set("aud", value))
        for name, value in (
            ("absent", ABSENT),
            ("null", None),
            ("number", 7),
            ("list-of-numbers", [7]),
            ("empty", ""),
            ("empty-list", []),
            ("unknown", "somebody-else"),
            ("unknown-list", ["a", "b"]),
            ("object", {}),
            ("true", True),
            ("nested-list", [["a"]]),
            ("list-with-null", [None]),
            ("other-case", "AUD-A"),
            ("blank", "aud-a "),
        )
    ),
    Mutation("claims.aud.mixed-list", lambda draft: draft.claims.update(aud=[*_audiences(draft), 7])),
    Mutation("claims.aud.as-list", lambda draft: draft.claims.update(aud=[*_audiences(draft), "another"]), weight=4),
    Mutation(
        "claims.aud.last-of-list", lambda draft: draft.claims.update(aud=["x", "y", *_audiences(draft)]), weight=2
    ),
    *(
        Mutation(f"claims.aud.similar.{name}", _similar(change), weight=3)
        for name, change in (
            ("slash", lambda aud: aud + "/"),
            ("no-slash", lambda aud: aud.rstrip("/")),
            ("https", lambda aud: "https://" + _bare(aud)),
            ("http", lambda aud: "http://" + _bare(aud)),
            ("no-scheme", lambda aud: _bare(aud)),
            ("two-slashes", lambda aud: aud.rstrip("/") + "//"),
            ("scheme-case", lambda aud: "HTTPS://" + _bare(aud)),
        )
    ),
    # times
    *(
        Mutation(f"claims.{claim}.{name}", _set(claim, value))
        for claim in ("exp", "nbf", "iat")
        for name, value in _NOT_A_DATE
    ),
    *(
        Mutation(f"claims.{claim}.{name}", _raw(claim, text))
        for claim in ("exp", "nbf", "iat")
        for name, text in _RAW_DATES
    ),
    *(Mutation(f"claims.{claim}.absent", _set(claim, ABSENT), weight=4) for claim in ("exp", "nbf", "iat")),
    *(Mutation(f"claims.{claim}.zero", _set(claim, 0), weight=2) for claim in ("exp", "nbf", "iat")),
    Mutation("claims.exp.one", _set("exp", 1)),
    *(
        Mutation(f"claims.{claim}.{name}", _at(claim, offset), weight=weight)
        for claim, name, offset, weight in (
            ("exp", "two-hours-ago", -2 * HOUR, 4),
            ("exp", "ten-minutes-ago", -10 * 60, 2),
            ("exp", "in-thirty-hours", 30 * HOUR, 4),
            ("exp", "in-ten-years", 87_600 * HOUR, 2),
            ("exp", "three-days-ago", -72 * HOUR, 2),
            ("nbf", "two-hours-ago", -2 * HOUR, 2),
            ("nbf", "in-two-hours", 2 * HOUR, 4),
            ("nbf", "in-three-days", 72 * HOUR, 2),
            ("iat", "in-two-hours", 2 * HOUR, 2),
            ("iat", "two-hours-ago", -2 * HOUR, 1),
            ("exp", "fraction-later", 5 * HOUR + 0.5, 1),
            ("exp", "fraction-ago", -3 * HOUR + 0.5, 1),
            ("nbf", "fraction-ago", -3 * HOUR + 0.5, 1),
            ("nbf", "fraction-later", 3 * HOUR + 0.5, 1),
        )
    ),
    Mutation("claims.duplicate.exp", lambda draft: _before(draft, '"exp":9999999999')),
    Mutation("claims.duplicate.exp-escaped", lambda draft: _before(draft, '"\\u0065xp":9999999999')),
    Mutation("claims.duplicate.sub", lambda draft: _before(draft, '"sub":"root"')),
    Mutation("claims.escaped-name", lambda draft: _replaced(draft, b'"sub"', b'"\\u0073ub"')),
    Mutation("claims.large", _set("padding", "x" * 3000)),
    Mutation("claims.too-large", _set("padding", "x" * 9000)),
    Mutation("claims.far-too-large", _set("padding", "x" * 40_000)),
)

_TEXTS: tuple[tuple[str, Any], ...] = (
    ("unicode", "Jos\u00e9"),
    ("emoji", "\U0001f600"),
    ("cr-lf", "a\r\nx-admin: 1"),
    ("lf", "a\nb"),
    ("cr", "a\rb"),
    ("nul", "a\0b"),
    ("tab", "a\tb"),
    ("del", "a\x7fb"),
    ("control", "a\x01b"),
    ("leading-blank", " a"),
    ("trailing-blank", "a "),
    ("blank", " "),
    ("looks-encoded", "UTF-8''x"),
    ("comma", "a,b"),
    ("quotes", 'a"b\\c'),
    ("long", "x" * 3000),
    ("percent", "100%25"),
    ("empty", ""),
    ("absent", ABSENT),
    ("null", None),
    ("true", True),
    ("false", False),
    ("list", ["a", "b"]),
    ("empty-list", []),
    ("empty-object", {}),
    ("nested-list", [[1, 2.5, -3], {"k": None}]),
    ("list-of-unicode", ["é\n"]),
)
_NUMBERS = (
    "0",
    "1",
    "-1",
    "-0",
    "42",
    "1.5",
    "-5.25",
    "2.0",
    "1e3",
    "1e20",
    "1e21",
    "1e-7",
    "0.1",
    "123456789.123456789",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e300",
    "5e-324",
    "-9223372036854775808",
    "-9223372036854775809",
    "0.0000005",
    "0.9999999",
    "1234567.8901234",
    "1e15",
    "123456789012345678",
)
VALUED = "value"
"""The claim that takes these values; every provider that maps claims maps this one."""
VALUES = (
    *(Mutation(f"value.{name}", _set(VALUED, value), weight=2) for name, value in _TEXTS),
    *(Mutation(f"value.number.{text}", _raw(VALUED, text)) for text in _NUMBERS),
    Mutation("value.object", _set(VALUED, {"a": 1, "b": ["x"]})),
    Mutation("value.nested", _set(VALUED, {"deep": {"er": "text"}}), weight=3),
    Mutation("value.nested-number", _set(VALUED, {"deep": {"er": 2.5}})),
    Mutation("value.nested-object", _set(VALUED, {"deep": {"er": {"a": 1}}})),
    Mutation("value.dotted-name", _set(VALUED + ".deep.er", "dotted")),
)


def _before(draft: Draft, member: str) -> None:
    draft.claims_json = lambda data: b"{" + member.encode() + b"," + data[1:]


def _replaced(draft: Draft, old: bytes, new: bytes) -> None:
    draft.claims_json = lambda data: data.replace(old, new, 1)
