"""An Envoy with the gate, the upstreams behind it and the clients in front of it, as one thing for a test module."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from mesh.certificates import Certificates
from mesh.render import render
from mesh.settings import Ports, Settings, Tools

from .envoy import Envoy, bare_bootstrap
from .jwks_server import JwksServer
from .raw import RawResponse, exchange
from .upstream import Upstream


class Gate:
    """A gate that runs. Requests go through `client` (tidy) or `raw` (anything at all)."""

    def __init__(self, envoy: Envoy, upstreams: Mapping[str, Upstream]) -> None:
        self.envoy = envoy
        self.upstreams = dict(upstreams)
        self.client = httpx.Client(base_url=self.url, trust_env=False, timeout=60)

    @property
    def port(self) -> int:
        """Where it takes requests."""
        return self.envoy.port

    @property
    def url(self) -> str:
        """The same, as a URL."""
        return f"http://127.0.0.1:{self.envoy.port}"

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET through the tidy client."""
        return self.client.get(path, **options)

    def raw(self, data: bytes) -> RawResponse | None:
        """Bytes on a connection of their own."""
        return exchange(self.port, data)

    def upstream(self, name: str) -> Upstream:
        """One of the services behind it."""
        return self.upstreams[name]

    def clear(self) -> None:
        """The upstreams forget what they saw."""
        for upstream in self.upstreams.values():
            upstream.clear()

    def nobody_was_contacted(self) -> None:
        """No request reached any service, not even a part of one."""
        seen = {name: [r.target for r in upstream.requests] for name, upstream in self.upstreams.items()}
        assert not any(seen.values()), seen

    def close(self) -> None:
        """Ends Envoy and the upstreams."""
        self.client.close()
        self.envoy.stop()
        for upstream in self.upstreams.values():
            upstream.close()


def bare_gate(
    tools: Tools,
    config: Mapping[str, Any] | str,
    *,
    upstreams: tuple[str, ...] = ("service",),
    clusters: Mapping[str, int] | None = None,
    http2_clusters: Mapping[str, int] | None = None,
    connection_manager: dict[str, Any] | None = None,
    workers: int = 2,
    plugin: Path | None = None,
) -> Gate:
    """The plugin in an Envoy without any settings of ours. `clusters` are further ones (key set servers).

    `http2_clusters` are those that are spoken to in HTTP/2, as gRPC needs it.
    """
    tools = tools if plugin is None else replace(tools, plugin=plugin)
    servers = {name: Upstream(name) for name in upstreams}
    ports = {**{name: server.port for name, server in servers.items()}, **(clusters or {})}
    text = config if isinstance(config, str) else json.dumps(config)
    try:
        bootstrap = bare_bootstrap(
            tools, text, ports, http2_clusters=http2_clusters, connection_manager=connection_manager
        )
        return Gate(Envoy(tools, bootstrap, workers=workers), servers)
    except BaseException:
        for server in servers.values():
            server.close()
        raise


def shipped_gate(
    tools: Tools,
    jwks: JwksServer,
    *,
    issuer: str,
    plugin: Path | None = None,
    redirect_to: int | None = None,
    tls_folder: Path | None = None,
) -> Gate:
    """The plugin in the Envoy of envoy.yaml, with recording upstreams for bank and payment.

    The cluster of the token issuer is the key set server: it serves its document on every path. The certificate and its
    authority stay in `tls_folder`, for tests that look at them. With `redirect_to`, HTTPS listens on that port, and HTTP
    leads to it.
    """
    servers = {name: Upstream(name) for name in ("bank", "payment")}
    used = tools if plugin is None else replace(tools, plugin=plugin)
    ports = Ports(
        gateway=0,
        gateway_tls=redirect_to or 0,
        admin=0,
        token_issuer=jwks.port,
        bank=servers["bank"].port,
        payment=servers["payment"].port,
        postgres=0,
    )
    settings = Settings(
        run_dir=Path("/nonexistent"),
        tools=used,
        ports=ports,
        bind="127.0.0.1",
        http_redirect=redirect_to is not None,
        issuer=issuer,
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            tls = Certificates(tls_folder or Path(folder)).server(datetime.datetime.now(datetime.timezone.utc))
            # Envoy reads the certificate while it starts, and the constructor waits for that.
            return Gate(Envoy(used, render(tools.envoy_config.read_text(), settings, tls)), servers)
    except BaseException:
        for server in servers.values():
            server.close()
        raise
