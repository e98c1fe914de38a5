"""One format for every refusal: the gate's own, and those that Envoy makes by itself (envoy.yaml's local_reply_config)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from harness.config import gateway_config, provider
from harness.gate import Gate
from harness.jwks_server import JwksServer
from harness.keys import key, new_key
from harness.raw import exchange, request_bytes
from harness.refusals import challenged, problem, unauthorized
from harness.tokens import ISSUER, SUBJECT, bearer, mint
from harness.waiting import eventually

GOOD = key("RS256")
STRANGER = new_key("RS256", GOOD.key_id)


@pytest.fixture(scope="module")
def gate(start_shipped_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]) -> Iterator[Gate]:
    """The Envoy of envoy.yaml, warm."""
    started = start_shipped_gate(start_jwks_server(GOOD), issuer=ISSUER)
    eventually(
        lambda: started.get("/bank/", headers=bearer(mint(GOOD))).status_code == 200, "the keys have been fetched"
    )
    yield started


@pytest.fixture(autouse=True)
def _clean(gate: Gate) -> None:
    gate.clear()


# ---- the gate's own ----------------------------------------------------------------------------------------------------


def test_the_gates_refusals_come_through_envoys_rewriting_unchanged(gate: Gate) -> None:
    assert challenged(gate.get("/bank/"))["code"] == "token_missing"
    assert unauthorized(gate.get("/bank/", headers=bearer(mint(STRANGER))))["code"] == "signature_invalid"
    problem(gate.get("/nowhere/", headers=bearer(mint(GOOD))), 404, "service_unknown")
    problem(gate.get("/bank/", headers=bearer(mint(GOOD, aud="elsewhere"))), 403, "audience_not_allowed")


def test_a_refusal_carries_the_id_of_its_request(gate: Gate) -> None:
    answer = gate.get("/bank/")
    assert challenged(answer)["request_id"] == answer.headers["x-request-id"]


def test_a_client_can_not_choose_the_id_of_its_request(gate: Gate) -> None:
    chosen = "11111111-2222-3333-4444-555555555555"
    answer = gate.get("/bank/", headers={"x-request-id": chosen})
    assert chosen not in answer.text and answer.headers["x-request-id"] != chosen


def test_a_refused_head_request_has_no_body(gate: Gate) -> None:
    answer = gate.client.head("/bank/")
    assert answer.status_code == 401
    assert answer.content == b""
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("marker", ["<script>alert(1)</script>", "marker-7f3a", "%s%n${jndi:ldap://x}", "\u00e9\u00e9"])
def test_a_refusal_never_repeats_what_was_sent(gate: Gate, marker: str) -> None:
    """Query, header, host and every part of a token; the path may stand in the realm, as RFC 6750 has it."""
    token = mint(GOOD, header_changes={"kid": marker, "alg": marker}, sub=marker, iss=marker)
    raw = marker.encode()
    headers: list[tuple[str, str | bytes]] = [("x-marker", raw), ("user-agent", raw), ("accept", raw)]
    for authorization in (f"Bearer {token}".encode(), b"Bearer " + raw, b"Basic " + raw, raw):
        answer = gate.raw(request_bytes("GET", "/bank/?q=x", [*headers, ("authorization", authorization)]))
        assert answer is not None and answer.status_code == 401, answer
        everything = repr(answer.headers).encode() + answer.content
        assert raw not in everything, everything
        assert token.split(".")[1].encode() not in everything
    log = gate.envoy.log_text()
    assert token not in log and marker not in log, "nor does the log"


def test_tokens_are_never_logged(gate: Gate) -> None:
    tokens = [mint(GOOD), mint(STRANGER), mint(GOOD, exp=1)]
    for token in tokens:
        gate.get("/bank/", headers=bearer(token))
        gate.get("/bank/", params={"access_token": token})
    eventually(lambda: len(gate.envoy.access_log()) >= 6, "the access log is written")
    log = gate.envoy.log_text()
    for token in tokens:
        for part in token.split("."):
            assert part not in log


def test_the_access_log_says_why(gate: Gate) -> None:
    request_id = gate.get("/bank/", headers=bearer(mint(STRANGER))).headers["x-request-id"]
    line = eventually(
        lambda: next((line for line in gate.envoy.access_log() if line.get("request_id") == request_id), None),
        "the request is logged",
    )
    assert (line["status"], line["refusal"]) == (401, "signature_invalid")


def test_the_access_log_names_the_path_that_was_asked_for_without_its_query(gate: Gate) -> None:
    answer = gate.get("/bank/accounts/?access_code=hidden", headers=bearer(mint(GOOD)))
    line = eventually(
        lambda: next(
            (line for line in gate.envoy.access_log() if line.get("request_id") == answer.headers["x-request-id"]), None
        ),
        "the request is logged",
    )
    assert (line["path"], line["upstream_path"], line["cluster"]) == ("/bank/accounts/", "/accounts/", "bank")
    assert line["subject"] == SUBJECT
    assert "hidden" not in str(line)


# ---- Envoy's own -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/bank%2faccounts/", "/bank%5Caccounts/", "/open%2F..%2Fbank/"])
def test_escaped_slashes_are_refused_at_the_edge(gate: Gate, path: str) -> None:
    problem(gate.raw(request_bytes("GET", path, list(bearer(mint(GOOD)).items()))), 400)
    gate.nobody_was_contacted()


def test_too_many_headers_are_431(gate: Gate) -> None:
    headers = [(f"x-filler-{number}", "x") for number in range(150)]
    problem(gate.raw(request_bytes("GET", "/bank/", headers)), 431, "headers_too_large")


def test_too_long_headers_are_431(gate: Gate) -> None:
    problem(gate.raw(request_bytes("GET", "/bank/", [("x-filler", "x" * 40_000)])), 431, "headers_too_large")


def test_a_service_that_breaks_off_is_503(gate: Gate) -> None:
    answer = gate.get("/bank/cut", headers=bearer(mint(GOOD)))
    document = problem(answer, 503, "upstream_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert "reset" not in str(document) and "127.0.0.1" not in str(document)
    assert len(gate.upstream("bank").requests) == 1, "a request that may have been carried out is never sent again"


def test_a_service_that_takes_too_long_is_504_after_its_own_timeout(gate: Gate) -> None:
    problem(gate.get("/bank/hold", headers=bearer(mint(GOOD))), 504, "upstream_timeout")


def test_broken_http_is_400(gate: Gate) -> None:
    for data in (
        b"GET /bank/ HTTP/1.1\r\n\r\n",
        b"GET /bank/ HTTP/1.1\r\nhost: gate\r\nbad header\r\n\r\n",
        b"GET /bank/ HTTP/9.9\r\nhost: gate\r\n\r\n",
        b"POST /bank/ HTTP/1.1\r\nhost: gate\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /bank/ HTTP/1.1\r\nhost: gate\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"GET /bank/ HTTP/1.1\r\nhost: gate\r\nhost: other\r\nx-user-id : root\r\n\r\n",
    ):
        answer = exchange(gate.port, data)
        assert answer is None or answer.status_code in (400, 401, 426), (data, answer)
        if answer is not None and answer.status_code != 401:
            problem(answer, answer.status_code)
    gate.nobody_was_contacted()


def test_http_1_0_is_refused_in_the_same_format(gate: Gate) -> None:
    problem(exchange(gate.port, b"GET /bank/ HTTP/1.0\r\nhost: gate\r\n\r\n"), 426)


def test_a_grpc_caller_of_a_broken_service_gets_unavailable(gate: Gate) -> None:
    with httpx.Client(http1=False, http2=True, trust_env=False, timeout=60) as h2:
        headers = {"content-type": "application/grpc", "te": "trailers", **bearer(mint(GOOD))}
        answer = h2.post(gate.url + "/bank/cut", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["grpc-status"] == "14"
    assert "{" not in answer.headers["grpc-message"] and "reset" not in answer.headers["grpc-message"]


def test_what_a_service_answers_stays_as_it_is(gate: Gate) -> None:
    answer = gate.get("/bank/refuse", headers=bearer(mint(GOOD)))
    assert answer.status_code == 418
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content)["upstream"] == "bank"


def test_envoy_does_not_sign_the_answers(gate: Gate) -> None:
    for answer in (gate.get("/bank/"), gate.get("/bank/", headers=bearer(mint(GOOD)))):
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("x-envoy-")]


# ---- the edge as envoy.yaml sets it ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x-user-id", "X-User-Id", "x_user_id", "X.User.Id", "x-user_id"])
def test_forged_identity_is_gone_and_the_request_goes_on(gate: Gate, name: str) -> None:
    answer = gate.raw(request_bytes("GET", "/bank/", [(name, "forged"), *bearer(mint(GOOD)).items()]))
    assert answer is not None and answer.status_code == 200
    assert "forged" not in str(gate.upstream("bank").only_request().headers)


@pytest.mark.parametrize(
    "name",
    [
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-retry-on",
        "x-envoy-max-retries",
        "x-envoy-internal",
        "x-envoy-original-path",
        "x-gatehouse-cluster",
    ],
)
def test_clients_do_not_steer_the_proxy(gate: Gate, name: str) -> None:
    answer = gate.raw(request_bytes("GET", "/bank/", [(name, "7"), *bearer(mint(GOOD)).items()]))
    assert answer is not None and answer.status_code == 200
    assert "7" not in gate.upstream("bank").only_request().all(name)


def test_the_way_that_a_client_claims_to_have_come_is_forgotten(gate: Gate) -> None:
    claimed = {
        "x-forwarded-for": "203.0.113.9, 203.0.113.10",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "203.0.113.9",
        "x-forwarded-port": "2031",
        "x-forwarded-client-cert": "Hash=203.0.113.9",
        "x-envoy-external-address": "203.0.113.9",
    }
    gate.get("/bank/", headers={**bearer(mint(GOOD)), **claimed})
    seen = gate.upstream("bank").only_request()
    assert "203" not in str(seen.headers)
    # One address, Envoy's own word for the peer; the connection was without TLS.
    assert "," not in (seen.one("x-forwarded-for") or ",")
    assert seen.one("x-forwarded-proto") == "http"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("//bank//accounts/", "/accounts/"),
        ("/x/../bank/accounts/", "/accounts/"),
        ("/bank/./a/%2e%2e/accounts/", "/accounts/"),
    ],
)
def test_a_path_is_resolved_before_anyone_compares_it(gate: Gate, path: str, target: str) -> None:
    challenged(gate.raw(request_bytes("GET", path)))
    answer = gate.raw(request_bytes("GET", path, list(bearer(mint(GOOD)).items())))
    assert answer is not None and answer.status_code == 200, answer
    assert gate.upstream("bank").only_request().target == target


# ---- somebody else's Envoy ---------------------------------------------------------------------------------------------


def test_failure_responses_can_be_stripped_to_the_status(start_gate: Callable[..., Gate]) -> None:
    stripped = start_gate(gateway_config(provider(GOOD), strip_failure_response=True))
    answer = stripped.get("/service/")
    assert answer.status_code == 401
    assert answer.content == b"" and "www-authenticate" not in answer.headers
