"""Where a client can put a header that it has no right to: each place in turn, on a protected and on a public route."""

from __future__ import annotations

import socket
from collections.abc import Callable

import h2.config
import h2.connection
import h2.events
import pytest
from harness.config import gateway_config, provider
from harness.gate import Gate
from harness.http_server import Request
from harness.keys import key
from harness.raw import RawClient, request_bytes
from harness.tokens import SUBJECT, mint

GOOD = key("ES256")
MARK = "forged"
# Within what Envoy lets through in all.
LONG = "a" * 20_000
TRAILERS = {"http_protocol_options": {"enable_trailers": True}}
ROUTES = ["/service/", "/open/"]

Header = tuple[str, str | bytes]


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Gate:
    """A gate that sets x-user-id by a token and x-tenant by a rule, in an Envoy without any settings of ours."""
    rules = {"profile": "edge", "request": {"set": {"x-tenant": "{claims.tenant}"}}}
    return start_gate(gateway_config(provider(GOOD), headers=rules), connection_manager=TRAILERS)


def folded(name: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())


def no_forgery(request: Request) -> None:
    """Nothing in a request, headers or trailers, that a folding server would take for a trusted name, is the client's."""
    for name, value in request.headers + request.trailers:
        if folded(name) in ("x-user-id", "x-tenant") or folded(name).startswith("x-gatehouse-"):
            assert MARK not in value and value != "", (name, value)
    identities = [value for name, value in request.headers if folded(name) == "x-user-id"]
    assert identities == ([SUBJECT] if request.target.startswith("/service/") else []), request.headers
    assert not [name for name, _ in request.trailers if folded(name) == "x-user-id"]


def authorized(path: str) -> list[Header]:
    return [("authorization", f"Bearer {mint(GOOD)}")] if path.startswith("/service/") else []


