"""A server of key sets that can be made to fail in every way a real one does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from .http_server import Connection, Request, TcpServer, parse_head, response
from .keys import Key, key_set
from .waiting import eventually


class JwksServer:
    """Serves one document on every path but those that have one of their own. Counts the fetches."""

    def __init__(self, *keys: Key) -> None:
        self.requests: list[Request] = []
        self.times: list[float] = []
        self._answer: Callable[[Connection], None] = lambda connection: None
        self._answers: dict[str, Callable[[Connection], None]] = {}
        self._held = threading.Event()
        self._dripping = threading.Event()
        self.serve_keys(*keys)
        self._server = TcpServer(self._serve)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def fetches(self) -> int:
        """How often it was asked."""
        return len(self.requests)

    def fetches_of(self, target: str) -> int:
        """How often it was asked for one path."""
        return [request.target for request in self.requests].count(target)

    def serve_at(self, target: str, document: Any, *, status: int = 200) -> None:
        """Any JSON, or text as it is, on one path."""
        body = document if isinstance(document, str) else json.dumps(document)
        self._answers[target] = lambda connection: connection.sock.sendall(response(status, body.encode()))

    def serve_keys(self, *keys: Key) -> None:
        """A good document with these keys."""
        self.serve_document(key_set(*keys))

    def serve_document(self, document: Any) -> None:
        """Any JSON."""
        self.serve_raw(json.dumps(document).encode())

    def serve_raw(
        self, body: bytes, *, status: int = 200, content_type: str = "application/json", extra: str = ""
    ) -> None:
        """Any bytes with any status."""
        self._answer = lambda connection: connection.sock.sendall(response(status, body, content_type, extra))

    def break_off(self) -> None:
        """Takes each request and closes the connection without a word."""

        def hang_up(connection: Connection) -> None:
            raise ConnectionError

        self._answer = hang_up

    def drip(self, *keys: Key) -> None:
        """Sends these keys byte by byte, so slowly that the end never comes."""
        body = json.dumps(key_set(*keys)).encode()

        def drip(connection: Connection) -> None:
            connection.sock.sendall(response(200, body)[: -len(body)])
            for byte in body[:-1]:
                connection.sock.sendall(bytes([byte]))
                if self._dripping.wait(timeout=0.2):
                    return

        self._answer = drip

    def hold(self, *keys: Key) -> None:
        """Takes each request and answers with these keys, but not before `release`."""

        def wait(connection: Connection) -> None:
            self._held.wait(timeout=120)
            connection.sock.sendall(response(200, json.dumps(key_set(*keys)).encode()))

        self._answer = wait

    def release(self) -> None:
        """Answers what was held, and holds nothing from now on."""
        self._held.set()

    def await_fetches(self, number: int) -> None:
        """Until it has been asked that often in all."""
        eventually(lambda: self.fetches >= number, f"the key set is fetched {number} times (was {self.fetches})")

    def close(self) -> None:
        """Ends it."""
        self._held.set()
        self._dripping.set()
        self._server.close()

    def _serve(self, connection: Connection) -> None:
        while (head := connection.read_head()) is not None:
            method, target, headers = parse_head(head)
            self.times.append(time.monotonic())
            self.requests.append(Request(method, target, headers, connection.read_body(headers)))
            self._answers.get(target, self._answer)(connection)
