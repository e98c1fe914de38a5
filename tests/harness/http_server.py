"""A small threaded TCP server that reads HTTP/1.1 requests byte by byte.

Not `http.server`: that folds and decodes what it reads, and these tests are about the exact bytes.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]  # names in the spelling and order of the wire; Latin-1, which keeps every byte
    body: bytes
    trailers: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for found, value in self.headers if found.lower() == name.lower()]

    def one(self, name: str) -> str | None:
        """The only value of a header; several are a failure of the test."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} arrived {len(values)} times: {values}"
        return values[0] if values else None


class Connection:
    """One accepted connection with a read buffer."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.trailers: list[tuple[str, str]] = []  # of the body that was read last
        self._buffer = b""

    def read_head(self) -> bytes | None:
        """Up to the empty line; None at the end of the connection."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._fill():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head

    def read_body(self, headers: list[tuple[str, str]]) -> bytes:
        """By content-length or chunks."""
        self.trailers = []
        named = {name.lower(): value for name, value in headers}
        if named.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while True:
                size = int(self._line().split(b";")[0], 16)
                if size == 0:
                    self._read_trailers()
                    return body
                body += self._exactly(size)
                self._line()
        return self._exactly(int(named.get("content-length", "0")))

    def _read_trailers(self) -> None:
        while line := self._line():
            self.trailers.append(_field(line.decode("latin-1")))

    def read_some(self) -> bytes:
        """Whatever comes next (after an upgrade); empty at the end."""
        if not self._buffer and not self._fill():
            return b""
        data, self._buffer = self._buffer, b""
        return data

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if not self._fill():
                raise ConnectionError("ended inside a line")
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._fill():
                raise ConnectionError("ended inside a body")
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _fill(self) -> bool:
        try:
            data = self.sock.recv(65536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)


def parse_head(head: bytes) -> tuple[str, str, list[tuple[str, str]]]:
    """Method, target and headers."""
    first, *rest = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ", 2)
    return method, target, [_field(line) for line in rest]


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip(" \t")


def response(status: int, body: bytes = b"", content_type: str = "application/json", extra: str = "") -> bytes:
    """An answer on the wire. `extra` holds whole header lines, each with its line end."""
    return (
        f"HTTP/1.1 {status} Whatever\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
    ).encode("latin-1") + body


class TcpServer:
    """Listens on a free port of loopback and gives each connection to `serve` in a thread of its own."""

    def __init__(self, serve: Callable[[Connection], None]) -> None:
        self._serve = serve
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening and ends every connection."""
        # `shutdown` wakes the thread that waits in accept; `close` alone would leave it there.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.drop_connections()
        self._thread.join(timeout=10)

    def drop_connections(self) -> None:
        """Ends every open connection, so that the next request needs a new one."""
        with self._lock:
            open_now = list(self._connections)
        for sock in open_now:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(sock)
            threading.Thread(target=self._run, args=(sock,), daemon=True).start()

    def _run(self, sock: socket.socket) -> None:
        try:
            self._serve(Connection(sock))
        except (OSError, ValueError):
            pass  # the other side went away in the middle of something
        finally:
            with self._lock:
                self._connections.discard(sock)
            sock.close()
