"""Configurations that the native filter takes and ours refuses on purpose, each with what ours says.

They are looked at when the gate starts, not when requests come, so the generators keep away from them and a test of
their own goes through them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from ..features import template
from ..keyring import new_pair

Message = dict[str, Any]
Change = Callable[[Message], None]


@dataclass(frozen=True)
class Refusal:
    """A configuration, as a change of a plain one, and a part of what ours says about it."""

    name: str
    change: Change
    complaint: str


@dataclass(frozen=True)
class ConfigurationDeviation:
    """A reason to refuse configurations."""

    slug: str
    ours: str
    why: str
    refusals: tuple[Refusal, ...]


_RNG = Random(4)
_KEY = new_pair("P-256", _RNG).listed
_OTHER = new_pair("Ed25519", _RNG).listed


def plain() -> Message:
    """What the changes begin with: both filters take it."""
    return {
        "providers": {"p": {"issuer": "https://issuer.example", "local_jwks": _key_set(_KEY)}},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}],
    }


def _key_set(*keys: Message) -> Message:
    return {"inline_string": json.dumps({"keys": keys})}


def _provider(**fields: Any) -> Change:
    return lambda message: message["providers"]["p"].update(fields)


def _maps(*headers: str) -> Change:
    return _provider(claim_to_headers=[{"header_name": header, "claim_name": "sub"} for header in headers])


def _match(**fields: Any) -> Change:
    return lambda message: message["rules"][0].update(match=fields)


def _requires(requirement: Message) -> Change:
    return lambda message: message["rules"][0].update(requires=requirement)


def _in(slug: str, ours: str, why: str, complaint: str, **changes: Change) -> ConfigurationDeviation:
    refusals = tuple(Refusal(f"{slug}-{name}", change, complaint) for name, change in changes.items())
    return ConfigurationDeviation(slug, ours, why, refusals)


CONFIGURATIONS = (
    _in(
        "config-match",
        "Conditions that the native filter ignores are refused.",
        "A rule that matches more than it says is a hole.",
        "the native filter ignores it",
        runtime=_match(prefix="/", runtime_fraction={"default_value": {"numerator": 50}}),
        tls=_match(prefix="/", tls_context={"presented": True}),
        metadata=_match(
            prefix="/", dynamic_metadata=[{"filter": "f", "path": [{"key": "k"}], "value": {"present_match": True}}]
        ),
        grpc=_match(prefix="/", grpc={}),
        state=_match(prefix="/", filter_state=[{"key": "k", "string_match": {"exact": "a"}}]),
        cookies=_match(prefix="/", cookies=[{"name": "a", "string_match": {"exact": "b"}}]),
    ),
    _in(
        "config-template-star",
        "A `*` within the text of a template is refused.",
        "Envoy takes it for a repetition of the letter before it; it looks like a wildcard.",
        "a * beside other text",
        behind=_match(path_match_policy=template("/a*")),
        suffix=_match(path_match_policy=template("/***")),
        variable=_match(path_match_policy=template("/{a=b*}")),
    ),
    _in(
        "config-duplicate-kid",
        "A key set with two keys of one `kid` is refused.",
        "It is open which of them a token means.",
        "the same id",
        local=_provider(local_jwks=_key_set(_KEY, {**_OTHER, "kid": _KEY["kid"]})),
    ),
    _in(
        "config-no-usable-key",
        "A local key set without a key that verifies is refused.",
        "No token could ever pass.",
        "no usable key",
        encryption=_provider(local_jwks=_key_set({**_KEY, "use": "enc"})),
    ),
    _in(
        "config-no-effect",
        "Values with which no token would pass, or which say nothing, are refused.",
        "They are mistakes.",
        "is ",
        lifetime=_provider(max_lifetime="0s"),
        audience=_provider(audiences=[""]),
        parameter=_provider(from_params=[""]),
    ),
    _in(
        "config-skew",
        "A skew of more than a day is refused.",
        "A clock that is off by so much is not skewed but wrong.",
        "is too large",
        week=_provider(clock_skew_seconds=7 * 86_400),
    ),
    _in(
        "config-reserved-header",
        "Claims do not go into headers that mean something to HTTP or to Envoy.",
        "`host` from a claim is a way around the routes.",
        "has a meaning of its own",
        host=_maps("host"),
        authorization=_maps("authorization"),
        type=_maps("content-type"),
        forwarded=_maps("x-forwarded-for"),
        payload=_provider(forward_payload_header="authorization"),
    ),
    _in(
        "config-header-name",
        "Names that are no header names are refused.",
        "RFC 9110, section 5.1.",
        "is no header name",
        blank=_maps("x a"),
        pseudo=_maps(":path"),
    ),
    _in(
        "config-token-from-mapped-header",
        "A header that the gate takes from every request is no place for a token.",
        "It would never be found.",
        "takes from every request",
        same=lambda message: (_maps("x-a")(message), _provider(from_headers=[{"name": "x-a"}])(message), None)[-1],
    ),
    _in(
        "config-match-on-mapped-header",
        "A rule does not match on a header that the gate takes from every request.",
        "A client would choose its rule by a forged identity.",
        "takes from every request",
        same=lambda message: (_maps("x-a")(message), _match(prefix="/", headers=[{"name": "X_A"}])(message), None)[-1],
    ),
    _in(
        "config-empty-requirement",
        "`requires: {}` is refused.",
        "It looks like a requirement and lets everybody in.",
        "must ask for one thing",
        empty=_requires({}),
    ),
)
