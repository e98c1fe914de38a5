"""HTTP/1.1 over a bare socket, for what no HTTP library agrees to send."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass

from .http_server import Connection


@dataclass(frozen=True)
class RawResponse:
    """An answer; shaped like httpx' one where the checks need it."""

    status_code: int
    headers: dict[str, str]
    content: bytes


def request_bytes(
    method: str, target: str, headers: Iterable[tuple[str, str | bytes]] = (), body: bytes = b"", *, host: str = "gate"
) -> bytes:
    """A request with exactly these headers (and a Host, and a content-length when there is a body)."""
    lines = [f"{method} {target} HTTP/1.1".encode("latin-1"), b"host: " + host.encode("latin-1")]
    for name, value in headers:
        lines.append(name.encode("latin-1") + b": " + (value if isinstance(value, bytes) else value.encode("latin-1")))
    if body:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class RawClient:
    """One connection to the gate."""

    def __init__(self, port: int, *, timeout: float = 60.0) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._connection = Connection(self.sock)

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self.sock.sendall(data)

    def receive(self, *, to_head: bool = False) -> RawResponse | None:
        """The next answer; None when the connection ends without one."""
        head = self._connection.read_head()
        if head is None:
            return None
        first, *rest = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ", 2)[1])
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in rest)]
        bodiless = to_head or status in (100, 101, 204, 304)
        body = b"" if bodiless else self._connection.read_body(headers)
        return RawResponse(status, {name.lower(): value for name, value in headers}, body)

    def read_some(self) -> bytes:
        """Bytes after an upgrade."""
        return self._connection.read_some()


def exchange(port: int, data: bytes) -> RawResponse | None:
    """Sends bytes on a connection of their own. None when the gate hangs up without an answer.

    A gate that refuses early may close while the rest is still being sent: that counts as hanging up, unless its answer
    can be read.
    """
    with RawClient(port) as client:
        try:
            client.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            return client.receive()
        except ConnectionError:
            return None
