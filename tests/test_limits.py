"""Rate limits in a real Envoy: what passes, what each caller is told, and that all workers count together."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from harness.config import gateway_config, provider, remote_provider
from harness.gate import Gate
from harness.jwks_server import JwksServer
from harness.keys import key
from harness.raw import RawClient, RawResponse, request_bytes
from harness.refusals import problem, unauthorized
from harness.tokens import ISSUER, bearer, mint
from harness.waiting import eventually

GOOD = key("EdDSA")
HOUR = "3600s"


def limit(per: Any, requests: int, path: str, **changes: Any) -> dict[str, Any]:
    """A limit for one path, so slow that nothing flows in while a test runs."""
    return {"per": per, "requests": requests, "every": HOUR, "match": {"prefix": path}, **changes}


LIMITS = {
    "burst": limit("subject", 50, "/service/burst"),
    "three": limit("subject", 3, "/service/three"),
    "once": limit("subject", 1, "/service/once"),
    "quick": limit("subject", 10, "/service/quick", every="1s", burst=1),
    "tenant": limit({"claim": "tenant"}, 1, "/service/tenant"),
    "writes": limit(
        "subject",
        1,
        "/service/writes",
        match={"prefix": "/service/writes", "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]},
    ),
    "guessing": limit("client_address", 5, "/service/guess"),
    "network": limit("client_address", 1, "/open/network"),
    "narrow": limit({"client_address": {"ipv6_bits": 128}}, 1, "/open/narrow"),
    "keyed": limit({"header": "x-api-key"}, 2, "/open/keyed"),
    "everyone": limit("everyone", 2, "/open/everyone"),
}


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Iterator[Gate]:
    """Two workers, and a limit of each kind. Envoy's defaults believe the last address in x-forwarded-for."""
    yield start_gate(gateway_config(provider(GOOD), limits=LIMITS))


@pytest.fixture(autouse=True)
def _clean(gate: Gate) -> None:
    gate.clear()


def caller(name: str, **claims: Any) -> dict[str, str]:
    """A caller's headers."""
    return bearer(mint(GOOD, sub=name, **claims))


def from_address(address: str) -> dict[str, str]:
    """The header by which this Envoy knows its client."""
    return {"x-forwarded-for": address}


# ---- who is counted ------------------------------------------------------------------------------------------------------


def test_a_subject_that_has_used_its_limit_up_is_refused_and_another_is_not(gate: Gate) -> None:
    for _ in range(3):
        assert gate.get("/service/three", headers=caller("alice")).status_code == 200
    gate.clear()
    problem(gate.get("/service/three", headers=caller("alice")), 429, "rate_limited")
    gate.nobody_was_contacted()
    assert gate.get("/service/three", headers=caller("bob")).status_code == 200
    assert gate.get("/service/other", headers=caller("alice")).status_code == 200


