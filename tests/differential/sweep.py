"""Configurations of the plainest kind, to which every mutation is sent by itself: what it does is seen there without
anything else, and no run leaves one out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .bootstrap import KEYS
from .cases import Configuration
from .configs import KINDS, MAPPED_CLAIMS, ConfigGenerator
from .keyring import KeyPair
from .plans import BEARER, Place, Plan, Provider, Requirement, Rule
from .trees import shapes

SYSTEMATIC_KINDS = tuple(dict.fromkeys(KINDS))
ISSUER = "https://issuer-0.example"
AUDIENCES = ("aud-a", "https://api.example")


def sweep_plans(generator: ConfigGenerator, *, thorough: bool) -> list[Plan]:
    """Where a good token is asked for, where a bad one is forgiven, where the provider asks for little, where its key names
    no algorithm, and where nobody serves its keys.
    """
    keys = tuple(generator.one_of_each())
    open_minded = tuple(key.with_listing("jwk.no-alg", "alg") for key in keys if key.kind == "P-256")
    nameless = tuple(key.with_listing("jwk.no-kid", "kid") for key in keys)
    needed: Requirement = {"provider_name": "p0"}
    asking = {"issuer": ISSUER, "audiences": list(AUDIENCES)}
    return [
        _plan("sweep", keys, asking, needed, len(SYSTEMATIC_KINDS) if thorough else 1),
        _plan("sweep-forgiving", keys, {**asking, "max_lifetime": "86400s"}, {"allow_missing_or_failed": {}}, 1),
        _plan("sweep-undemanding", nameless, {}, needed, 1),
        _plan("sweep-any-algorithm", open_minded, asking, needed, 1),
        _plan("sweep-unreachable", keys, {**asking, "remote_jwks": _NOWHERE}, needed, 1),
        *contested_plans(generator),
    ]


def contested_plans(generator: ConfigGenerator) -> list[Plan]:
    """Where a provider refuses what the native filter accepts, and another provider of the same issuer would not: each
    shape of requirement in which the second may be asked for the same token, with what the first two leave in its place.
    """
    good = next(key for key in generator.one_of_each() if key.kind == "Ed25519")
    unfit = good.with_listing("jwk.use-enc", use="enc"), good.with_listing("jwk.no-alg", "alg", key_ops=["sign"])
    spare = next(key for key in generator.one_of_each() if key.kind == "P-256")
    first_ones = (
        ((good,), ("https://api.example",)),
        ((unfit[0], spare), ("http://api.example/",)),
        ((spare, replace(unfit[1], flaws=frozenset({"jwk.key-ops-sign"}))), ()),
    )
    forwards = ((False, False), (True, False), (False, True))
    return [
        _contested(f"sweep-contested-{index}-{position}", keys, audiences, good, forward)
        for index, (keys, audiences) in enumerate(first_ones)
        for position, forward in enumerate(forwards)
    ]


def _contested(
    name: str, keys: tuple[KeyPair, ...], audiences: tuple[str, ...], good: KeyPair, forward: tuple[bool, bool]
) -> Plan:
    def provider(
        name: str, keys: tuple[KeyPair, ...], audiences: tuple[str, ...], issuer: str, place: Place, *, forward: bool
    ) -> Provider:
        message: dict[str, Any] = {"issuer": issuer, "forward": forward}
        if audiences:
            message["audiences"] = list(audiences)
        if place != BEARER:
            message["from_headers"] = [{"name": place.name}]
        found = Provider(name, issuer, keys, audiences, (place,), message)
        message["local_jwks"] = {"inline_string": found.key_set()}
        return found

    providers = (
        provider("p0", keys, audiences, ISSUER, BEARER, forward=forward[0]),
        provider("p1", (good,), ("http://api.example/", "elsewhere"), ISSUER, BEARER, forward=forward[1]),
        provider("p2", (good,), (), "https://issuer-2.example", Place("header", "x-other"), forward=False),
    )
    rules = [
        Rule({"match": {"path": f"/{index}"}, "requires": shape}, shape, (f"/{index}",), ())
        for index, shape in enumerate((*shapes("p0", "p1", "p2"), *shapes("p1", "p0", "p2")))
    ]
    other = {"for": "p2", "aud": "any", "key": 0}
    named = [{"for": "p1", "aud": aud, "key": 0} for aud in ("http://api.example/", "https://api.example", "elsewhere")]
    bearers = tuple(each for token in named for each in ((token,), (token, other)))
    message = {
        "providers": {each.name: each.message for each in providers},
        "rules": [rule.message for rule in rules],
    }
    return Plan(Configuration(name, message), providers, tuple(rules), bearers=bearers)


# Nothing is at this path, so that the answer is 404.
_NOWHERE = {
    "http_uri": {"uri": "http://keys.example/nowhere", "cluster": KEYS, "timeout": "10s"},
    "cache_duration": "3600s",
    "async_fetch": {"fast_listener": False},
}
UNREACHABLE = "keys.out-of-reach"
"""The trait of requests whose tokens are for a provider without keys."""


def _plan(
    name: str, keys: tuple[KeyPair, ...], asked: dict[str, Any], requirement: Requirement, keys_each: int
) -> Plan:
    message = {
        **asked,
        "claim_to_headers": [
            {"header_name": f"x-claim-{header}", "claim_name": claim} for header, claim in dict(MAPPED_CLAIMS).items()
        ],
    }
    if "remote_jwks" in asked:
        keys = tuple(replace(key, flaws=key.flaws | {UNREACHABLE}) for key in keys)
    provider = Provider("p0", asked.get("issuer", ""), keys, tuple(asked.get("audiences", ())), (BEARER,), message)
    if "remote_jwks" not in asked:
        message["local_jwks"] = {"inline_string": provider.key_set()}
    rule = {"match": {"prefix": "/"}, "requires": requirement}
    configuration = Configuration(name, {"providers": {"p0": message}, "rules": [rule]})
    return Plan(configuration, (provider,), (Rule(rule, requirement, ("/",), ()),), keys_each)
