"""/metrics/ in a real Envoy: of what stands behind it, one resource is reached, by those whose token allows it.

The admin interface is a server here that writes down what reached it. Envoy's own normalisation of paths is off: nothing
but the gate stands between the caller and it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness.config import gateway_config, provider
from harness.gate import Gate
from harness.keys import key
from harness.raw import RawClient, request_bytes
from harness.refusals import challenged, problem
from harness.tokens import bearer, mint

ISSUERS_KEY = key("ES256")
TARGET = "/stats/prometheus"


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Gate:
    config = gateway_config(
        provider(ISSUERS_KEY),
        services={"service": {"prefix": "/", "cluster": "service"}},
        endpoints={"metrics": {"cluster": "admin"}},
    )
    return start_gate(config, upstreams=("service", "admin"))


@pytest.fixture(autouse=True)
def _clean(gate: Gate) -> None:
    gate.clear()


def operator() -> dict[str, str]:
    return bearer(mint(ISSUERS_KEY, scope="ops.read"))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "target",
    [
        "/metrics/",
        "/metrics",
        "/m%65trics/",
        "/metrics/?",
        "/metrics/?usedonly",
        "/metrics/?filter=(a*)*$",
        "/metrics/?/../quitquitquit",
        "/metrics?x=%0d%0aPOST%20/quitquitquit",
    ],
)
def test_whoever_reads_sees_the_one_resource(gate: Gate, method: str, target: str) -> None:
    with RawClient(gate.port) as client:
        client.send(request_bytes(method, target, list(operator().items())))
        answer = client.receive(to_head=method == "HEAD")
    assert answer is not None and answer.status_code == 200
    seen = gate.upstream("admin").only_request()
    assert (seen.method, seen.target, seen.body) == (method, TARGET, b"")
    assert seen.one("authorization") is None


@pytest.mark.parametrize(
    "target",
    [
        "/metrics/../quitquitquit",
        "/metrics/%2e%2e/quitquitquit",
        "/metrics/%252e%252e/quitquitquit",
        "/metrics/..%2fquitquitquit",
        "/metrics%2f..%2fquitquitquit",
        "/metrics/..;/quitquitquit",
        "/metrics/;/quitquitquit",
        "/metrics//quitquitquit",
        "//metrics/",
        "/metrics/\\..\\quitquitquit",
        "/metrics/%5c..%5cquitquitquit",
        "/metrics/#/quitquitquit",
        "/metrics/%00",
        "/metrics/quitquitquit",
        "/metrics/config_dump",
        "/metrics/x",
        "/metrics%3f/../../config_dump",
        "/stats/prometheus",
        "/quitquitquit",
        "/config_dump",
        "http://admin/config_dump",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_other_path_leads_there(gate: Gate, method: str, target: str) -> None:
    gate.raw(request_bytes(method, target, [*operator().items(), ("content-length", "0")]))
    assert gate.upstream("admin").requests == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_reading(gate: Gate, method: str) -> None:
    answer = gate.raw(request_bytes(method, "/metrics/", [*operator().items(), ("content-length", "0")]))
    problem(answer, 405, "method_not_allowed")
    assert answer is not None and answer.headers["allow"] == "GET, HEAD"
    gate.nobody_was_contacted()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-gatehouse-cluster": "admin"},
        {"X_Gatehouse_Cluster": "admin"},
        {"x-original-url": "/quitquitquit"},
        {"x-rewrite-url": "/quitquitquit"},
        {"x-http-method-override": "POST"},
        {"x-envoy-original-path": "/quitquitquit"},
    ],
)
def test_no_header_leads_there(gate: Gate, headers: dict[str, str]) -> None:
    gate.get("/config_dump", headers={**operator(), **headers})
    assert gate.upstream("admin").requests == []
    gate.get("/metrics/", headers={**operator(), **headers})
    seen = gate.upstream("admin").only_request()
    assert (seen.method, seen.target) == ("GET", TARGET)


def test_what_follows_the_headers_is_refused(gate: Gate) -> None:
    smuggled = b"POST /quitquitquit HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
    caller = list(operator().items())
    for more, code, status in [
        ([("content-length", str(len(smuggled)))], "body_too_large", 413),
        ([("transfer-encoding", "chunked")], "length_required", 411),
    ]:
        chunk = f"{len(smuggled):x}\r\n".encode() + smuggled + b"\r\n0\r\n\r\n" if status == 411 else smuggled
        problem(gate.raw(request_bytes("GET", "/metrics/", caller + more) + chunk), status, code)
    gate.nobody_was_contacted()


def test_an_endpoint_is_for_those_whose_token_allows_it(gate: Gate) -> None:
    challenged(gate.get("/metrics/"))
    answer = gate.get("/metrics/", headers=bearer(mint(ISSUERS_KEY, scope="bank.read ops.readonly")))
    assert problem(answer, 403, "insufficient_scope")["scope"] == "ops.read"
    assert 'scope="ops.read"' in answer.headers["www-authenticate"]
    gate.nobody_was_contacted()