def test_two_tokens_of_one_subject_share_its_limit(gate: Gate) -> None:
    statuses = [gate.get("/service/three", headers=caller("carol", jti=f"{n}")).status_code for n in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


def test_a_claim_s_value_is_counted_whoever_has_it(gate: Gate) -> None:
    for subject, tenant, status in [("a", "red", 200), ("b", "red", 429), ("a", "blue", 200), ("b", "blue", 429)]:
        assert gate.get("/service/tenant", headers=caller(subject, tenant=tenant)).status_code == status
    # Who has no tenant can't get out of the limit by that.
    assert [gate.get("/service/tenant", headers=caller(name)).status_code for name in ("a", "b")] == [200, 429]


def test_only_what_the_match_is_about_is_counted(gate: Gate) -> None:
    headers = caller("writer")
    posts = [gate.client.post("/service/writes", headers=headers).status_code for _ in range(2)]
    gets = [gate.get("/service/writes", headers=headers).status_code for _ in range(5)]
    assert (posts, gets) == ([200, 429], [200] * 5)


def test_an_address_is_counted_whatever_port_it_comes_from_and_an_ipv6_network_as_one(gate: Gate) -> None:
    for path, address, status in [
        ("network", "192.0.2.1", 200),
        ("network", "192.0.2.1", 429),
        ("network", "192.0.2.2", 200),
        ("network", "2001:db8::1", 200),
        ("network", "2001:db8::ffff", 429),
        ("network", "2001:db8:0:1::1", 200),
        ("narrow", "2001:db8::1", 200),
        ("narrow", "2001:db8::2", 200),
        ("narrow", "2001:db8::2", 429),
    ]:
        answer = gate.get(f"/open/{path}", headers=from_address(address))
        assert answer.status_code == status, (path, address)


def test_a_header_s_values_and_its_absence_are_counted(gate: Gate) -> None:
    def statuses(headers: list[tuple[str, str | bytes]]) -> list[int]:
        answers = [gate.raw(request_bytes("GET", "/open/keyed", headers)) for _ in range(3)]
        return [answer.status_code for answer in answers if answer]

    for headers in (
        [("x-api-key", "one")],
        [("x-api-key", "two")],
        [("X-API-KEY", b"\xff\xfe")],
        [("x-api-key", "x" * 20_000)],
        [],
    ):
        assert statuses(headers) == [200, 200, 429], headers
    assert gate.get("/open/keyed", headers={"x-api-key": "three"}).status_code == 200


def test_everyone_shares_one_limit(gate: Gate) -> None:
    statuses = [gate.get("/open/everyone", headers=from_address(f"192.0.2.{n}")).status_code for n in range(4)]
    assert statuses == [200, 200, 429, 429]


def test_the_address_is_the_one_that_envoy_determined(start_gate: Callable[..., Gate]) -> None:
    limits = {"network": limit("client_address", 1, "/open/")}
    config = gateway_config(provider(GOOD), limits=limits)
    gate = start_gate(config, connection_manager={"use_remote_address": True})
    for address, status in (("192.0.2.1", 200), ("192.0.2.2", 429), ("", 429)):
        assert gate.get("/open/", headers=from_address(address)).status_code == status, "a forged header counts for nothing"
    # Another client on this machine.
    with socket.create_connection(("127.0.0.1", gate.port), source_address=("127.0.0.2", 0)) as other:
        other.sendall(request_bytes("GET", "/open/"))
        assert other.recv(100).startswith(b"HTTP/1.1 200 ")


# ---- when ----------------------------------------------------------------------------------------------------------------


def test_guessing_tokens_is_limited_before_a_token_is_looked_at(gate: Gate) -> None:
    headers = {**bearer("e30.e30.AA"), **from_address("192.0.2.66")}
    for _ in range(5):
        unauthorized(gate.get("/service/guess", headers=headers))
    problem(gate.get("/service/guess", headers=headers), 429, "rate_limited")
    problem(gate.get("/service/guess", headers=from_address("192.0.2.66")), 429, "rate_limited")
    gate.nobody_was_contacted()


def test_what_flows_in_lets_requests_pass_again(gate: Gate) -> None:
    headers = caller("quick")
    seen = set()

    def both() -> bool:
        seen.add(gate.get("/service/quick", headers=headers).status_code)
        return seen == {200, 429}

    eventually(both, "one of a quick row of requests is refused")
    for _ in range(3):
        eventually(lambda: gate.get("/service/quick", headers=headers).status_code == 200, "the next one passes")


def test_a_request_that_waited_for_keys_is_charged_once(
    start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]
) -> None:
    server = start_jwks_server(GOOD)
    server.hold(GOOD)
    limits = {
        "caller": limit("subject", 10, "/service/"),
        "address": limit("client_address", 10, "/service/"),
    }
    config = gateway_config(remote_provider(), limits=limits, keys={"max_wait": "60s"})
    gate = start_gate(config, clusters={"keys": server.port})
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(gate.get, "/service/", headers=caller("patient"))
        eventually(lambda: server.requests, "the keys are asked for")
        assert not waiting.done()
        server.release()
        answer = waiting.result(timeout=60)
    assert answer.status_code == 200
    assert answer.headers["ratelimit"].count(";r=9;") == 2, answer.headers["ratelimit"]


# ---- what is told --------------------------------------------------------------------------------------------------------


def test_an_answer_tells_how_the_caller_stands(gate: Gate) -> None:
    answers = [gate.get("/service/three", headers=caller("dora")) for _ in range(4)]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"three";q=3;w=3600'}
    assert [answer.headers["ratelimit"].split(";t=")[0] for answer in answers] == [
        '"three";r=2',
        '"three";r=1',
        '"three";r=0',
        '"three";r=0',
    ]
    refused = answers[-1]
    problem(refused, 429, "rate_limited")
    retry_after = int(refused.headers["retry-after"])
    assert 0 < retry_after <= 1200
    assert refused.headers["ratelimit"] == f'"three";r=0;t={retry_after}'
    assert "www-authenticate" not in refused.headers


def test_a_refusal_of_another_kind_tells_it_too(gate: Gate) -> None:
    answer = gate.get("/service/guess", headers=from_address("192.0.2.67"))
    assert answer.status_code == 401
    assert answer.headers["ratelimit"].startswith('"guessing";r=4;t=')


