"""A key set that nobody serves: what is refused, and how. The one difference is whose fault it is said to be."""

from __future__ import annotations

import asyncio
import json
import time
from random import Random
from typing import Any

import pytest
from mesh.settings import Tools

from harness.encoding import b64url, compact_json

from .bootstrap import KEYS
from .cases import Case, Configuration, Headers, Outcome, Request
from .keyring import new_pair
from .lab import open_lab
from .report import shown
from .verdicts import Unexplained, judge

KEY = new_pair("Ed25519", Random(2))
REMOTE = {"http_uri": {"uri": "http://keys.example/jwks.json", "cluster": KEYS, "timeout": "1s"}}


def _configuration(name: str, requirement: dict[str, Any]) -> Configuration:
    provider = {"issuer": "i", "audiences": ["a"], "remote_jwks": REMOTE}
    return Configuration(
        name, {"providers": {"p": provider}, "rules": [{"match": {"prefix": "/"}, "requires": requirement}]}
    )


def _bearer(**claims: Any) -> Headers:
    told = {"iss": "i", "aud": "a", "exp": int(time.time()) + 7200, **claims}
    signing_input = ".".join(b64url(compact_json(part)) for part in ({"alg": "EdDSA", "kid": KEY.key_id}, told))
    return (("authorization", f"Bearer {signing_input}.{b64url(KEY.sign('EdDSA', signing_input.encode()))}"),)


CONFIGURATIONS = {
    "needed": _configuration("needed", {"provider_name": "p"}),
    "forgiven": _configuration("forgiven", {"allow_missing_or_failed": {}}),
    "optional": _configuration("optional", {"allow_missing": {}}),
}
REQUESTS: dict[str, Headers] = {
    "good token": _bearer(),
    "expired token": _bearer(exp=1000),
    "other audience": _bearer(aud="b"),
    "other issuer": _bearer(iss="j"),
    "no token": (),
    "garbage": (("authorization", "Bearer x.y.z"),),
}


async def _all(tools: Tools) -> dict[tuple[str, str], Outcome]:
    async with open_lab(tools, list(CONFIGURATIONS.values())) as lab:
        assert not lab.refused
        return {
            (name, what): await lab.compare(
                Case(1, configuration, Request("GET", "/", (("host", "h"), *headers)), frozenset({"keys.out-of-reach"}))
            )
            for name, configuration in CONFIGURATIONS.items()
            for what, headers in REQUESTS.items()
        }


@pytest.fixture(scope="module")
def outcomes(tools: Tools) -> dict[tuple[str, str], Outcome]:
    return asyncio.run(_all(tools))


@pytest.mark.parametrize("name", CONFIGURATIONS)
@pytest.mark.parametrize("what", REQUESTS)
def test_nothing_else_differs(outcomes: dict[tuple[str, str], Outcome], name: str, what: str) -> None:
    outcome = outcomes[name, what]
    left = judge(outcome)[1]
    assert left is None, shown(left or Unexplained(outcome, ()))


def _twice() -> Configuration:
    other = new_pair("P-256", Random(3)).named(KEY.key_id)
    document = json.dumps({"keys": [KEY.listed, other.listed]})
    uri = {"uri": "http://keys.example/twice.json", "cluster": KEYS, "timeout": "1s"}
    provider = {"issuer": "i", "audiences": ["a"], "remote_jwks": {"http_uri": uri}}
    rule = {"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}
    return Configuration("twice", {"providers": {"p": provider}, "rules": [rule]}, {"/twice.json": document})


async def _ask(tools: Tools, configuration: Configuration, *traits: str) -> Outcome:
    async with open_lab(tools, [configuration]) as lab:
        assert not lab.refused
        request = Request("GET", "/", (("host", "h"), *_bearer()))
        return await lab.compare(Case(1, configuration, request, frozenset(traits)))


def test_a_fetched_set_with_two_keys_of_one_id_is_no_set(tools: Tools) -> None:
    outcome = asyncio.run(_ask(tools, _twice(), "jwk.duplicate-kid"))
    assert (outcome.native.status, outcome.ours.status) == (200, 503)
    assert judge(outcome) == ({"duplicate-kid"}, None)


def test_what_could_pass_later_is_told_so(outcomes: dict[tuple[str, str], Outcome]) -> None:
    outcome = outcomes["needed", "good token"]
    assert (outcome.native.status, outcome.ours.status) == (401, 503)
    assert outcome.ours.values("retry-after")
