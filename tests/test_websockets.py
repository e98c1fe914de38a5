"""WebSockets through the gate, with a real client and a real server: upgrades only after a pass, and then both ways.

The bytes of the handshake are in test_transport.py, those of HTTP/2 in test_extended_connect.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness.config import gateway_config, provider
from harness.gate import Gate
from harness.keys import key
from harness.refusals import PROBLEM
from harness.tokens import SUBJECT, bearer, mint
from harness.websocket_service import WebSocketService
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

GOOD = key("ES256")

SERVICES = {
    # The service's timeout is for its answer to the upgrade; what follows may take as long as both sides like.
    "chat": {"prefix": "/chat/", "cluster": "chat", "timeout": "1s", "authorization": {"scopes": ["chat.talk"]}},
}


@pytest.fixture(scope="module")
def service() -> Iterator[WebSocketService]:
    running = WebSocketService()
    yield running
    running.close()


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate], service: WebSocketService) -> Gate:
    return start_gate(gateway_config(provider(GOOD), services=SERVICES), clusters={"chat": service.port})


@pytest.fixture(autouse=True)
def _clean(service: WebSocketService) -> None:
    service.handshakes.clear()


def talk(gate: Gate, path: str = "/chat/room", headers: dict[str, str] | None = None, **options: Any) -> ClientConnection:
    """A connection through the gate. Raises `InvalidStatus` where it is refused."""
    url = f"ws://127.0.0.1:{gate.port}{path}"
    return connect(url, additional_headers=headers, proxy=None, open_timeout=60, **options)


def member(**claims: object) -> dict[str, str]:
    """Headers of a caller who may talk."""
    return bearer(mint(GOOD, scope="chat.talk", **claims))


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "token_missing"),
        (bearer("x.y.z"), 401, "token_malformed"),
        (bearer(mint(GOOD, exp=1)), 401, "token_expired"),
        (bearer(mint(GOOD)), 403, "insufficient_scope"),
    ],
)
def test_an_upgrade_without_the_right_token_is_refused_with_the_reason(
    gate: Gate, service: WebSocketService, headers: dict[str, str], status: int, code: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        talk(gate, headers=headers)
    answer = refused.value.response
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert f'"code":"{code}"'.encode() in (answer.body or b"")
    assert service.handshakes == []


def test_a_connection_carries_texts_and_bytes_both_ways(gate: Gate) -> None:
    with talk(gate, headers=member()) as connection:
        assert connection.recv() == "welcome", "the service speaks first"
        for message in ("text", "\u00e4\u20ac\U0001f512", b"\x00\xff", b"x" * 300_000, ""):
            connection.send(message)
            assert connection.recv() == message
        connection.ping().wait(60)


def test_the_service_learns_who_is_calling_and_nothing_forged(gate: Gate, service: WebSocketService) -> None:
    forged = {"x-user-id": "forged", "x_user_name": "forged"}
    with talk(gate, headers={**forged, **member()}) as connection:
        connection.recv()
    path, headers = service.only_handshake()
    assert path == "/chat/room"
    assert headers["x-user-id"] == [SUBJECT] and headers["x-user-name"] == ["alice"]
    assert "forged" not in str(headers)
    assert "authorization" not in headers


def test_a_browser_sends_its_token_in_the_address(gate: Gate, service: WebSocketService) -> None:
    """It can't set headers for a WebSocket; `access_token` in the query is RFC 6750, section 2.3."""
    token = mint(GOOD, scope="chat.talk")
    with talk(gate, f"/chat/room?access_token={token}&seat=7") as connection:
        assert connection.recv() == "welcome"
    path, headers = service.only_handshake()
    assert path == "/chat/room?seat=7", "the token stays at the gate"
    assert headers["x-user-id"] == [SUBJECT]


def test_the_subprotocol_is_agreed_on_by_client_and_service(gate: Gate) -> None:
    with talk(gate, headers=member(), subprotocols=["other", "echo.v1"]) as connection:
        assert connection.subprotocol == "echo.v1"


def test_a_connection_outlives_the_services_timeout(gate: Gate) -> None:
    with talk(gate, headers=member()) as connection:
        connection.recv()
        time.sleep(2.5)
        connection.send("still there?")
        assert connection.recv() == "still there?"
