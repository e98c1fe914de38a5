"""What a service asks of requests, in a real Envoy: methods, lengths, providers, scopes; and how often it is tried."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from harness.config import gateway_config, provider
from harness.gate import Gate
from harness.http_server import Connection, TcpServer, parse_head, response
from harness.keys import key
from harness.raw import request_bytes
from harness.refusals import challenged, problem
from harness.tokens import bearer, mint

PEOPLE, MACHINES = key("ES256"), key("ES384")
MACHINE_ISSUER = "https://machines.example"

SERVICES: dict[str, Any] = {
    "bank": {
        "prefix": "/bank/",
        "cluster": "service",
        "methods": ["GET", "POST"],
        "max_body_bytes": 10,
        "authorization": {
            "claims": [{"claim_name": "tenant.plan", "one_of": ["gold", "silver"]}],
            "rules": [
                {"prefixes": ["/bank/vault/"], "scopes": ["bank.vault"]},
                {"methods": ["GET"], "scopes": ["bank.read"]},
                {"scopes": ["bank.write"]},
            ],
        },
    },
    "people": {"prefix": "/people/", "cluster": "service", "providers": ["people"]},
    "machines": {"prefix": "/machines/", "cluster": "service", "providers": ["machines"]},
    "patient": {
        "prefix": "/patient/",
        "cluster": "faltering",
        "public": True,
        "retries": {"attempts": 2, "on": ["5xx"]},
    },
    "brief": {"prefix": "/brief/", "cluster": "faltering", "public": True},
    "nowhere": {"prefix": "/nowhere/", "cluster": "down", "public": True},
}


class Faltering:
    """Answers 503 until it was asked `failures` times, then 200."""

    def __init__(self) -> None:
        self.failures = 0
        self.seen: list[list[tuple[str, str]]] = []
        self._server = TcpServer(self._serve)

    @property
    def port(self) -> int:
        return self._server.port

    def close(self) -> None:
        self._server.close()

    def expect(self, failures: int) -> None:
        self.failures, self.seen = failures, []

    def _serve(self, connection: Connection) -> None:
        while (head := connection.read_head()) is not None:
            _, _, headers = parse_head(head)
            self.seen.append(headers)
            connection.sock.sendall(response(503 if len(self.seen) <= self.failures else 200, b"{}"))


@pytest.fixture(scope="module")
def faltering() -> Any:
    server = Faltering()
    yield server
    server.close()


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate], faltering: Faltering) -> Gate:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        down = closed.getsockname()[1]
    config = gateway_config(
        provider(PEOPLE),
        providers={"people": provider(PEOPLE), "machines": provider(MACHINES, issuer=MACHINE_ISSUER)},
        rules=[],
        token_profiles={},
        services=SERVICES,
    )
    return start_gate(config, clusters={"faltering": faltering.port, "down": down})


@pytest.fixture(autouse=True)
def _clean(gate: Gate) -> None:
    gate.clear()


def caller(scope: str, plan: str = "gold") -> dict[str, str]:
    return bearer(mint(PEOPLE, scope=scope, tenant={"plan": plan}))


# ---- authorization -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/bank/accounts/", "bank.read"),
        ("HEAD", "/bank/accounts/", "bank.read other"),
        ("POST", "/bank/accounts/", "bank.write"),
        ("GET", "/bank/vault/1", "bank.vault"),
    ],
)
def test_a_caller_with_the_scope_passes(gate: Gate, method: str, path: str, scope: str) -> None:
    assert gate.client.request(method, path, headers=caller(scope)).status_code == 200
    assert gate.upstream("service").only_request().target == path


@pytest.mark.parametrize(
    ("method", "path", "scope", "needed"),
    [
        ("GET", "/bank/accounts/", "bank.write", "bank.read"),
        ("GET", "/bank/accounts/", "bank.readonly", "bank.read"),
        ("GET", "/bank/accounts/", "", "bank.read"),
        ("POST", "/bank/accounts/", "bank.read", "bank.write"),
        ("GET", "/bank/vault/1", "bank.read bank.write", "bank.vault"),
        ("GET", "/bank/v%61ult/1", "bank.read bank.write", "bank.vault"),
    ],
)
def test_a_missing_scope_is_403_and_named(gate: Gate, method: str, path: str, scope: str, needed: str) -> None:
    answer = gate.client.request(method, path, headers=caller(scope))
    document = problem(answer, 403, "insufficient_scope")
    assert document["scope"] == needed
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ") and 'error="insufficient_scope"' in challenge
    assert f'scope="{needed}"' in challenge
    gate.nobody_was_contacted()


def test_a_grpc_caller_without_the_scope_is_denied_in_its_own_way(gate: Gate) -> None:
    headers = {**caller("bank.read"), "content-type": "application/grpc"}
    answer = gate.client.post("/bank/Transfers/Create", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["grpc-status"] == "7"
    assert "bank.write" in answer.headers["grpc-message"]
    gate.nobody_was_contacted()


def test_a_claim_that_does_not_fit_is_403_without_a_word_of_it(gate: Gate) -> None:
    answer = gate.get("/bank/accounts/", headers=caller("bank.read", plan="tin-plan"))
    problem(answer, 403, "access_denied")
    assert "tin-plan" not in answer.text and "gold" not in answer.text
    gate.nobody_was_contacted()


def test_a_stranger_is_401_before_anything_else_is_told(gate: Gate) -> None:
    challenged(gate.client.delete("/bank/accounts/"))
    gate.nobody_was_contacted()


# ---- methods and lengths -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["DELETE", "PUT", "OPTIONS", "TRACE", "PATCH"])
def test_a_method_that_was_not_named_is_405(gate: Gate, method: str) -> None:
    answer = gate.raw(request_bytes(method, "/bank/accounts/", list(caller("bank.read bank.write").items())))
    problem(answer, 405, "method_not_allowed")
    assert answer is not None and answer.headers["allow"] == "GET, POST, HEAD"
    gate.nobody_was_contacted()


def test_a_short_body_arrives_whole(gate: Gate) -> None:
    assert gate.client.post("/bank/accounts/", headers=caller("bank.write"), content=b"0123456789").status_code == 200
    assert gate.upstream("service").only_request().body == b"0123456789"


def test_a_long_body_is_413(gate: Gate) -> None:
    answer = gate.client.post("/bank/accounts/", headers=caller("bank.write"), content=b"0123456789x")
    problem(answer, 413, "body_too_large")
    gate.nobody_was_contacted()


def test_a_body_in_chunks_is_411(gate: Gate) -> None:
    head = request_bytes("POST", "/bank/accounts/", [*caller("bank.write").items(), ("transfer-encoding", "chunked")])
    problem(gate.raw(head + b"1\r\nx\r\n0\r\n\r\n"), 411, "length_required")
    gate.nobody_was_contacted()


# ---- whose tokens ------------------------------------------------------------------------------------------------------


def test_a_service_takes_the_tokens_of_its_providers_only(gate: Gate) -> None:
    person, machine = bearer(mint(PEOPLE)), bearer(mint(MACHINES, iss=MACHINE_ISSUER))
    assert gate.get("/people/", headers=person).status_code == 200
    assert gate.get("/machines/", headers=machine).status_code == 200
    gate.clear()
    problem(gate.get("/people/", headers=machine), 401, "issuer_unknown")
    problem(gate.get("/machines/", headers=person), 401, "issuer_unknown")
    gate.nobody_was_contacted()


# ---- how often ---------------------------------------------------------------------------------------------------------


def test_envoy_tries_again_as_often_as_the_service_says(gate: Gate, faltering: Faltering) -> None:
    faltering.expect(failures=2)
    assert gate.get("/patient/").status_code == 200
    assert len(faltering.seen) == 3
    assert not [name for name, _ in faltering.seen[0] if "retry" in name.lower() or "retries" in name.lower()]


def test_a_client_has_no_say_in_retries(gate: Gate, faltering: Faltering) -> None:
    """Without edge settings Envoy would obey these headers: the gate takes them out."""
    orders = {"x-envoy-max-retries": "9", "x-envoy-retry-on": "5xx", "x-envoy-upstream-rq-timeout-ms": "1"}
    faltering.expect(failures=9)
    assert gate.get("/brief/", headers=orders).status_code == 503
    assert len(faltering.seen) == 1
    faltering.expect(failures=9)
    assert gate.get("/patient/", headers=orders).status_code == 503
    assert len(faltering.seen) == 3


def test_a_service_that_is_down_is_503(gate: Gate) -> None:
    assert gate.get("/nowhere/").status_code == 503
