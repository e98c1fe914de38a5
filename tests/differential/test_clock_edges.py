"""The edges of `exp`, `nbf` and `max_lifetime` to the second.

Both filters are asked within one and the same second of the machine's clock, or once more: which second it is decides
nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from mesh.settings import Tools

from harness.encoding import b64url, compact_json

from .cases import Case, Configuration, Outcome, Request
from .keyring import KeyPair, new_pair
from .lab import Lab, open_lab
from .report import shown
from .verdicts import Unexplained, judge

DELTAS = (-2, -1, -0.5, 0, 0.5, 1, 2)
ATTEMPTS = 50
KEY = new_pair("Ed25519", Random(1))
Claims = Callable[[int, float], dict[str, Any]]


def _configuration(name: str, **fields: Any) -> Configuration:
    provider = {"issuer": "i", "local_jwks": {"inline_string": json.dumps({"keys": [KEY.listed]})}, **fields}
    rule = {"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}
    return Configuration(name, {"providers": {"p": provider}, "rules": [rule]})


# What each configuration is asked: claims, by the second that it is and the distance to the edge.
EDGES: dict[str, tuple[Configuration, Claims]] = {
    "exp, usual skew": (_configuration("exp60"), lambda now, delta: {"exp": now - 60 + delta}),
    "exp, skew of one second": (
        _configuration("exp1", clock_skew_seconds=1),
        lambda now, delta: {"exp": now - 1 + delta},
    ),
    "nbf, usual skew": (_configuration("nbf60"), lambda now, delta: {"nbf": now + 60 + delta}),
    "nbf, skew of one second": (
        _configuration("nbf1", clock_skew_seconds=1),
        lambda now, delta: {"nbf": now + 1 + delta},
    ),
    "max_lifetime": (_configuration("life", max_lifetime="100s"), lambda now, delta: {"exp": now + 100 + delta}),
}


def _token(key: KeyPair, claims: dict[str, Any]) -> str:
    signing_input = ".".join(
        b64url(compact_json(part)) for part in ({"alg": "EdDSA", "kid": key.key_id}, {"iss": "i", **claims})
    )
    return f"{signing_input}.{b64url(key.sign('EdDSA', signing_input.encode()))}"


async def _within_one_second(lab: Lab, configuration: Configuration, claims: Claims, delta: float) -> Outcome:
    traits = frozenset({"nbf.fraction"} if "nbf" in claims(0, delta) and delta % 1 else ())
    for _ in range(ATTEMPTS):
        now = int(time.time())
        request = Request("GET", "/", (("host", "h"), ("authorization", f"Bearer {_token(KEY, claims(now, delta))}")))
        outcome = await lab.compare(Case(1, configuration, request, traits))
        if int(time.time()) == now:
            return outcome
    raise AssertionError(f"no exchange fits into one second, in {ATTEMPTS} attempts")


async def _all(tools: Tools) -> dict[tuple[str, float], Outcome]:
    async with open_lab(tools, [configuration for configuration, _ in EDGES.values()]) as lab:
        assert not lab.refused
        return {
            (name, delta): await _within_one_second(lab, configuration, claims, delta)
            for name, (configuration, claims) in EDGES.items()
            for delta in DELTAS
        }


@pytest.fixture(scope="module")
def outcomes(tools: Tools) -> dict[tuple[str, float], Outcome]:
    return asyncio.run(_all(tools))


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("delta", DELTAS)
def test_both_filters_see_the_same_edge(outcomes: dict[tuple[str, float], Outcome], name: str, delta: float) -> None:
    outcome = outcomes[name, delta]
    left = judge(outcome)[1]
    assert left is None, shown(left or Unexplained(outcome, ()))


CACHING = {
    "caches": _configuration("caches", clock_skew_seconds=1, jwt_cache_config={}),
    "native has none": _configuration("no-cache", clock_skew_seconds=1),
}


async def _over_the_edge(tools: Tools, configuration: Configuration) -> list[Outcome]:
    """Both are asked twice with a good token, and once more when the clock has passed its end."""
    async with open_lab(tools, [configuration]) as lab:
        assert not lab.refused
        ends = int(time.time()) + 2
        request = Request("GET", "/", (("host", "h"), ("authorization", f"Bearer {_token(KEY, {'exp': ends})}")))
        cases = [Case(number, configuration, request) for number in range(3)]
        found = [await lab.compare(case) for case in cases[:2]]
        while int(time.time()) <= ends + 1:
            await asyncio.sleep(0.1)
        return [*found, await lab.compare(cases[2])]


@pytest.mark.parametrize("name", CACHING)
def test_a_remembered_token_ends_when_it_says(tools: Tools, name: str) -> None:
    outcomes = asyncio.run(_over_the_edge(tools, CACHING[name]))
    for outcome in outcomes:
        left = judge(outcome)[1]
        assert left is None, shown(left or Unexplained(outcome, ()))
    assert [outcomes[-1].native.status, outcomes[-1].ours.status] == [401, 401]


@pytest.mark.parametrize("name", EDGES)
def test_there_is_an_edge(outcomes: dict[tuple[str, float], Outcome], name: str) -> None:
    assert {outcomes[name, delta].native.forwarded for delta in DELTAS} == {True, False}
