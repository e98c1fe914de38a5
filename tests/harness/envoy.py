"""A real Envoy for one test module, on ports of its own choice.

Envoy picks its ports itself (port 0) and is asked for them afterwards: a port that a test picks first can be gone when
Envoy starts.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from mesh.settings import Tools

from .waiting import eventually

START_PATIENCE_SECONDS = 60.0


class EnvoyRefused(Exception):
    """Envoy did not start with this configuration; the text is its log."""


class Envoy:
    """A running Envoy. `config` is a bootstrap in JSON or YAML text."""

    def __init__(self, tools: Tools, config: str, *, workers: int = 2) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="gatehouse-envoy-"))
        self._log = self._folder / "envoy.log"
        self.config_file = self._folder / "envoy.yaml"
        self.config_file.write_text(config)
        # The port of each listener, by its name.
        self.listeners: dict[str, int] = {}
        admin_file = self._folder / "admin"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    str(tools.envoy),
                    "-c",
                    str(self.config_file),
                    "--admin-address-path",
                    str(admin_file),
                    "--concurrency",
                    str(workers),
                    "--disable-hot-restart",
                    "--log-level",
                    "warning",
                    "--component-log-level",
                    "wasm:info",
                    "--file-flush-interval-msec",
                    "50",
                    "--drain-time-s",
                    "1",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.admin_port = self._find_admin(admin_file)
            self.port = eventually(self._find_listener, "Envoy listens", patience=START_PATIENCE_SECONDS)
        except BaseException:
            self.process.kill()
            self.process.wait()
            text = self.log_text()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise EnvoyRefused(text) from None

    def stop(self) -> None:
        """Ends it and waits for that."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def log_text(self) -> str:
        """All that it wrote, access log lines too."""
        try:
            return self._log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def counters(self, pattern: str) -> dict[str, int]:
        """Counters and gauges whose names match."""
        text = self._admin(f"/stats?format=text&filter={pattern}").text
        found = re.findall(r"^(\S+): (\d+)$", text, flags=re.MULTILINE)
        return {name: int(value) for name, value in found}

    def access_log(self) -> list[dict[str, Any]]:
        """The access log's lines."""
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    def _find_admin(self, file: Path) -> int:
        def look() -> int | None:
            if not self.is_alive():
                raise EnvoyRefused
            text = file.read_text() if file.exists() else ""
            return int(text.rsplit(":", 1)[1]) if ":" in text else None

        return eventually(look, "Envoy's admin interface answers", patience=START_PATIENCE_SECONDS)

    def _find_listener(self) -> int | None:
        if not self.is_alive():
            raise EnvoyRefused
        try:
            if self._admin("/ready").status_code != 200:
                return None
            statuses = self._admin("/listeners?format=json").json().get("listener_statuses", [])
        except httpx.TransportError:
            return None
        self.listeners = {
            status["name"]: status["local_address"]["socket_address"]["port_value"] for status in statuses
        }
        return statuses[0]["local_address"]["socket_address"]["port_value"] if statuses else None

    def _admin(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.admin_port}{path}", trust_env=False, timeout=20)


def plugin_filter(tools: Tools, plugin_config: str) -> dict[str, Any]:
    """The plugin as an HTTP filter."""
    wasm = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "gatehouse",
            "root_id": "gatehouse",
            "failure_policy": "FAIL_RELOAD",
            "vm_config": {
                "vm_id": "gatehouse",
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": str(tools.plugin.resolve())}},
            },
            "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": plugin_config},
        },
    }
    return {"name": "gatehouse", "typed_config": wasm}


def native_filter(message: dict[str, Any]) -> dict[str, Any]:
    """Envoy's own filter, with the same configuration."""
    kind = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
    return {"name": "envoy.filters.http.jwt_authn", "typed_config": {"@type": kind, **message}}


def router_filter() -> dict[str, Any]:
    """The last of all HTTP filters."""
    kind = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    return {"name": "envoy.filters.http.router", "typed_config": {"@type": kind}}


def bare_bootstrap(
    tools: Tools,
    plugin_config: str,
    clusters: dict[str, int],
    *,
    http2_clusters: Mapping[str, int] | None = None,
    connection_manager: dict[str, Any] | None = None,
) -> str:
    """An Envoy that leaves everything to the plugin: no path normalisation, no header rules, no edge settings.

    What the gate promises must hold in somebody's Envoy that is not configured like ours.
    """
    log_fields = {
        "status": "%RESPONSE_CODE%",
        "method": "%REQ(:METHOD)%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "cluster": "%UPSTREAM_CLUSTER%",
        "flags": "%RESPONSE_FLAGS%",
        "refusal": "%FILTER_STATE(wasm.gatehouse.refusal:PLAIN)%",
    }
    manager: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "codec_type": "AUTO",
        "http2_protocol_options": {"allow_connect": True},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "access_log": [
            {
                "name": "envoy.access_loggers.stdout",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
                    "log_format": {"json_format": log_fields},
                },
            }
        ],
        "route_config": _one_route({"cluster_header": "x-gatehouse-cluster"}),
        "http_filters": [plugin_filter(tools, plugin_config), router_filter()],
        **(connection_manager or {}),
    }
    return json.dumps(
        {
            "admin": {"address": _address(0)},
            "static_resources": {
                "listeners": [
                    {
                        "name": "gate",
                        "address": _address(0),
                        "filter_chains": [
                            {
                                "filters": [
                                    {
                                        "name": "envoy.filters.network.http_connection_manager",
                                        "typed_config": manager,
                                    }
                                ]
                            }
                        ],
                    }
                ],
                "clusters": [
                    *(_cluster(name, port) for name, port in clusters.items()),
                    *({**_cluster(name, port), **_HTTP2} for name, port in (http2_clusters or {}).items()),
                ],
            },
        }
    )


def direct_route(cluster: str) -> dict[str, Any]:
    """A route that needs no word of the gate's, as Envoys have that load the plugin without `services`."""
    return _one_route({"cluster": cluster})


def _one_route(target: dict[str, Any]) -> dict[str, Any]:
    route = {"match": {"prefix": "/"}, "route": {**target, "timeout": "30s"}}
    return {"name": "test", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


_HTTP2 = {
    "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
}


def _cluster(name: str, port: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        # Trailers that pass the gate shall be seen.
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}},
            }
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
    }
