"""What is measured: filters before one and the same direct response, each on a listener of its own in one Envoy."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.keys import Key, key_set
from harness.tokens import AUDIENCE, ISSUER

from . import floor

# Room for the few tokens of a hot run many times over, and far too little for those of a cold one.
CACHE_ENTRIES = 1000

Filters = Callable[[dict[str, Any], Path], list[dict[str, Any]]]


@dataclass(frozen=True)
class Variant:
    """One filter chain. `title` is how the report calls it."""

    name: str
    title: str
    filters: Filters


def _none(_config: dict[str, Any], _plugin: Path) -> list[dict[str, Any]]:
    return []


def _native(**changes: Any) -> Filters:
    def filters(config: dict[str, Any], _plugin: Path) -> list[dict[str, Any]]:
        changed = copy.deepcopy(config)
        changed["providers"]["issuer"].update(changes)
        kind = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
        return [{"name": "envoy.filters.http.jwt_authn", "typed_config": {"@type": kind, **changed}}]

    return filters


def _gatehouse(**sections: Any) -> Filters:
    def filters(config: dict[str, Any], plugin: Path) -> list[dict[str, Any]]:
        text = json.dumps({**config, **sections})
        configuration = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text}
        # Each variant in a VM of its own.
        return [_wasm(json.dumps(sections), {"filename": str(plugin)}, configuration=configuration)]

    return filters


def _floor(_config: dict[str, Any], _plugin: Path) -> list[dict[str, Any]]:
    return [_wasm("floor", {"inline_bytes": base64.b64encode(floor.module()).decode()})]


def _wasm(vm: str, code: dict[str, str], **more: Any) -> dict[str, Any]:
    machine = {"vm_id": vm, "runtime": "envoy.wasm.runtime.v8", "code": {"local": code}}
    kind = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
    return {"name": vm, "typed_config": {"@type": kind, "config": {"vm_config": machine, **more}}}


NONE = Variant("none", "no filter", _none)
FLOOR = Variant("floor", "a plugin that decides nothing", _floor)
NATIVE = Variant("native", "jwt_authn", _native())
NATIVE_CACHED = Variant(
    "native-cached",
    "jwt_authn, cache",
    _native(jwt_cache_config={"jwt_cache_size": CACHE_ENTRIES}),
)
GATEHOUSE = Variant("gatehouse", "Gatehouse", _gatehouse(token_cache={"max_entries": 0}))
GATEHOUSE_ALONE = Variant(
    "gatehouse-alone",
    "Gatehouse, host_function off",
    _gatehouse(token_cache={"max_entries": 0}, verification={"host_function": "off"}),
)
GATEHOUSE_CACHED = Variant(
    "gatehouse-cached",
    "Gatehouse, cache",
    _gatehouse(token_cache={"max_entries": CACHE_ENTRIES}),
)
# As it comes, with a cache of its own size.
GATEHOUSE_DEFAULT = Variant("gatehouse-default", "Gatehouse as it comes", _gatehouse())
ALL = (NONE, FLOOR, NATIVE, NATIVE_CACHED, GATEHOUSE, GATEHOUSE_ALONE, GATEHOUSE_CACHED)


def bootstrap(variants: Iterable[Variant], keys: Iterable[Key], plugin: Path) -> str:
    """An Envoy with a listener for each variant, named like it, on a port of Envoy's choice."""
    provider = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": {"inline_string": json.dumps(key_set(*keys))},
        "claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}],
    }
    config = {
        "providers": {"issuer": provider},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
    }
    listeners = [_listener(variant.name, variant.filters(config, plugin)) for variant in variants]
    admin = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}
    return json.dumps({"admin": admin, "static_resources": {"listeners": listeners}})


def _listener(name: str, filters: list[dict[str, Any]]) -> dict[str, Any]:
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok\n"}}}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [*filters, router],
    }
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
