"""Plugin configurations as the tests need them, and their neighbours."""

from __future__ import annotations

import copy
import json
from typing import Any

from .keys import Key, key_set
from .tokens import AUDIENCE, ISSUER

IDENTITY_HEADERS = [
    {"header_name": "x-user-id", "claim_name": "sub"},
    {"header_name": "x-user-name", "claim_name": "username"},
    {"header_name": "x-user-scope", "claim_name": "scope"},
]


def provider(*keys: Key, **changes: Any) -> dict[str, Any]:
    """A provider with these keys at hand."""
    return {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": {"inline_string": json.dumps(key_set(*keys))},
        "require_expiration": True,
        "claim_to_headers": copy.deepcopy(IDENTITY_HEADERS),
        **changes,
    }


def remote_provider(
    cluster: str = "keys",
    *,
    uri: str = "http://keys.example/jwks.json",
    timeout: str = "2s",
    cache_duration: str = "300s",
    fetching: dict[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A provider whose keys are fetched. `fetching` are further fields of `remote_jwks`."""
    remote = {
        "http_uri": {"uri": uri, "cluster": cluster, "timeout": timeout},
        "cache_duration": cache_duration,
        **(fetching or {}),
    }
    changed = provider(**changes)
    del changed["local_jwks"]
    return {**changed, "remote_jwks": remote}


def gateway_config(gatekeeper: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The gate as a gateway: one protected service for everything under /service/, one public under /open/."""
    return {
        "providers": {"issuer": gatekeeper},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
        "services": {
            "service": {"prefix": "/service/", "cluster": "service"},
            "open": {"prefix": "/open/", "cluster": "service", "public": True},
        },
        "headers": {"profile": "edge"},
        "token_profiles": {"issuer": {"typ": ["at+jwt"], "token_type": ["access"]}},
        **changes,
    }


def discovering_provider(issuer: str, **changes: Any) -> dict[str, Any]:
    """A provider whose keys are found by its issuer."""
    changed = provider(issuer=issuer, **changes)
    del changed["local_jwks"]
    return changed


def gateway_of_providers(providers: dict[str, dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """The gate as a gateway with a protected path for each provider: /service/<name>/."""
    rules = [
        {"match": {"path_separated_prefix": f"/service/{name}"}, "requires": {"provider_name": name}}
        for name in providers
    ]
    services = {"service": {"prefix": "/service/", "cluster": "service"}}
    return {"providers": providers, "rules": rules, "services": services, **changes}