# Placed among the headers of a request over HTTP/1.1.
HEADERS: dict[str, list[Header]] = {
    "once": [("x-user-id", MARK)],
    "twice": [("x-user-id", MARK), ("X-User-Id", MARK)],
    "ninety times": [("x_user_id", f"{MARK}-{number}") for number in range(90)],
    "without a value": [("x-user-id", "")],
    "blanks only": [("x-user-id", "   \t ")],
    "beside a good one": [("x-user-id", SUBJECT), ("x_user_id", MARK)],
    "a list": [("x-user-id", f"{SUBJECT}, {MARK}")],
    "a tab before it": [("x-user-id", f"\t{MARK}")],
    "a long value": [("x-user-id", MARK + LONG)],
    "a value that is not UTF-8": [("x-user-id", MARK.encode() + b"\xff\xfe")],
    "quoted": [("x-user-id", f'"{MARK}"')],
    "as RFC 8187 has it": [("x-user-id*", f"UTF-8''{MARK}"), ("x-user-id", MARK)],
    "behind many others": [*[(f"x-filler-{number}", "1") for number in range(60)], ("x-user-id", MARK)],
    "named by Connection": [("connection", "x-user-id"), ("x-user-id", MARK)],
    "named by Connection in another spelling": [("connection", "x_user_id, close"), ("x_user_id", MARK)],
    "named by Keep-Alive": [("keep-alive", "x-user-id"), ("x-user-id", MARK)],
    "announced as a trailer": [("te", "trailers"), ("trailer", "x-user-id"), ("x-user-id", MARK)],
    "in an upgrade": [("connection", "upgrade, x-user-id"), ("upgrade", "h2c"), ("x-user-id", MARK)],
    "a name set by a rule": [("X_Tenant", MARK), ("x.tenant", MARK)],
    "a name of the gate's": [("x-gatehouse-cluster", MARK), ("X_Gatehouse_Cluster", MARK)],
    "a longer name that folds alike": [("x-user-id", MARK), ("x~user~id", MARK), ("x!user!id", MARK)],
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("place", HEADERS)
def test_nothing_forged_arrives_from_among_the_headers(gate: Gate, place: str, path: str) -> None:
    gate.clear()
    answer = gate.raw(request_bytes("GET", path, [*HEADERS[place], *authorized(path)]))
    assert answer is not None and answer.status_code == 200, answer
    no_forgery(gate.upstream("service").only_request())


# Placed so that a careless reader sees a header where there is none, or the other way round.
LINES: dict[str, str] = {
    "folded into the line before (obs-fold)": f"x-filler: 1\r\n x-user-id: {MARK}",
    "folded value (obs-fold)": f"x-user-id:\r\n {MARK}",
    "a blank before the colon": f"x-user-id : {MARK}",
    "a tab before the colon": f"x-user-id\t: {MARK}",
    "a blank before the name": f" x-user-id: {MARK}",
    "behind a bare line feed": f"x-filler: 1\nx-user-id: {MARK}",
    "behind a bare carriage return": f"x-filler: 1\rx-user-id: {MARK}",
    "behind a NUL": f"x-filler: 1\0\r\nx-user-id: {MARK}",
    "a NUL in the name": f"x-user-id\0: {MARK}",
    "a control character in the name": f"x-user\x01id: {MARK}",
    "a letter beyond ASCII in the name": f"x-user\xadid: {MARK}",
    "no name": f": {MARK}\r\nx-user-id: {MARK}",
    "no colon": f"x-user-id {MARK}",
    "a pseudo-header": f":x-user-id: {MARK}",
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("place", LINES)
def test_nothing_forged_arrives_from_broken_lines(gate: Gate, place: str, path: str) -> None:
    """Envoy refuses most of these; what it lets through must be clean."""
    gate.clear()
    good = request_bytes("GET", path, authorized(path)).decode("latin-1")
    gate.raw(good.replace("\r\n\r\n", f"\r\n{LINES[place]}\r\n\r\n").encode("latin-1"))
    for request in gate.upstream("service").requests:
        no_forgery(request)
    # The connection, or the one after it, serves on.
    gate.clear()
    answer = gate.raw(request_bytes("GET", path, authorized(path)))
    assert answer is not None and answer.status_code == 200, answer


@pytest.mark.parametrize("path", ROUTES)
def test_nothing_forged_arrives_in_trailers_while_others_do(gate: Gate, path: str) -> None:
    gate.clear()
    head = [("transfer-encoding", "chunked"), ("trailer", "x-user-id"), *authorized(path)]
    trailers = f"x-user-id: {MARK}\r\nX_User_Id: {MARK}\r\nx.tenant: {MARK}\r\nx-checksum: 7\r\n"
    answer = gate.raw(request_bytes("POST", path, head) + f"1\r\na\r\n0\r\n{trailers}\r\n".encode())
    assert answer is not None and answer.status_code == 200, answer
    seen = gate.upstream("service").only_request()
    no_forgery(seen)
    assert [(name.lower(), value) for name, value in seen.trailers] == [("x-checksum", "7")]


@pytest.mark.parametrize("path", ROUTES)
def test_nothing_forged_arrives_with_the_second_request_of_a_connection(gate: Gate, path: str) -> None:
    gate.clear()
    request = request_bytes("GET", path, [("x-user-id", MARK), *authorized(path)])
    with RawClient(gate.port) as client:
        client.send(request + request)
        for _ in range(2):
            answer = client.receive()
            assert answer is not None and answer.status_code == 200, answer
    assert len(gate.upstream("service").requests) == 2
    for seen in gate.upstream("service").requests:
        no_forgery(seen)


def test_nothing_forged_arrives_behind_an_absolute_target(gate: Gate) -> None:
    for path in ROUTES:
        gate.clear()
        gate.raw(request_bytes("GET", f"http://gate{path}", [("x-user-id", MARK), *authorized(path)]))
        for request in gate.upstream("service").requests:
            no_forgery(request)


def over_http2(port: int, path: str, headers: list[tuple[str, str]], trailers: list[tuple[str, str]]) -> str:
    """The status of a request over HTTP/2; a stream or a connection that is broken off has none."""
    configuration = h2.config.H2Configuration(
        client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
    )
    connection = h2.connection.H2Connection(configuration)
    pseudo = [(":method", "POST"), (":scheme", "http"), (":authority", "gate"), (":path", path)]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        connection.initiate_connection()
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, pseudo + headers, end_stream=False)
        connection.send_data(stream, b"a", end_stream=not trailers)
        if trailers:
            connection.send_headers(stream, trailers, end_stream=True)
        sock.sendall(connection.data_to_send())
        status = ""
        while data := sock.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = dict(event.headers)[b":status"].decode()
                if isinstance(event, h2.events.StreamEnded | h2.events.StreamReset | h2.events.ConnectionTerminated):
                    return status
            sock.sendall(connection.data_to_send())
    return status


HTTP2: dict[str, tuple[list[tuple[str, str]], list[tuple[str, str]]]] = {
    "once": ([("x-user-id", MARK)], []),
    "twice": ([("x-user-id", MARK), ("x_user_id", MARK)], []),
    "without a value": ([("x.user.id", "")], []),
    "in capital letters": ([("X-User-Id", MARK)], []),
    "named by Connection": ([("connection", "x-user-id"), ("x-user-id", MARK)], []),
    "in trailers": ([], [("x-user-id", MARK), ("x_user_id", MARK), ("x-tenant", MARK)]),
    "a line end in the value": ([("x-filler", f"1\r\nx-user-id: {MARK}")], []),
    "a line end in the name": ([("x-filler: 1\r\nx-user-id", MARK)], []),
    "a pseudo-header": ([(":x-user-id", MARK)], []),
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("place", HTTP2)
def test_nothing_forged_arrives_over_http2(gate: Gate, place: str, path: str) -> None:
    gate.clear()
    headers, trailers = HTTP2[place]
    identity = [(name, str(value)) for name, value in authorized(path)]
    status = over_http2(gate.port, path, headers + identity, trailers)
    seen = gate.upstream("service").requests
    assert status == "200" or not seen, (status, seen)
    for request in seen:
        no_forgery(request)
    if place in ("once", "twice", "without a value", "in trailers"):
        assert len(seen) == 1, "an ordinary request passes, cleaned"
