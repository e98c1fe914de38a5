"""Rules for headers in a real Envoy: what a service gets, and what a client gets back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from harness.config import gateway_config, provider
from harness.envoy import EnvoyRefused
from harness.gate import Gate
from harness.http_server import Request
from harness.keys import key
from harness.raw import request_bytes
from harness.refusals import problem, unauthorized
from harness.tokens import SUBJECT, bearer, mint

GOOD = key("EdDSA")

HEADERS: dict[str, Any] = {
    "profile": "edge",
    "request": {
        "remove": ["x-debug", "x-internal-*"],
        "set": {"x-gateway": "gatehouse", "x-call": "{claims.tenant}/{request.method} {request.path}"},
        "set_if_absent": {"accept-language": "en"},
    },
    "response": {
        "remove": ["x-internal-*"],
        "set": {"cache-control": "public, max-age=60"},
        "security_headers": True,
    },
}
SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "content-security-policy": "frame-ancestors 'none'",
}
SERVICES = {
    "service": {"prefix": "/service/", "cluster": "service"},
    "open": {
        "prefix": "/open/",
        "cluster": "service",
        "public": True,
        "headers": {
            "request": {"set": {"x-gateway": "", "x-service": "{service}"}},
            "response": {"remove": ["x-upstream"], "security_headers": False},
        },
    },
    "down": {"prefix": "/down/", "cluster": "nowhere", "public": True},
}


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Iterator[Gate]:
    """Envoy's defaults believe x-forwarded-proto, so that HTTPS before it can be played."""
    manager = {"server_header_transformation": "PASS_THROUGH"}
    yield start_gate(gateway_config(provider(GOOD), headers=HEADERS, services=SERVICES), connection_manager=manager)


@pytest.fixture(autouse=True)
def _clean(gate: Gate) -> None:
    gate.clear()
    gate.upstream("service").answer_headers = []


def seen(gate: Gate, path: str, headers: dict[str, str]) -> Request:
    answer = gate.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return gate.upstream("service").only_request()


def test_a_service_gets_what_the_gate_says_and_not_what_the_client_does(gate: Gate) -> None:
    forged = {"x_call": "evil", "X-Gateway": "evil", "x-service": "evil", "X_Debug": "1", "x-internal-node": "1"}
    request = seen(gate, "/service/a?b=c", {**forged, **bearer(mint(GOOD, tenant="a/b"))})
    assert request.all("x-gateway") == ["gatehouse"]
    assert request.all("x-call") == ["a%2Fb/GET /service/a"]
    assert request.all("accept-language") == ["en"]
    assert request.all("x-user-id") == [SUBJECT]
    assert not [name for name, value in request.headers if "evil" in value or name.lower().startswith("x-internal")]
    assert request.all("x_debug") == []


def test_an_absent_claim_leaves_no_header(gate: Gate) -> None:
    request = seen(gate, "/service/", {"x-call": "evil", **bearer(mint(GOOD))})
    assert request.all("x-call") == [] and request.all("x-gateway") == ["gatehouse"]


def test_a_service_of_its_own_rules(gate: Gate) -> None:
    request = seen(gate, "/open/", {"x-gateway": "evil", "X_Service": "evil", "accept-language": "de"})
    assert request.all("x-gateway") == [] and request.all("x-service") == ["open"]
    assert request.all("accept-language") == ["de"]
    assert not [value for _, value in request.headers if value == "evil"]


@pytest.mark.parametrize("tenant", ["a\r\nx-admin: 1", "a\0", "\x7f"])
def test_a_claim_with_control_characters_is_refused(gate: Gate, tenant: str) -> None:
    unauthorized(gate.get("/service/", headers=bearer(mint(GOOD, tenant=tenant))))
    gate.nobody_was_contacted()


def told(answer: httpx.Response, names: dict[str, str]) -> dict[str, str | None]:
    return {name: answer.headers.get(name) for name in names}


def test_an_answer_loses_what_tells_too_much_and_gets_what_protects(gate: Gate) -> None:
    gate.upstream("service").answer_headers = [
        ("X-Powered-By", "Something/1.0"),
        ("x-aspnet-version", "4"),
        ("x-internal-node", "7"),
        ("referrer-policy", "no-referrer"),
        ("server", "gunicorn"),
    ]
    answer = gate.get("/service/", headers=bearer(mint(GOOD)))
    assert told(answer, SECURITY) == {**SECURITY, "referrer-policy": "no-referrer"}
    for name in ("x-powered-by", "x-aspnet-version", "x-internal-node", "strict-transport-security"):
        assert name not in answer.headers, name
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["server"] == "gunicorn", "Envoy's own setting decides"
    assert answer.headers["x-upstream"] == "service"
    own = gate.get("/open/")
    assert told(own, SECURITY) == {**dict.fromkeys(SECURITY), "referrer-policy": "no-referrer"}
    assert "x-upstream" not in own.headers and "x-powered-by" not in own.headers


def test_refusals_are_protected_and_never_cacheable(gate: Gate) -> None:
    for answer, status, code in [
        (gate.get("/service/"), 401, "token_missing"),
        (gate.get("/service//"), 400, "path_ambiguous"),
        (gate.get("/nowhere/", headers=bearer(mint(GOOD))), 404, "service_unknown"),
    ]:
        problem(answer, status, code)  # which looks at cache-control too
        assert told(answer, SECURITY) == SECURITY
        assert "server" not in answer.headers
    gate.nobody_was_contacted()


def test_an_error_of_envoys_is_protected_and_not_made_cacheable(gate: Gate) -> None:
    answer = gate.get("/down/")
    assert answer.status_code == 503
    assert told(answer, SECURITY) == SECURITY
    assert "cache-control" not in answer.headers


def test_hsts_is_said_to_those_who_came_over_tls(gate: Gate) -> None:
    hsts = "strict-transport-security"
    for scheme, expected in (("https", "max-age=31536000"), ("http", None)):
        for path, status in (("/service/", 401), ("/open/", 200)):
            answer = gate.raw(request_bytes("GET", path, [("x-forwarded-proto", scheme)]))
            assert answer is not None and answer.status_code == status
            assert answer.headers.get(hsts) == (expected if path == "/service/" else None), (scheme, path)


def test_a_rule_that_could_break_something_is_refused_at_the_start(start_gate: Callable[..., Gate]) -> None:
    config = gateway_config(provider(GOOD), headers={"request": {"set": {"content-length": "0"}}})
    with pytest.raises(EnvoyRefused, match="headers.request.set.content-length: is content-length"):
        start_gate(config)


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_ids_pass_or_are_made(start_gate: Callable[..., Gate]) -> None:
    config = gateway_config(provider(GOOD), headers={"request_id": "make"})
    gate = start_gate(config, connection_manager={"generate_request_id": False})
    made = set()
    for ids in ([], ["a b"], ["a" * 129], [""], ["a", "a"]):
        sent = [("x-request-id", value) for value in ids]
        gate.clear()
        answer = gate.raw(request_bytes("GET", "/open/", sent))
        assert answer is not None and answer.status_code == 200
        made.add(gate.upstream("service").only_request().one("x-request-id"))
        refused = problem(gate.raw(request_bytes("GET", "/service/", sent)), 401, "token_missing")
        made.add(refused["request_id"])
    assert len(made) == 10 and all(UUID.fullmatch(found) for found in made), made
    for good in ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "0f2a1b3c-4d5e-4f70-8192-a3b4c5d6e7f8"):
        gate.clear()
        assert gate.get("/open/", headers={"x-request-id": good}).status_code == 200
        assert gate.upstream("service").only_request().one("x-request-id") == good
