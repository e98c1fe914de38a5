"""What chooses a requirement beside the rules: an earlier filter's word, and the route's. Envoy's own filter is the judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from harness.config import provider
from harness.envoy import native_filter, plugin_filter, router_filter
from harness.gate import Gate
from harness.keys import key
from harness.refusals import challenged, problem, unauthorized
from harness.tokens import bearer, mint
from mesh.settings import Tools

GOOD = key("ES256")
PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig"
STATE = {
    "name": "envoy.filters.http.set_filter_state",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
        "on_request_headers": [
            {
                "object_key": "tenant",
                "factory_key": "envoy.string",
                "format_string": {"text_format_source": {"inline_string": "%REQ(x-tenant)%"}},
                "skip_if_empty": True,
            }
        ],
    },
}
MESSAGE: dict[str, Any] = {
    "providers": {"issuer": provider(GOOD)},
    "rules": [
        {"match": {"prefix": "/ruled"}, "requires": {"provider_name": "issuer"}},
        {"match": {"prefix": "/free"}},
    ],
    "requirement_map": {"strict": {"provider_name": "issuer"}, "loose": {"allow_missing": {}}},
    "filter_state_rules": {
        "name": "tenant",
        "requires": {"closed": {"provider_name": "issuer"}, "open": {"allow_missing": {}}},
    },
}
ROUTES: dict[str, dict[str, Any] | None] = {
    "/ruled/off": {"disabled": True},
    "/ruled/loose": {"requirement_name": "loose"},
    "/free/strict": {"requirement_name": "strict"},
    "/free/unknown": {"requirement_name": "nobody"},
    "/": None,
}
ONLY_OURS: dict[str, dict[str, Any]] = {
    "/free/odd/false": {"disabled": False},
    "/free/odd/both": {"disabled": True, "requirement_name": "strict"},
    "/free/odd/other": {"required": "strict"},
    "/free/odd/number": {"requirement_name": 1},
    "/free/odd/empty": {},
}


def routes(word: Callable[[dict[str, Any]], dict[str, Any]], words: dict[str, Any]) -> dict[str, Any]:
    found = [
        {"match": {"prefix": prefix}, "route": {"cluster": "service"}, **(word(said) if said is not None else {})}
        for prefix, said in words.items()
    ]
    return {"name": "test", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": found}]}


def as_metadata(said: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"filter_metadata": {"gatehouse": said}}}


def as_native(said: dict[str, Any]) -> dict[str, Any]:
    return {"typed_per_filter_config": {"envoy.filters.http.jwt_authn": {"@type": PER_ROUTE, **said}}}


@pytest.fixture(scope="module")
def ours(tools: Tools, start_gate: Callable[..., Gate]) -> Gate:
    text = json.dumps({**MESSAGE, "per_route": {}})
    manager = {
        "http_filters": [STATE, plugin_filter(tools, text), router_filter()],
        "route_config": routes(as_metadata, {**ONLY_OURS, **ROUTES}),
    }
    return start_gate(text, connection_manager=manager)


@pytest.fixture(scope="module")
def native(start_gate: Callable[..., Gate]) -> Gate:
    manager = {
        "http_filters": [STATE, native_filter(MESSAGE), router_filter()],
        "route_config": routes(as_native, ROUTES),
    }
    return start_gate("{}", connection_manager=manager)


@pytest.mark.parametrize(
    ("path", "tenant", "status"),
    [
        ("/", None, 200),
        ("/", "closed", 401),
        ("/", "open", 200),
        ("/", "Closed", 200),
        ("/", "other", 200),
        ("/ruled", "open", 401),
        ("/free", "closed", 200),
        ("/ruled/off", "closed", 200),
        ("/ruled/loose", "closed", 200),
        ("/free/strict", "open", 401),
        ("/free/unknown", None, 403),
    ],
)
def test_both_filters_choose_the_same_requirement(
    ours: Gate, native: Gate, path: str, tenant: str | None, status: int
) -> None:
    headers = {"x-tenant": tenant} if tenant else {}
    assert [gate.get(path, headers=headers).status_code for gate in (native, ours)] == [status, status]
    good = {**headers, **bearer(mint(GOOD))}
    expected = 403 if status == 403 else 200
    assert [gate.get(path, headers=good).status_code for gate in (native, ours)] == [expected, expected]


def test_a_token_must_be_good_where_a_route_or_a_state_asks_for_it(ours: Gate) -> None:
    expired = bearer(mint(GOOD, exp=1000))
    for path, tenant in (("/free/strict", "open"), ("/", "closed")):
        assert unauthorized(ours.get(path, headers={**expired, "x-tenant": tenant}))["code"] == "token_expired"


@pytest.mark.parametrize("path", ["/free/unknown", *ONLY_OURS])
def test_what_a_route_says_is_followed_or_refused(ours: Gate, path: str) -> None:
    ours.clear()
    problem(ours.get(path, headers=bearer(mint(GOOD))), 403, "requirement_unknown")
    ours.nobody_was_contacted()


def test_no_client_chooses_the_route_that_speaks_by_a_header_that_the_gate_takes_out(
    tools: Tools, start_gate: Callable[..., Gate]
) -> None:
    claims = {"claim_to_headers": [{"header_name": "x-tier", "claim_name": "tier"}]}
    message = {
        "providers": {"issuer": {**provider(GOOD), **claims}},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
        "per_route": {},
    }
    gold = {"prefix": "/", "headers": [{"name": "x-tier", "string_match": {"exact": "gold"}}]}
    found = [
        {"match": gold, "route": {"cluster": "service"}, **as_metadata({"disabled": True})},
        {"match": {"prefix": "/"}, "route": {"cluster": "service"}},
    ]
    text = json.dumps(message)
    manager = {
        "http_filters": [plugin_filter(tools, text), router_filter()],
        "route_config": {"name": "test", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": found}]},
    }
    gate = start_gate(text, connection_manager=manager)
    challenged(gate.get("/"))
    for token in ({}, bearer(mint(GOOD))):
        problem(gate.get("/", headers={"x-tier": "gold", **token}), 400, "route_ambiguous")
    gate.nobody_was_contacted()
    assert gate.get("/", headers=bearer(mint(GOOD, tier="gold"))).status_code == 200
