"""Tokens that need not be good, and what is noted of tokens for access logs. Envoy's own filter is the judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from harness.config import provider
from harness.envoy import direct_route, native_filter, plugin_filter, router_filter
from harness.gate import Gate
from harness.http_server import Request
from harness.keys import key, new_key
from harness.refusals import unauthorized
from harness.tokens import bearer, mint
from harness.waiting import eventually
from mesh.settings import Tools

GOOD = key("ES256")
OTHER = key("EdDSA")
FORGER = new_key("ES256", GOOD.key_id)
STATUS = "x-jwt-signature-verified"
NOTES: dict[str, Any] = {
    "payload_in_metadata": "claims",
    "header_in_metadata": "head",
    "failed_status_in_metadata": "failure",
    "normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]},
}
FIRST = {"provider_name": "issuer"}
EXTRACT: dict[str, Any] = {"extract_only_without_validation": {}}
MESSAGE: dict[str, Any] = {
    "providers": {
        "issuer": provider(GOOD, forward_payload_header="x-payload", **NOTES),
        "other": provider(
            OTHER,
            issuer="https://other.example",
            claim_to_headers=[{"header_name": "x-other", "claim_name": "sub"}],
            failed_status_in_metadata="other-failure",
        ),
    },
    "rules": [
        {"match": {"prefix": "/alone"}, "requires": EXTRACT},
        {"match": {"prefix": "/any"}, "requires": {"requires_any": {"requirements": [FIRST, EXTRACT]}}},
        {"match": {"prefix": "/all"}, "requires": {"requires_all": {"requirements": [FIRST, EXTRACT]}}},
        {
            "match": {"prefix": "/named"},
            "requires": {"extract_only_without_validation": {"verification_status_header": "x-status"}},
        },
        {
            "match": {"prefix": "/unmarked"},
            "requires": {"extract_only_without_validation": {"verification_status_header": "-"}},
        },
        {"match": {"prefix": "/strict"}, "requires": FIRST},
    ],
}
TOKENS: dict[str, str | None] = {
    "good": mint(GOOD),
    "expired": mint(GOOD, exp=1000),
    "forged": mint(FORGER),
    "for another audience": mint(GOOD, aud="other"),
    "nobody's": mint(GOOD, iss="https://nobody.example"),
    "another's": mint(OTHER, iss="https://other.example"),
    "another's, expired": mint(OTHER, iss="https://other.example", exp=1000),
    "no token at all": "nonsense",
    "missing": None,
}


def manager(gate: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
    log = {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        "log_format": {"json_format": {"path": "%REQ(:PATH)%", **fields}},
    }
    return {
        "http_filters": [gate, router_filter()],
        "route_config": direct_route("service"),
        "access_log": [{"name": "envoy.access_loggers.stdout", "typed_config": log}],
    }


@pytest.fixture(scope="module")
def ours(tools: Tools, start_gate: Callable[..., Gate]) -> Gate:
    text = json.dumps(MESSAGE)
    keys = ("claims", "head", "failure", "other-failure")
    fields = {key: f"%FILTER_STATE(wasm.gatehouse.metadata.{key}:PLAIN)%" for key in keys}
    return start_gate(text, connection_manager=manager(plugin_filter(tools, text), fields))


@pytest.fixture(scope="module")
def native(start_gate: Callable[..., Gate]) -> Gate:
    fields = {"metadata": "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn)%"}
    return start_gate("{}", connection_manager=manager(native_filter(MESSAGE), fields))


def seen(gate: Gate, path: str, token: str | None, **headers: str) -> tuple[int, dict[str, str] | None]:
    """The status, and the headers that matter of what reached the service."""
    gate.clear()
    answer = gate.get(path, headers={**(bearer(token) if token else {}), **headers})
    requests = gate.upstream("service").requests
    return answer.status_code, _identity(requests[0]) if requests else None


def _identity(request: Request) -> dict[str, str]:
    kept = ("authorization", STATUS, "x-status", "x-payload", "x-other")
    return {name: value for name, value in request.headers if name in kept or name.startswith("x-user-")}


@pytest.mark.parametrize("path", ["/alone", "/any", "/all", "/named", "/unmarked"])
@pytest.mark.parametrize("name", TOKENS)
def test_both_filters_let_the_same_through_and_set_the_same(ours: Gate, native: Gate, path: str, name: str) -> None:
    assert seen(ours, path, TOKENS[name]) == seen(native, path, TOKENS[name])


def test_what_is_forged_is_let_in_without_a_claim_and_marked(ours: Gate) -> None:
    for name in ("forged", "no token at all"):
        status, headers = seen(ours, "/alone", TOKENS[name])
        assert (status, headers) == (200, {"authorization": f"Bearer {TOKENS[name]}", STATUS: "false"})
    unauthorized(ours.get("/all", headers=bearer(mint(FORGER))))


@pytest.mark.parametrize("name", TOKENS)
def test_no_client_says_that_its_token_was_verified(ours: Gate, name: str) -> None:
    for path in ("/alone", "/unmarked", "/free"):
        status, headers = seen(ours, path, TOKENS[name], **{STATUS: "true", "X_Jwt_Signature_Verified": "true"})
        assert status == 200 and headers is not None and headers.get(STATUS) in (None, "false")


def test_the_log_warns_of_it(ours: Gate) -> None:
    log = ours.envoy.log_text()
    assert "rules[0].requires.extract_only_without_validation: lets every request through" in log
    assert "providers.issuer.payload_in_metadata: goes into the filter state wasm.gatehouse.metadata.claims" in log


def noted(gate: Gate, path: str, token: str | None) -> dict[str, Any]:
    """What the access log has of a request."""
    before = len(gate.envoy.access_log())
    seen(gate, path, token)
    (line,) = eventually(lambda: gate.envoy.access_log()[before:], "the access log has the request")
    del line["path"]
    return {key: value for key, value in line.items() if value is not None}


@pytest.mark.parametrize("path", ["/alone", "/any", "/all", "/strict"])
@pytest.mark.parametrize("name", TOKENS)
def test_both_filters_note_the_same(ours: Gate, native: Gate, path: str, name: str) -> None:
    """But for how a failure is called."""
    metadata = noted(native, path, TOKENS[name]).get("metadata", {})
    found = {key: json.loads(value) for key, value in noted(ours, path, TOKENS[name]).items()}
    assert found.keys() == metadata.keys()
    for key in found:
        if "failure" in key:
            assert found[key].keys() == metadata[key].keys() == {"code", "message"}
        else:
            assert found[key] == metadata[key]


def test_a_failure_is_noted_by_its_code(ours: Gate) -> None:
    note = json.loads(noted(ours, "/strict", TOKENS["expired"])["failure"])
    assert note == {"code": "token_expired", "message": "The token has expired."}
    claims = json.loads(noted(ours, "/strict", TOKENS["good"])["claims"])
    assert claims["scope"] == ["bank.read", "bank.write"]
