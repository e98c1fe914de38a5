"""The outer shape of a token: its parts, their base64url, their JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from ..drafts import Draft, Mutation

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _compact(change: Callable[[str], str]) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        draft.compact = change

    return apply


def _middle(text: str, inserted: str) -> str:
    return text[: len(text) // 2] + inserted + text[len(text) // 2 :]


def _json_serialisation(token: str) -> str:
    header, claims, signature = token.split(".")
    return json.dumps({"protected": header, "payload": claims, "signature": signature}, separators=(",", ":"))


STRUCTURE = tuple(
    Mutation(f"structure.{name}", _compact(change))
    for name, change in (
        ("leading-dot", lambda t: "." + t),
        ("trailing-dot", lambda t: t + "."),
        ("leading-and-trailing-dot", lambda t: f".{t}."),
        ("double-dot", lambda t: t.replace(".", "..", 1)),
        ("four-parts", lambda t: t + ".AAAA"),
        ("five-parts", lambda t: t + ".AAAA.AAAA"),
        ("two-parts", lambda t: t.rsplit(".", 1)[0]),
        ("one-part", lambda t: t.split(".")[0]),
        ("no-dots", lambda t: t.replace(".", "")),
        ("only-dots", lambda t: ".."),
        ("many-dots", lambda t: "." * 5000),
        ("empty-header", lambda t: "." + t.split(".", 1)[1]),
        ("empty-claims", lambda t: ".".join((t.split(".")[0], "", t.split(".")[2]))),
        ("empty-signature", lambda t: t.rsplit(".", 1)[0] + "."),
        ("parts-swapped", lambda t: ".".join(t.split(".")[i] for i in (1, 0, 2))),
        ("twice", lambda t: f"{t},{t}"),
        ("text-behind-comma", lambda t: t + ",x"),
        ("text-behind-semicolon", lambda t: t + ";x=y"),
        ("text-behind-blank", lambda t: t + " x"),
        ("more-text-behind-blank", lambda t: t + " realm=x"),
        ("blank-inside", lambda t: _middle(t, " ")),
        ("tab-inside", lambda t: _middle(t, "\t")),
        ("blank-in-signature", lambda t: t[:-5] + " " + t[-5:]),
        ("blank-before-dot", lambda t: t.replace(".", " .")),
        ("quoted", lambda t: f'"{t}"'),
        ("json", _json_serialisation),
        ("not-ascii", lambda t: t[:-3] + "\xe9" + t[-3:]),
        ("not-utf8", lambda t: t[:-3] + "\xff\xfe" + t[-3:]),
        ("percent-encoded", lambda t: t.replace(".", "%2E")),
        ("garbage", lambda t: "not-a-token"),
        ("short", lambda t: "x.y.z"),
    )
)


def _padded(segment: str) -> str:
    return segment + "=" * (-len(segment) % 4)


def _stray_bits(segment: str) -> str:
    """Sets the bits behind the last byte. A segment of whole groups of four has none."""
    spare = {2: 4, 3: 2}.get(len(segment) % 4)
    if spare is None:
        return segment
    return segment[:-1] + ALPHABET[ALPHABET.index(segment[-1]) | ((1 << spare) - 1)]


def _standard_alphabet(segment: str) -> str:
    return segment.replace("-", "+").replace("_", "/")


_SEGMENTS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("padded", _padded),
    ("one-sign-too-many", lambda s: s + "="),
    ("two-signs-too-many", lambda s: s + "=="),
    ("stray-bits", _stray_bits),
    ("standard-alphabet", _standard_alphabet),
    ("blank", lambda s: _middle(s, " ")),
    ("blank-at-end", lambda s: s + " "),
    ("wrong-letter", lambda s: _middle(s, "*")),
    ("one-letter-more", lambda s: s + "A"),
    ("one-letter-less", lambda s: s[:-1]),
)


def _segment(part: str, change: Callable[[str], str]) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        if part == "header":
            draft.header_segment = change
        elif part == "claims":
            draft.claims_segment = change
        else:
            draft.signature_segment = change

    return apply


BASE64 = tuple(
    Mutation(f"base64.{name}.{part}", _segment(part, change))
    for part in ("header", "claims", "signature")
    for name, change in _SEGMENTS
    if not (name == "standard-alphabet" and part != "signature")
)


def _member(first: str) -> Callable[[bytes], bytes]:
    """Puts a member before the others."""
    return lambda data: b"{" + first.encode("utf-8", "surrogatepass") + b"," + data[1:]


def _behind(last: str) -> Callable[[bytes], bytes]:
    return lambda data: data[:-1] + b"," + last.encode("utf-8", "surrogatepass") + b"}"


def _nested(depth: int) -> Callable[[bytes], bytes]:
    """A member so that the whole is nested this deep."""
    return _member('"deep":' + "[" * (depth - 1) + "]" * (depth - 1))


_JSONS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("duplicate-unread", _behind('"zzz":1,"zzz":2')),
    ("duplicate-nested", _behind('"zzz":{"a":1,"a":1}')),
    ("duplicate-escaped", _behind('"zzz":1,"\\u007azz":2')),
    ("bom", lambda d: b"\xef\xbb\xbf" + d),
    ("utf-16", lambda d: d.decode().encode("utf-16")),
    ("text-behind", lambda d: d + b"x"),
    ("object-behind", lambda d: d + b"{}"),
    ("nul-behind", lambda d: d + b"\0"),
    ("white-space-around", lambda d: b" \r\n\t" + d + b" \n"),
    ("white-space-inside", lambda d: d.replace(b":", b" : ", 1)),
    ("trailing-comma", lambda d: d[:-1] + b",}"),
    ("single-quotes", lambda d: d.replace(b'"', b"'")),
    ("one-single-quoted", _behind("\"zzz\":'x'")),
    ("unquoted-name", _behind("zzz:1")),
    ("comment", lambda d: d[:-1] + b"/* */}"),
    ("line-comment", lambda d: b"//x\n" + d),
    ("control-character", _behind('"zzz":"a\nb"')),
    ("nul-character", _behind('"zzz":"a\0b"')),
    ("escaped-nul", _behind('"zzz":"a\\u0000b"')),
    ("unknown-escape", _behind('"zzz":"a\\qb"')),
    ("lone-surrogate", _behind('"zzz":"\\ud800"')),
    ("lone-low-surrogate", _behind('"zzz":"\\udc00x"')),
    ("surrogate-pair", _behind('"zzz":"\\ud83d\\ude00"')),
    ("raw-surrogate", _behind('"zzz":"\ud800"')),
    ("invalid-utf-8", lambda d: d[:-1] + b',"zzz":"\xff"}'),
    ("overlong-utf-8", lambda d: d[:-1] + b',"zzz":"\xc0\xaf"}'),
    ("utf-8", _behind('"zzz":"é"')),
    ("depth-50", _nested(50)),
    ("depth-98", _nested(98)),
    ("depth-99", _nested(99)),
    ("depth-100", _nested(100)),
    ("depth-101", _nested(101)),
    ("depth-1000", _nested(1000)),
    ("number-too-large", _behind('"zzz":1e999')),
    ("number-very-small", _behind('"zzz":1e-999')),
    ("number-long", _behind('"zzz":' + "1" * 400)),
    ("number-beyond-64-bits", _behind('"zzz":18446744073709551616')),
    ("number-largest", _behind('"zzz":1.7976931348623157e308')),
    ("number-leading-zero", _behind('"zzz":01')),
    ("number-plus", _behind('"zzz":+1')),
    ("number-dot", _behind('"zzz":1.')),
    ("number-no-zero", _behind('"zzz":.5')),
    ("number-hex", _behind('"zzz":0x10')),
    ("number-nan", _behind('"zzz":NaN')),
    ("number-infinity", _behind('"zzz":Infinity')),
    ("number-minus-zero", _behind('"zzz":-0')),
    ("empty-name", _behind('"":1')),
    ("literal-case", _behind('"zzz":True')),
    ("list", lambda d: b"[" + d + b"]"),
    ("empty-list", lambda d: b"[]"),
    ("string", lambda d: b'"x"'),
    ("null", lambda d: b"null"),
    ("true", lambda d: b"true"),
    ("number", lambda d: b"1"),
    ("empty-object", lambda d: b"{}"),
    ("nothing", lambda d: b""),
    ("blank", lambda d: b" "),
    ("cut", lambda d: d[:-1]),
    ("base64", lambda d: base64.b64encode(d)),
)


def _json(part: str, change: Callable[[bytes], bytes]) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        if part == "header":
            draft.header_json = change
        else:
            draft.claims_json = change

    return apply


JSON = tuple(
    Mutation(f"json.{name}.{part}", _json(part, change)) for part in ("header", "claims") for name, change in _JSONS
)
