"""Envoy's configuration: for each configuration of the filters two listeners that differ in the filter alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .cases import Configuration

NATIVE, OURS = "native", "ours"
KEYS = "keys"
"""The cluster that serves key sets."""
Tamper = Callable[[Configuration], dict[str, Any]]
"""What ours is given in place of a configuration."""


def untouched(configuration: Configuration) -> dict[str, Any]:
    """The same as the native filter."""
    return configuration.message


_TYPE = "type.googleapis.com/envoy.extensions.filters"


def bootstrap(upstreams: Mapping[str, int], listeners_file: Path) -> str:
    """An Envoy that reads its listeners from a file: one that is refused leaves the others standing, and says why."""
    return json.dumps(
        {
            "node": {"id": "differential", "cluster": "differential"},
            "admin": {"address": _address(0)},
            "dynamic_resources": {
                "lds_config": {"path_config_source": {"path": str(listeners_file)}, "resource_api_version": "V3"}
            },
            "static_resources": {"clusters": [_cluster(name, port) for name, port in upstreams.items()]},
        }
    )


def listeners(configurations: Iterable[Configuration], plugin: Path, tamper: Tamper = untouched) -> str:
    """The file of listeners: two for each configuration. `tamper` changes what ours is given."""
    resources = []
    for configuration in configurations:
        state = _state(configuration.message)
        gates = _native(configuration.message), _ours(configuration.name, tamper(configuration), plugin)
        for side, gate in zip((NATIVE, OURS), gates, strict=True):
            resources.append(_listener(side, configuration, [*state, gate]))
    kind = "type.googleapis.com/envoy.config.listener.v3.Listener"
    return json.dumps({"version_info": "1", "resources": [{"@type": kind, **listener} for listener in resources]})


def _state(message: dict[str, Any]) -> list[dict[str, Any]]:
    """What notes the state by which `filter_state_rules` choose: the value of `x-state`."""
    if "filter_state_rules" not in message:
        return []
    noted = {
        "object_key": message["filter_state_rules"]["name"],
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": "%REQ(x-state)%"}},
        "skip_if_empty": True,
    }
    typed = {"@type": f"{_TYPE}.http.set_filter_state.v3.Config", "on_request_headers": [noted]}
    return [{"name": "envoy.filters.http.set_filter_state", "typed_config": typed}]


def _native(message: dict[str, Any]) -> dict[str, Any]:
    typed = {"@type": f"{_TYPE}.http.jwt_authn.v3.JwtAuthentication", **message}
    return {"name": "envoy.filters.http.jwt_authn", "typed_config": typed}


def _ours(name: str, message: dict[str, Any], plugin: Path) -> dict[str, Any]:
    text = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": json.dumps(message)}
    return {
        "name": "gatehouse",
        "typed_config": {
            "@type": f"{_TYPE}.http.wasm.v3.Wasm",
            "config": {
                "name": name,
                "root_id": name,
                "failure_policy": "FAIL_CLOSED",
                "vm_config": {
                    "vm_id": "gatehouse",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": str(plugin.resolve())}},
                },
                "configuration": text,
            },
        },
    }


def _listener(side: str, configuration: Configuration, gates: list[dict[str, Any]]) -> dict[str, Any]:
    router = {"@type": f"{_TYPE}.http.router.v3.Router", "suppress_envoy_headers": True}
    manager = {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": side,
        # Both sides would draw their own.
        "generate_request_id": False,
        "max_request_headers_kb": 96,
        "common_http_protocol_options": {"max_headers_count": 200},
        "upgrade_configs": [{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}],
        "route_config": {"name": side, "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": _routes(side)}]},
        "http_filters": [*gates, {"name": "envoy.filters.http.router", "typed_config": router}],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": f"{side}/{configuration.name}", "address": _address(0), "filter_chains": [chain]}


def _routes(side: str) -> list[dict[str, Any]]:
    """The second route is for all; the first shows whether the route was chosen anew after a claim became a header."""
    return [
        {
            "match": {"prefix": "/", "headers": [{"name": "x-claim-route", "string_match": {"exact": "blue"}}]},
            "route": {"cluster": side, "timeout": "60s"},
            "request_headers_to_add": [{"header": {"key": "x-routed", "value": "blue"}}],
        },
        {"match": {"prefix": "/"}, "route": {"cluster": side, "timeout": "60s"}},
        {"match": {"connect_matcher": {}}, "route": {"cluster": side, "timeout": "60s"}},
    ]


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
