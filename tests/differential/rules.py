"""Generates rules: what they match, and paths that match them or nearly do."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any

from .cases import Request
from .features import supported, template
from .plans import Requirement, Rule

CONNECT = "gate.example:443"
"""The target of a CONNECT, which has no path."""

# How a path is written when it is meant to come near: each keeps the stem of the rule.
_NEAR: tuple[Callable[[str], str], ...] = (
    str.upper,
    lambda p: p + "x",
    lambda p: p + "/",
    lambda p: p + "/../r0",
    lambda p: p + "%2f",
    lambda p: p + ";a=b",
    lambda p: "/" + p,
    lambda p: p[:-1],
    lambda p: p.replace("/r", "/%72", 1),
    lambda p: p + "//x",
    lambda p: "/x" + p,
    lambda p: "/." + p,
    lambda p: p + "%3fq",
    lambda p: p + "/%2e%2e/r0",
    lambda p: p.capitalize(),
    lambda p: p + "\\x",
    lambda p: p + "%00",
    lambda p: p + ".",
    lambda p: p + "?" + p,
    lambda p: "/?" + p,
    lambda p: p + "#x",
    lambda p: p + "#?a=1",
    lambda p: p + "%252e",
    lambda p: p + "/..;/r0",
    lambda p: p + "/%2e%2e%2fr0",
    lambda p: p + "%5c..%5cr0",
    lambda p: p + "%23x",
    lambda p: p + "\xe9",
    lambda p: p + "?a=1#" + p,
    lambda p: "http://other.example" + p,
    lambda p: "http://other.example?" + p,
)
_QUERIES = (
    "",
    "",
    "",
    "?a=1",
    "?a=1&b=%26",
    "?q=a+b%20c",
    "?x",
    "?=",
    "?a=1&a=2",
    "?u=http://h/?y=1",
    "?b=2&a=%41",
    "?%zz=1",
    "?a=%e9",
    "?A=1",
    "?a=1?b=2",
    "?&&a=1&",
    "?a[]=1&b=1",
    "?a=1;b=2",
    "?a",
    "?b=2&a",
    "?=1&a=2",
    "?a=1%26b=2",
    "?a=+",
    "?a=1#b",
    "?a==1",
    "?%61=1",
    "?b=2&a=1&b=3",
)


def generate_rule(rng: Random, index: int, tree: Callable[[], Requirement], named: dict[str, Requirement]) -> Rule:
    """A rule for paths that begin with `/r` and its number."""
    stem = f"/r{index}"
    match, matching = _match(rng, stem)
    message: dict[str, Any] = {"match": match}
    requirement: Requirement | None
    draw = rng.random()
    if draw < 0.08:
        requirement = None
    elif draw < 0.2:
        name = rng.choice(list(named))
        message["requirement_name"] = name
        requirement = named[name]
    else:
        message["requires"] = requirement = tree()
    _narrow(rng, match)
    near = () if matching == (CONNECT,) else tuple(change(stem) for change in _NEAR)
    return Rule(message, requirement, matching, near)


def with_query(rng: Random, path: str) -> str:
    """A path, often with a query."""
    return path if "?" in path or "#" in path or path == CONNECT else path + rng.choice(_QUERIES)


def _match(rng: Random, stem: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    kinds = [
        "prefix",
        "prefix",
        "path",
        "path_separated_prefix",
        "insensitive-prefix",
        "insensitive-path",
        "insensitive-separated",
        *(name for name in ("safe_regex", "connect_matcher", "path_match_policy") if supported(name)),
    ]
    kind = rng.choice(kinds)
    below = (stem, stem + "/x", stem + "/", stem + "/a/b")
    upper = stem.upper()
    match kind:
        case "prefix":
            return {"prefix": stem}, (*below, stem + "yz")
        case "path":
            return {"path": stem}, (stem,)
        case "path_separated_prefix":
            return {"path_separated_prefix": stem}, below
        case "insensitive-prefix":
            return {"prefix": stem, "case_sensitive": False}, (*below, upper, upper + "/x")
        case "insensitive-path":
            return {"path": stem, "case_sensitive": False}, (stem, upper)
        case "insensitive-separated":
            return {"path_separated_prefix": stem, "case_sensitive": False}, (*below, upper + "/X")
        case "connect_matcher":
            return {"connect_matcher": {}}, (CONNECT,)
        case "path_match_policy":
            return _uri_template(rng, stem)
    regex = rng.choice(
        (
            stem + "/[0-9]+",
            stem + "(/.*)?",
            f"{stem}/x|{stem}/y",
            stem + ".",
            f"(?i){stem}/X",
            f"^{stem}/[^/]+$",
            rf"{stem}/\w+",
            f"{stem}/[[:alpha:]]*",
            f"{stem}(?:/x)?",
        )
    )
    match = {"safe_regex": {"regex": regex}}
    if rng.random() < 0.2:
        match["case_sensitive"] = rng.random() < 0.5
    return match, (stem, stem + "/12", stem + "/x", stem + "/y", stem + "a", upper + "/x", stem + "/a/b", stem + "/")


def _uri_template(rng: Random, stem: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    ends = ("/*", "/**", "/{a}", "/{a}/b", "/*/b", "/{a=*/b}", "/{a}.x", "/**.x", "{a}", "{a=**}/b", "/*/**", "/{a=x/**}")
    more = ("/", "", "/{rest=**}", "/{id=a/*}", "/**.m3u8", "/{a=*}/{b=**}")
    paths = ("", "/", "/x", "/a/b", "/a", "/a/b/c", "/x.m3u8", "/a%2fb", "//b", "/X/b", "/a/", "/-_.~!$&'()*+,;:@", "y", "y/b", "/x/b", "/x.x", "/x/y=*")
    return {"path_match_policy": template(stem + rng.choice(ends + more))}, tuple(stem + path for path in paths)


def _narrow(rng: Random, match: dict[str, Any]) -> None:
    """Conditions on headers and the query."""
    if supported("match.headers") and rng.random() < 0.25:
        match["headers"] = [header_condition(rng) for _ in range(rng.choice((1, 1, 2)))]
    if supported("match.query_parameters") and rng.random() < 0.25:
        match["query_parameters"] = [_parameter_condition(rng) for _ in range(rng.choice((1, 1, 2)))]


TEXTS = ("one", "One", "o", "ne", "n", "two", "ONE", "one,two")


def string_matcher(rng: Random, texts: tuple[str, ...] = TEXTS, regexes: tuple[str, ...] = ()) -> dict[str, Any]:
    """A `StringMatcher` in any of its forms."""
    form = rng.choice(("exact", "exact", "prefix", "suffix", "contains", "safe_regex"))
    if form == "safe_regex":
        return {"safe_regex": {"regex": rng.choice(regexes or _REGEXES)}}
    matcher: dict[str, Any] = {form: rng.choice(texts)}
    if rng.random() < 0.3:
        matcher["ignore_case"] = True
    return matcher


_REGEXES = ("o.*", "(?i)ONE", "[[:alpha:]]+", "one|two", "^one$", r"\w+", "o.e", ".*", "[^o]*", "(one)?", "5|10", "[0-9]+")


def header_condition(rng: Random) -> dict[str, Any]:
    """A `HeaderMatcher` in any of its forms, older ones too."""
    name = rng.choice(("x-tenant", "x-tenant", "x-tenant", "X-Tenant", "x-number", ":method", ":path", ":authority"))
    condition: dict[str, Any] = {"name": name}
    draw = rng.random()
    texts = {":method": ("GET", "POST", "get"), ":path": ("/r", "?a=1", "/"), ":authority": ("gate.example", "gate")}
    if draw < 0.45:
        condition["string_match"] = string_matcher(rng, texts.get(name.lower(), TEXTS))
    elif draw < 0.6:
        condition["range_match"] = {"start": rng.choice((1, -5, 5)), "end": rng.choice((5, 10, 11))}
    elif draw < 0.75:
        condition["present_match"] = rng.random() < 0.6
    elif draw < 0.95:
        form = rng.choice(("exact_match", "prefix_match", "suffix_match", "contains_match", "safe_regex_match"))
        text = rng.choice(texts.get(name.lower(), TEXTS))
        condition[form] = {"regex": rng.choice(_REGEXES)} if form == "safe_regex_match" else text
    if rng.random() < 0.3:
        condition["invert_match"] = True
    if rng.random() < 0.2:
        condition["treat_missing_header_as_empty"] = True
    return condition


def _parameter_condition(rng: Random) -> dict[str, Any]:
    condition: dict[str, Any] = {"name": rng.choice(("a", "a", "b", "q", "x"))}
    draw = rng.random()
    if draw < 0.3:
        condition["present_match"] = True
    elif draw < 0.9:
        texts, regexes = ("1", "2", "%", "a+b", "%41", "x"), ("[0-9]", ".*", "%.*", "1?", "[^%]+")
        condition["string_match"] = string_matcher(rng, texts, regexes)
    return condition


def may_match(match: dict[str, Any], request: Request) -> bool:
    """Whether a generated rule may be for a request: its stem is in the path, or it is for all, or for a CONNECT."""
    if "connect_matcher" in match:
        return request.method == "CONNECT"
    stem = re.search(r"/r[0-9]+", str(match), re.IGNORECASE)
    return stem is None or stem[0].lower() in request.target.lower()
