"""Pages of other origins, as a browser would ask for them: preflights, and who may read which answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from harness.config import gateway_config, provider
from harness.envoy import EnvoyRefused
from harness.gate import Gate
from harness.keys import key
from harness.raw import request_bytes
from harness.refusals import problem, unauthorized
from harness.tokens import bearer, mint

GOOD = key("EdDSA")
APP = "https://app.example.com"
BELOW = "https://a.preview.example.com"
EVIL = "https://evil.example"

SERVICES: dict[str, Any] = {
    "service": {"prefix": "/service/", "cluster": "service"},
    "open": {"prefix": "/open/", "cluster": "service", "public": True, "cors": {"allow_origins": ["*"]}},
    "legacy": {"prefix": "/legacy/", "cluster": "service", "public": True, "cors": False},
    "down": {"prefix": "/down/", "cluster": "nowhere", "public": True},
}
CORS: dict[str, Any] = {
    "allow_origins": [APP, "https://*.preview.example.com"],
    "allow_methods": ["GET", "PUT"],
    "allow_credentials": True,
    "max_age": "600s",
}
LIMITS = {"once": {"per": "subject", "requests": 1, "every": "3600s", "match": {"prefix": "/service/once"}}}
EXPOSED = "www-authenticate, retry-after, ratelimit, ratelimit-policy"


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Gate:
    return start_gate(gateway_config(provider(GOOD), services=SERVICES, cors=CORS, limits=LIMITS))


@pytest.fixture(autouse=True)
def _clean(gate: Gate) -> None:
    gate.clear()
    gate.upstream("service").answer_headers = []


def preflight(gate: Gate, path: str, origin: str, **extra: str) -> httpx.Response:
    headers = {"origin": origin, "access-control-request-method": "PUT", **extra}
    return gate.client.request("OPTIONS", path, headers=headers)


def reader(answer: httpx.Response) -> str | None:
    """Whom an answer names, all of its headers together."""
    named = answer.headers.get_list("access-control-allow-origin")
    assert len(named) <= 1, named
    return named[0] if named else None


def varies(answer: httpx.Response) -> list[str]:
    return [word.strip().lower() for word in answer.headers.get("vary", "").split(",") if word.strip()]


@pytest.mark.parametrize("path", ["/service/", "/service/deep/er?x=1", "/nowhere/"])
@pytest.mark.parametrize("origin", [APP, BELOW])
def test_a_preflight_is_answered_by_the_gate(gate: Gate, path: str, origin: str) -> None:
    headers = {"access-control-request-headers": "authorization", "x-user-id": "forged"}
    answer = preflight(gate, path, origin, **headers)
    assert answer.status_code == 204 and answer.content == b""
    assert reader(answer) == origin
    assert answer.headers["access-control-allow-methods"] == "GET, PUT"
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-max-age"] == "600"
    assert "access-control-allow-private-network" not in answer.headers
    assert varies(answer) == ["origin"]
    gate.nobody_was_contacted()


@pytest.mark.parametrize(
    "origin",
    [
        EVIL,
        "null",
        "https://app.example.com.evil.example",
        "https://evilpreview.example.com",
        "https://preview.example.com",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://evil.example/.preview.example.com",
    ],
)
def test_a_stranger_is_told_nothing(gate: Gate, origin: str) -> None:
    answer = preflight(gate, "/service/", origin)
    problem(answer, 403, "origin_not_allowed")
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    gate.nobody_was_contacted()
    simple = gate.get("/service/", headers={"origin": origin, **bearer(mint(GOOD))})
    assert simple.status_code == 200 and reader(simple) is None and "origin" in varies(simple)


def test_two_origins_are_none(gate: Gate) -> None:
    head = [("origin", APP), ("origin", APP), ("access-control-request-method", "PUT")]
    answer = gate.raw(request_bytes("OPTIONS", "/service/", head))
    problem(answer, 403, "origin_not_allowed")


def test_a_bare_options_is_a_request_like_others(gate: Gate) -> None:
    answer = gate.client.request("OPTIONS", "/service/", headers={"origin": APP})
    problem(answer, 401, "token_missing")
    assert reader(answer) == APP
    gate.nobody_was_contacted()
    assert gate.client.request("OPTIONS", "/service/", headers=bearer(mint(GOOD))).status_code == 200
    assert gate.upstream("service").only_request().method == "OPTIONS"


def test_a_page_can_read_why_its_request_was_refused(gate: Gate) -> None:
    origin = {"origin": APP}
    for answer in [
        gate.get("/service/", headers={**origin, **bearer(mint(GOOD, exp=1))}),
        gate.get("/service/", headers={**origin, **bearer("x.y.z")}),
    ]:
        unauthorized(answer)
        assert reader(answer) == APP and answer.headers["access-control-expose-headers"] == EXPOSED
        assert answer.headers["access-control-allow-credentials"] == "true" and varies(answer) == ["origin"]
    problem(gate.get("/nowhere/", headers={**origin, **bearer(mint(GOOD))}), 404, "service_unknown")
    token = bearer(mint(GOOD, sub="once"))
    assert gate.get("/service/once", headers={**origin, **token}).status_code == 200
    limited = gate.get("/service/once", headers={**origin, **token})
    problem(limited, 429, "rate_limited")
    assert reader(limited) == APP and "ratelimit" in limited.headers
    down = gate.get("/down/", headers=origin)
    assert down.status_code == 503 and reader(down) == APP


def test_what_a_service_says_of_it_is_replaced(gate: Gate) -> None:
    gate.upstream("service").answer_headers = [
        ("Access-Control-Allow-Origin", "*"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "x-secret"),
        ("vary", "accept-encoding"),
    ]
    token = bearer(mint(GOOD))
    for origin, expected in ((APP, APP), (EVIL, None), (None, None)):
        headers = {**token, **({"origin": origin} if origin else {})}
        answer = gate.get("/service/", headers=headers)
        assert answer.status_code == 200 and reader(answer) == expected, origin
        assert answer.headers.get("access-control-allow-credentials") == ("true" if expected else None)
        assert answer.headers.get("access-control-expose-headers") == (EXPOSED if expected else None)
        assert varies(answer) == ["accept-encoding", "origin"]
    everybody = gate.get("/open/", headers={"origin": EVIL})
    assert reader(everybody) == "*" and "access-control-allow-credentials" not in everybody.headers
    assert varies(everybody) == ["accept-encoding"]


def test_a_service_may_answer_for_itself(gate: Gate) -> None:
    gate.upstream("service").answer_headers = [("access-control-allow-origin", EVIL)]
    answer = preflight(gate, "/legacy/", EVIL, **{"X_User_Id": "forged"})
    assert answer.status_code == 200 and reader(answer) == EVIL and varies(answer) == []
    seen = gate.upstream("service").only_request()
    assert seen.method == "OPTIONS" and "forged" not in str(seen.headers)


def test_everybody_and_credentials_are_refused_at_the_start(start_gate: Callable[..., Gate]) -> None:
    cors = {"allow_origins": ["*"], "allow_credentials": True}
    with pytest.raises(EnvoyRefused, match="cors.allow_origins: has .\\*., which with allow_credentials"):
        start_gate(gateway_config(provider(GOOD), cors=cors))
