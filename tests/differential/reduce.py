"""Makes a failing case small: parts of the configuration and of the request are left out as long as the same difference
shows.

Many smaller configurations are tried in one Envoy at a time.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mesh.settings import Tools

from .bootstrap import NATIVE, OURS
from .cases import Case, Configuration, Request
from .lab import Lab, open_lab
from .plans import providers_within
from .verdicts import Unexplained, judge

Message = dict[str, Any]
ROUNDS = 12
_OPTIONAL = ("stat_prefix", "bypass_cors_preflight", "strip_failure_response", "requirement_map", "filter_state_rules")
_NEEDED = ("local_jwks", "remote_jwks")


async def reduced(tools: Tools, found: Unexplained) -> Unexplained:
    """The smallest case that was found to differ in the same things; the case itself at worst."""
    best = found
    for _ in range(ROUNDS):
        smaller = await _one_round(tools, best)
        if smaller is None:
            break
        best = smaller
    return best


async def _one_round(tools: Tools, found: Unexplained) -> Unexplained | None:
    case = found.outcome.case
    messages = list(_smaller_messages(case.configuration.message, case))
    candidates = [
        Configuration(f"r{index}", message, case.configuration.key_sets)
        for index, message in enumerate([case.configuration.message, *messages])
    ]
    async with open_lab(tools, candidates) as lab:
        smaller: Unexplained | None = None
        for candidate in candidates[1:]:
            if all(lab.takes(side, candidate) for side in (NATIVE, OURS)):
                same = await _same(lab, found, replace(case, configuration=candidate))
                if same and (smaller is None or _size(same) < _size(smaller)):
                    smaller = same
        # The request gets smaller under the configuration that it came with.
        request = await _smaller_request(lab, found, replace(case, configuration=candidates[0]))
        if request and smaller:
            both = await _same(lab, found, replace(smaller.outcome.case, request=request.outcome.case.request))
            return both or smaller
        return request or smaller


async def _same(lab: Lab, found: Unexplained, case: Case) -> Unexplained | None:
    """What is unexplained about a case, if it is the same as before."""
    _, left = judge(await lab.compare(case))
    return left if left is not None and left.signature == found.signature else None


async def _smaller_request(lab: Lab, found: Unexplained, case: Case) -> Unexplained | None:
    best: Unexplained | None = None
    again = True
    while again:
        again = False
        for request in _smaller_requests(case.request):
            same = await _same(lab, found, replace(case, request=request))
            if same:
                best, case, again = same, replace(case, request=request), True
                break
    return best


def _smaller_requests(request: Request) -> Iterator[Request]:
    for index in range(1, len(request.headers)):
        yield replace(request, headers=request.headers[:index] + request.headers[index + 1 :])
    path, mark, query = request.target.partition("?")
    pairs = query.split("&") if mark else []
    for index in range(len(pairs)):
        rest = "&".join(pairs[:index] + pairs[index + 1 :])
        yield replace(request, target=path + ("?" + rest if rest else ""))
    if request.body:
        yield replace(request, body="")
    if request.method != "GET" and not request.body:
        yield replace(request, method="GET")


def _smaller_messages(message: Message, case: Case) -> Iterator[Message]:
    for name in _OPTIONAL:
        if name in message:
            yield _without(message, name)
    rules = message["rules"]
    if len(rules) > 1:
        for index in range(len(rules)):
            yield {**message, "rules": [rules[index]]}
    elif rules:
        yield from ({**message, "rules": [rule]} for rule in _smaller_rules(rules[0], message))
    needed = set(providers_within(rules[0].get("requires"))) if len(rules) == 1 else set(message["providers"])
    for name in message["providers"]:
        if name not in needed and len(message["providers"]) > 1:
            yield {**message, "providers": _without(message["providers"], name)}
    # Fields of providers, once there are few other things left to try.
    if len(rules) == 1:
        for name, provider in message["providers"].items():
            for field in provider:
                if field not in _NEEDED:
                    yield {**message, "providers": {**message["providers"], name: _without(provider, field)}}
            for index in range(len(provider.get("claim_to_headers", []))):
                changed = copy.deepcopy(provider)
                changed["claim_to_headers"].pop(index)
                yield {**message, "providers": {**message["providers"], name: changed}}


def _smaller_rules(rule: Message, message: Message) -> Iterator[Message]:
    if "requirement_name" in rule:
        yield {**_without(rule, "requirement_name"), "requires": message["requirement_map"][rule["requirement_name"]]}
    for smaller in _smaller_requirements(rule.get("requires")):
        yield {**rule, "requires": smaller}
    for name in ("headers", "query_parameters"):
        if name in rule["match"]:
            yield {**rule, "match": _without(rule["match"], name)}
    if rule["match"] != {"prefix": "/"}:
        yield {**rule, "match": {"prefix": "/"}}


def _smaller_requirements(requirement: Message | None) -> Iterator[Message]:
    for group in ("requires_any", "requires_all"):
        children = (requirement or {}).get(group, {}).get("requirements", [])
        yield from children
        for index, child in enumerate(children):
            if len(children) > 2:
                yield {group: {"requirements": children[:index] + children[index + 1 :]}}
            for smaller in _smaller_requirements(child):
                yield {group: {"requirements": [*children[:index], smaller, *children[index + 1 :]]}}


def _without(mapping: Message, name: str) -> Message:
    return {key: value for key, value in mapping.items() if key != name}


def _size(found: Unexplained) -> int:
    return len(str(found.outcome.case.configuration))
