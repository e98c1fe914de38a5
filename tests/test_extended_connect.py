"""WebSockets over HTTP/2 (RFC 8441) and plain CONNECT, frame by frame: no client library sends them."""

from __future__ import annotations

import socket
from collections.abc import Callable

import h2.config
import h2.connection
import h2.events
import pytest
from harness.config import gateway_config, provider
from harness.gate import Gate
from harness.keys import key
from harness.tokens import SUBJECT, mint

GOOD = key("ES256")


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Gate:
    return start_gate(gateway_config(provider(GOOD)))


def call(port: int, headers: list[tuple[str, str]]) -> dict[str, str]:
    """The answer's headers; a stream that is reset counts as status `reset`."""
    configuration = h2.config.H2Configuration(client_side=True, validate_outbound_headers=False)
    connection = h2.connection.H2Connection(configuration)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        connection.initiate_connection()
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, headers, end_stream=False)
        sock.sendall(connection.data_to_send())
        while data := sock.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    return {name.decode(): value.decode() for name, value in event.headers}
                if isinstance(event, h2.events.StreamReset):
                    return {":status": "reset"}
            sock.sendall(connection.data_to_send())
    return {":status": "closed"}


def extended_connect(*extra: tuple[str, str]) -> list[tuple[str, str]]:
    return [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/service/socket"),
        (":authority", "gate"),
        ("sec-websocket-version", "13"),
        *extra,
    ]


def test_extended_connect_without_a_token_is_refused(gate: Gate) -> None:
    gate.clear()
    for extra in ((), (("authorization", "Bearer x.y.z"),)):
        answer = call(gate.port, extended_connect(*extra))
        assert answer[":status"] == "401", answer
        assert answer["www-authenticate"].startswith("Bearer ")
    gate.nobody_was_contacted()


def test_extended_connect_with_a_token_is_upgraded_and_carries_the_identity(gate: Gate) -> None:
    gate.clear()
    forged = ("x-user-id", "forged")
    answer = call(gate.port, extended_connect(("authorization", f"Bearer {mint(GOOD)}"), forged))
    assert answer[":status"] == "200", answer
    seen = gate.upstream("service").only_request()
    assert seen.one("x-user-id") == SUBJECT
    assert seen.target == "/service/socket"


def test_a_plain_connect_opens_no_tunnel(gate: Gate) -> None:
    gate.clear()
    for extra in ([], [("authorization", f"Bearer {mint(GOOD)}")]):
        answer = call(gate.port, [(":method", "CONNECT"), (":authority", "service:80"), *extra])
        assert answer[":status"] != "200", answer
    gate.nobody_was_contacted()
