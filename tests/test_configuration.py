"""A bad configuration never lets a request through, and says which field is wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from harness.config import gateway_config, provider
from harness.envoy import EnvoyRefused
from harness.gate import Gate, bare_gate
from harness.keys import key
from harness.refusals import challenged
from harness.tokens import bearer, mint
from mesh.settings import Tools

GOOD = key("ES256")


def changed(path: str, value: Any) -> dict[str, Any]:
    """A good configuration with one field replaced or added."""
    config = copy.deepcopy(gateway_config(provider(GOOD)))
    *parents, last = path.split(".")
    place: Any = config
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    place[last] = value
    return config


BAD: dict[str, tuple[Any, str]] = {
    "not JSON": ("{", ""),
    "empty": ("", ""),
    "a list": ("[]", ""),
    "an unknown key": (changed("surprise", 1), "surprise"),
    "an unknown key in a provider": (changed("providers.issuer.isuer", "x"), "isuer"),
    "an unknown key in a service": (changed("services.service.clutser", "x"), "clutser"),
    "a rule for an unknown provider": (
        changed("rules.0.requires", {"provider_name": "nobody"}),
        "rules[0].requires.provider_name",
    ),
    "no key source": (changed("providers.issuer", {"issuer": "x"}), "jwks"),
    "broken local keys": (changed("providers.issuer.local_jwks", {"inline_string": "nonsense"}), "local_jwks"),
    "local keys without a usable key": (
        changed("providers.issuer.local_jwks", {"inline_string": '{"keys":[]}'}),
        "local_jwks",
    ),
    "a service without a prefix": (changed("services.service", {"cluster": "service"}), "prefix"),
    "a service without a cluster": (changed("services.service", {"prefix": "/x/"}), "cluster"),
    "a prefix that is no path": (changed("services.service.prefix", "service"), "prefix"),
    "a timeout that is no duration": (changed("services.service.timeout", "soon"), "timeout"),
    "an unknown header profile": (changed("headers.profile", "wide-open"), "profile"),
    "a number for a name": (changed("providers.issuer.issuer", 7), "issuer"),
}


@pytest.mark.parametrize("name", BAD)
def test_envoy_does_not_start_with(tools: Tools, name: str) -> None:
    config, field = BAD[name]
    with pytest.raises(EnvoyRefused) as refusal:
        bare_gate(tools, config).close()
    log = str(refusal.value)
    assert "Unable to create Wasm" in log or "Failed to configure" in log or "failed to load" in log, log[-2000:]
    assert field in log, f"the log does not name {field!r}:\n{log[-2000:]}"


def test_two_services_may_not_claim_one_prefix(tools: Tools) -> None:
    config = gateway_config(provider(GOOD))
    config["services"]["twin"] = {"prefix": "/service/", "cluster": "service", "public": True}
    with pytest.raises(EnvoyRefused):
        bare_gate(tools, config).close()


def test_both_spellings_of_protobuf_json_mean_the_same(start_gate: Callable[..., Gate]) -> None:
    config = gateway_config(
        {
            "issuer": "https://issuer.example",
            "audiences": ["gatehouse"],
            "requireExpiration": True,
            "localJwks": {"inlineString": json.dumps({"keys": [GOOD.jwk]})},
            "claimToHeaders": [{"headerName": "x-user-id", "claimName": "sub"}],
        },
        rules=[{"match": {"prefix": "/"}, "requires": {"providerName": "issuer"}}],
    )
    config["@type"] = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
    gate = start_gate(config)
    challenged(gate.get("/service/"))
    assert gate.get("/service/", headers=bearer(mint(GOOD))).status_code == 200
