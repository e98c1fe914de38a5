"""Generates rules: what they match, and paths that match them or nearly do."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from .features import supported, template
from .plans import Requirement, Rule

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
    return Rule(message, requirement, matching, tuple(change(stem) for change in _NEAR))


def with_query(rng: Random, path: str) -> str:
    """A path, often with a query."""
    return path if "?" in path else path + rng.choice(_QUERIES)


def _match(rng: Random, stem: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    kinds = [
        "prefix",
        "prefix",
        "path",
        "path_separated_prefix",
        "insensitive-prefix",
        "insensitive-path",
        "insensitive-separated",
    ]
    if supported("safe_regex"):
        kinds.append("safe_regex")
    if supported("path_match_policy"):
        kinds.append("path_match_policy")
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
        case "path_match_policy":
            ends = ("/*", "/**", "/{a}", "/{a}/b", "/{a=*/b}", "/{a}.x", "/**.x", "{a}", "{a=**}/b", "/*/**", "/{a=x/**}", "/")
            paths = (stem + "/x", stem + "/x/b", stem + "/x.x", stem + "/", stem + "y", stem + "y/b", stem + "/x/y=*")
            return {"path_match_policy": template(stem + rng.choice(ends))}, paths
    return {
        "safe_regex": {"regex": rng.choice((stem + "/[0-9]+", stem + "(/.*)?", f"{stem}/x|{stem}/y", stem + "."))}
    }, (stem, stem + "/12", stem + "/x", stem + "/y", stem + "a")


def _narrow(rng: Random, match: dict[str, Any]) -> None:
    """Conditions on headers and the query."""
    if supported("match.headers") and rng.random() < 0.2:
        match["headers"] = [
            rng.choice(
                (
                    {"name": "x-tenant", "string_match": {"exact": "one"}},
                    {"name": "x-tenant", "present_match": True},
                    {"name": "x-tenant", "present_match": False},
                    {"name": "x-tenant", "string_match": {"exact": "one"}, "invert_match": True},
                    {"name": "x-tenant", "string_match": {"prefix": "o", "ignore_case": True}},
                    {"name": ":method", "string_match": {"exact": "GET"}},
                    {"name": "x-number", "range_match": {"start": 1, "end": 10}},
                    {"name": "x-tenant", "string_match": {"safe_regex": {"regex": "o.*"}}},
                    {
                        "name": "x-tenant",
                        "string_match": {"exact": "one"},
                        "treat_missing_header_as_empty": True,
                        "invert_match": True,
                    },
                    {"name": "x-tenant", "string_match": {"suffix": "e"}},
                    {"name": "x-tenant", "string_match": {"contains": "n"}},
                )
            )
        ]
    if supported("match.query_parameters") and rng.random() < 0.2:
        match["query_parameters"] = [
            rng.choice(
                (
                    {"name": "a", "string_match": {"exact": "1"}},
                    {"name": "a", "present_match": True},
                    {"name": "b", "string_match": {"prefix": "2"}},
                    {"name": "a", "string_match": {"safe_regex": {"regex": "[0-9]"}}},
                )
            )
        ]
