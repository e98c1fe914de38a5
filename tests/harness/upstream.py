"""A service behind the gate that writes down exactly what reached it."""

from __future__ import annotations

import base64
import hashlib
import json
import threading

from .http_server import Connection, Request, TcpServer, parse_head, response
from .waiting import eventually

_WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Upstream:
    """Answers every request with 200 and its own name; upgrades WebSockets and echoes what comes.

    What stands in `answer_headers` comes along. The gate's own probes stand apart from the requests: they come when they come.

    A target with `/hold` waits until `release` is called, `/cut` breaks the connection off, `/refuse` answers 418.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.requests: list[Request] = []
        self.probes: list[Request] = []
        self.connections = 0
        self.answer_headers: list[tuple[str, str]] = []
        self._released = threading.Event()
        self._server = TcpServer(self._serve)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    def clear(self) -> None:
        """Forgets what it has seen."""
        self.requests.clear()

    def only_request(self) -> Request:
        """The one request that arrived since `clear`."""
        assert len(self.requests) == 1, f"{self.name} saw {[(r.method, r.target) for r in self.requests]}"
        return self.requests[0]

    def await_request(self) -> Request:
        """The same, for answers that need not have been read to the end."""
        eventually(lambda: self.requests, f"a request reaches {self.name}")
        return self.only_request()

    def release(self) -> None:
        """Lets the requests to `/hold` go on."""
        self._released.set()

    def close(self) -> None:
        """Ends it."""
        self._released.set()
        self._server.close()

    def _serve(self, connection: Connection) -> None:
        self.connections += 1
        while (head := connection.read_head()) is not None:
            method, target, headers = parse_head(head)
            upgrade = next((value for name, value in headers if name.lower() == "upgrade"), None)
            body = b"" if upgrade else connection.read_body(headers)
            request = Request(method, target, headers, body, connection.trailers)
            is_probe = request.all("user-agent") == ["gatehouse-probe"]
            (self.probes if is_probe else self.requests).append(request)
            if upgrade is not None and upgrade.lower() == "websocket":
                self._echo(connection, request)
                return
            if "/cut" in target:
                return
            if "/hold" in target:
                self._released.wait(timeout=120)
            status = 418 if "/refuse" in target else 200
            content = json.dumps({"upstream": self.name, "method": method, "target": target}).encode()
            said = [("x-upstream", self.name), *self.answer_headers]
            extra = "".join(f"{name}: {value}\r\n" for name, value in said)
            connection.sock.sendall(response(status, b"" if method == "HEAD" else content, extra=extra))

    def _echo(self, connection: Connection, request: Request) -> None:
        key = request.one("sec-websocket-key") or ""
        accept = base64.b64encode(hashlib.sha1((key + _WEBSOCKET_GUID).encode()).digest()).decode()
        connection.sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
            + f"sec-websocket-accept: {accept}\r\n\r\n".encode()
        )
        while data := connection.read_some():
            connection.sock.sendall(data)
