"""envoy.yaml, written for Docker Compose's host names, as it is for plain processes on one machine.

Each replacement is of a whole piece of text and has to occur exactly as often as stated: when envoy.yaml changes, this
fails instead of quietly leaving a host name that nobody answers to.
"""

from __future__ import annotations

import json

from .certificates import ServerFiles
from .errors import MeshError
from .settings import Settings


def render(template: str, settings: Settings, tls: ServerFiles) -> str:
    """The configuration for `settings`, with the gateway's certificate."""
    ports = settings.ports
    rendered = template
    for old, new, times in (
        (_address("0.0.0.0", 8080), _address(settings.bind, ports.gateway), 1),
        (_address("0.0.0.0", 8443), _address(settings.bind, ports.gateway_tls), 1),
        ("filename: /etc/envoy/tls/gateway.crt", f"filename: {_text(str(tls.certificate))}", 1),
        ("filename: /etc/envoy/tls/gateway.key", f"filename: {_text(str(tls.key))}", 1),
        ("port_redirect: 8443", f"port_redirect: {ports.gateway_tls}", 1),
        ("gatehouse.redirect_http: 0", f"gatehouse.redirect_http: {100 if settings.http_redirect else 0}", 1),
        (_address("127.0.0.1", 9901), _address("127.0.0.1", ports.admin), 2),
        (_address("token-issuer", 8001), _address("127.0.0.1", ports.token_issuer), 1),
        (_address("bank", 8002), _address("127.0.0.1", ports.bank), 1),
        (_address("payment", 8003), _address("127.0.0.1", ports.payment), 1),
        ("filename: /etc/envoy/gatehouse.wasm", f"filename: {_text(str(settings.tools.plugin.resolve()))}", 1),
        ('"issuer": "http://localhost:8080"', f'"issuer": {_text(settings.issuer)}', 1),
        ('"audiences": ["gatehouse"]', f'"audiences": [{_text(settings.audience)}]', 1),
    ):
        found = rendered.count(old)
        if found != times:
            raise MeshError(f"envoy.yaml has {old!r} {found} times, expected {times}", part="envoy")
        rendered = rendered.replace(old, new)
    return rendered


def _address(host: str, port: int) -> str:
    return f"socket_address: {{ address: {host}, port_value: {port} }}"


def _text(value: str) -> str:
    """A JSON string, which is a YAML string too."""
    return json.dumps(value)