def test_an_unlimited_answer_tells_nothing(gate: Gate) -> None:
    for path in ("/service/other", "/health/", "/open/other"):
        answer = gate.get(path, headers=caller("erin"))
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("ratelimit")]


def test_a_grpc_caller_is_told_in_its_own_way(gate: Gate) -> None:
    headers = {**caller("greta"), "content-type": "application/grpc"}
    answers = [gate.client.post("/service/three", headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert "grpc-status" not in answers[2].headers
    assert answers[3].headers["grpc-status"] == "8"
    assert answers[3].headers["grpc-message"].startswith("rate_limited")
    assert int(answers[3].headers["retry-after"]) > 0


def test_refusals_are_counted_by_limit(gate: Gate) -> None:
    def counted() -> int:
        return sum(gate.envoy.counters("limits.three.refused").values())

    for _ in range(3):
        assert gate.get("/service/three", headers=caller("frida")).status_code == 200
    before = counted()
    assert [gate.get("/service/three", headers=caller("frida")).status_code for _ in range(40)] == [429] * 40
    eventually(lambda: counted() >= before + 40, "both workers have written their counts")


# ---- all workers count together ------------------------------------------------------------------------------------------


def both_workers_have_connections(gate: Gate) -> bool:
    """Envoy spreads connections as the kernel does: by chance."""
    counters = gate.envoy.counters(r"worker_[01].downstream_cx_active")
    return len(counters) == 2 and all(counters.values())


def test_two_workers_let_exactly_the_burst_through(gate: Gate) -> None:
    headers = list(caller("busy").items())
    request = request_bytes("GET", "/service/burst", headers)
    clients = [RawClient(gate.port) for _ in range(40)]
    try:
        eventually(lambda: both_workers_have_connections(gate), "both workers have connections")

        def ten(client: RawClient) -> list[RawResponse | None]:
            answers = []
            for _ in range(10):
                client.send(request)
                answers.append(client.receive())
            return answers

        began = time.monotonic()
        with ThreadPoolExecutor(max_workers=len(clients)) as pool:
            answers = [answer for ten_answers in pool.map(ten, clients) for answer in ten_answers]
        flown_in = int((time.monotonic() - began) / (3600 / 50)) + 1
    finally:
        for client in clients:
            client.sock.close()
    statuses = [answer.status_code for answer in answers if answer]
    assert len(statuses) == 400 and set(statuses) == {200, 429}
    assert 50 <= statuses.count(200) < 50 + flown_in + 1
    assert not sum(gate.envoy.counters("limits.contended").values())


def test_of_two_workers_that_see_a_caller_first_at_the_same_time_one_lets_it_through(gate: Gate) -> None:
    """Nothing is there yet to be swapped: each of them has to create the caller's bucket."""
    clients = [RawClient(gate.port) for _ in range(16)]
    try:
        eventually(lambda: both_workers_have_connections(gate), "both workers have connections")
        with ThreadPoolExecutor(max_workers=len(clients)) as pool:
            for number in range(100):
                request = request_bytes("GET", "/service/once", list(caller(f"new-{number}").items()))

                def one(client: RawClient, request: bytes = request) -> RawResponse | None:
                    client.send(request)
                    return client.receive()

                statuses = [answer.status_code for answer in pool.map(one, clients) if answer]
                assert sorted(statuses) == [200] + [429] * (len(clients) - 1), number
    finally:
        for client in clients:
            client.sock.close()


def test_the_shipped_envoy_limits_sign_ins_and_nothing_else(
    start_shipped_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]
) -> None:
    gate = start_shipped_gate(start_jwks_server(GOOD), issuer=ISSUER)
    for path in ("/api/token/", "/api/token/refresh/", "/api/auth/token/", "/auth/api/token/"):
        answer = gate.client.post(path, headers=from_address("192.0.2.1"))
        assert answer.headers["ratelimit-policy"] == '"sign-ins";q=3000;w=30', path
    for path in ("/health/", "/bank/accounts/", "/.well-known/jwks.json"):
        assert "ratelimit-policy" not in gate.get(path).headers, path


def test_without_limits_nothing_is_counted(start_gate: Callable[..., Gate]) -> None:
    gate = start_gate(gateway_config(provider(GOOD)))
    assert gate.get("/service/", headers=caller("alice")).status_code == 200
    assert not gate.envoy.counters(r"gatehouse\.limits\.")
