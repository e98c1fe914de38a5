"""A WebSocket service behind the gate, by the library `websockets` itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

_QUIET = logging.getLogger("gatehouse.test.websockets")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


def _choose(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return next((name for name in offered if name == "echo.v1"), None)


class WebSocketService:
    """Greets, then sends back whatever comes."""

    def __init__(self) -> None:
        self.handshakes: list[tuple[str, list[tuple[str, str]]]] = []
        self._server = serve(self._talk, "127.0.0.1", 0, select_subprotocol=_choose, logger=_QUIET)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def only_handshake(self) -> tuple[str, dict[str, list[str]]]:
        """Path and headers of the one upgrade since `handshakes` was cleared."""
        assert len(self.handshakes) == 1, self.handshakes
        path, headers = self.handshakes[0]
        found: dict[str, list[str]] = {}
        for name, value in headers:
            found.setdefault(name.lower(), []).append(value)
        return path, found

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._thread.join(timeout=10)

    def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.handshakes.append((connection.request.path, list(connection.request.headers.raw_items())))
        try:
            connection.send("welcome")
            for message in connection:
                connection.send(message)
        except ConnectionClosed:
            pass  # the client went away
