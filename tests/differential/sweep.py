"""Configurations of the plainest kind, to which every mutation is sent once with a key of every kind: what a mutation does by
itself is seen there, and no run leaves one out.
"""

from __future__ import annotations

import json
from typing import Any

from .cases import Configuration
from .configs import KINDS, MAPPED_CLAIMS, ConfigGenerator
from .plans import BEARER, Plan, Provider, Rule

SYSTEMATIC_KINDS = tuple(dict.fromkeys(KINDS))
ISSUER = "https://issuer-0.example"
AUDIENCES = ("aud-a", "https://api.example")


def sweep_plans(generator: ConfigGenerator, *, thorough: bool) -> list[Plan]:
    """Where a good token is asked for, and where a bad one is forgiven."""
    return [
        _plan(generator, "sweep", {"provider_name": "p0"}, len(SYSTEMATIC_KINDS) if thorough else 1),
        _plan(generator, "sweep-forgiving", {"allow_missing_or_failed": {}}, 1),
    ]


def _plan(generator: ConfigGenerator, name: str, requirement: dict[str, Any], keys_each: int) -> Plan:
    keys = tuple(generator.one_of_each())
    message = {
        "issuer": ISSUER, "audiences": list(AUDIENCES),
        "local_jwks": {"inline_string": json.dumps({"keys": [key.listed for key in keys]})},
        "claim_to_headers": [{"header_name": f"x-claim-{header}", "claim_name": claim} for header, claim in dict(MAPPED_CLAIMS).items()],
    }
    provider = Provider("p0", ISSUER, keys, AUDIENCES, (BEARER,), message)
    rule = {"match": {"prefix": "/"}, "requires": requirement}
    configuration = Configuration(name, {"providers": {"p0": message}, "rules": [rule]})
    return Plan(configuration, (provider,), (Rule(rule, requirement, ("/",), ()),), keys_each)
