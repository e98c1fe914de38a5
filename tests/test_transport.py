"""How tokens and requests arrive: schemes, repeated tokens, odd bytes, masses of headers, upgrades, gRPC, CORS.

In a bare Envoy: what holds here holds wherever the plugin is loaded.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from harness.config import gateway_config, provider
from harness.envoy import direct_route
from harness.gate import Gate
from harness.keys import key
from harness.raw import RawClient, exchange, request_bytes
from harness.refusals import challenged, problem, unauthorized
from harness.tokens import SUBJECT, bearer, mint

GOOD = key("ES256")
PROTECTED = "/service/things/"


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Gate:
    return start_gate(gateway_config(provider(GOOD)))


@pytest.fixture(scope="module")
def roomy_gate(start_gate: Callable[..., Gate]) -> Gate:
    """An Envoy that lets through far more headers than it should: the plugin gets to see them."""
    limits = {"max_request_headers_kb": 8192, "common_http_protocol_options": {"max_headers_count": 20_000}}
    return start_gate(gateway_config(provider(GOOD)), connection_manager=limits)


@pytest.fixture(autouse=True)
def _clean(gate: Gate) -> None:
    gate.clear()


def still_works(gate: Gate) -> None:
    """A good request passes, a bad one does not, and the plugin never crashed."""
    gate.clear()
    # More requests than workers, each on a new connection: every worker is asked.
    for _ in range(6):
        answer = httpx.get(gate.url + PROTECTED, headers=bearer(mint(GOOD)), trust_env=False, timeout=60)
        assert answer.status_code == 200, answer.text
        challenged(httpx.get(gate.url + PROTECTED, trust_env=False, timeout=60))
    log = gate.envoy.log_text()
    assert "failed: Uncaught" not in log, "the plugin crashed"
    assert "panicked" not in log, "the plugin panicked"


# ---- the token's place -------------------------------------------------------------------------------------------------


def test_a_good_token_passes_and_tells_the_service_who_is_calling(gate: Gate) -> None:
    assert gate.get(PROTECTED, headers=bearer(mint(GOOD))).status_code == 200
    seen = gate.upstream("service").only_request()
    assert seen.one("x-user-id") == SUBJECT
    assert seen.one("x-user-name") == "alice"
    assert seen.one("x-user-scope") == "bank.read bank.write"
    assert seen.all("authorization") == [], "the token stays at the gate"


def test_no_token_is_refused_with_a_bare_challenge(gate: Gate) -> None:
    document = challenged(gate.get(PROTECTED))
    assert document["code"] == "token_missing"
    gate.nobody_was_contacted()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_may_come_in_any_case(gate: Gate, scheme: str) -> None:
    assert gate.get(PROTECTED, headers={"authorization": f"{scheme} {mint(GOOD)}"}).status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        "Basic " + base64.b64encode(b"alice:secret").decode(),
        "Digest username=alice",
        "DPoP {token}",
        "Token {token}",
        "Bearer",
        "Bearer ",
        "Bearer    ",
        "{token}",
        "Bearer{token}",
        "Bearer: {token}",
        "Bearer={token}",
        "Bearer {token} trailing",
        "Bearer {token},{token}",
        "Bearer Bearer {token}",
        'Bearer "{token}"',
        "",
    ],
)
def test_another_scheme_or_an_empty_token_is_refused(gate: Gate, value: str) -> None:
    sent = request_bytes("GET", PROTECTED, [("authorization", value.replace("{token}", mint(GOOD)))])
    answer = gate.raw(sent)
    problem(answer, 401)
    assert answer is not None and answer.headers["www-authenticate"].startswith("Bearer ")
    gate.nobody_was_contacted()


@pytest.fixture(scope="module")
def lenient_gate(start_gate: Callable[..., Gate]) -> Gate:
    """As a user of Envoy's own filter would have it: rules, no services, and callers without a token are let in."""
    either = {"requires_any": {"requirements": [{"provider_name": "issuer"}, {"allow_missing": {}}]}}
    config = {"providers": {"issuer": provider(GOOD)}, "rules": [{"match": {"prefix": "/"}, "requires": either}]}
    return start_gate(config, connection_manager={"route_config": direct_route("service")})


@pytest.mark.parametrize("value", [None, "", "Basic YWxpY2U6c2VjcmV0", "Digest a=b", "Token x"])
def test_where_a_token_may_be_missing_another_scheme_counts_as_missing(lenient_gate: Gate, value: str | None) -> None:
    lenient_gate.clear()
    headers = {"x-user-id": "forged", **({} if value is None else {"authorization": value})}
    assert lenient_gate.get("/anything/", headers=headers).status_code == 200
    assert lenient_gate.upstream("service").only_request().all("x-user-id") == []


def test_where_a_token_may_be_missing_a_bad_one_is_still_refused(lenient_gate: Gate) -> None:
    lenient_gate.clear()
    for token in ("x.y.z", mint(GOOD, exp=1), mint(GOOD) + "x"):
        unauthorized(lenient_gate.get("/anything/", headers=bearer(token)))
    lenient_gate.nobody_was_contacted()
    assert lenient_gate.get("/anything/", headers=bearer(mint(GOOD))).status_code == 200
    assert lenient_gate.upstream("service").only_request().all("x-user-id") == [SUBJECT]


def test_two_authorization_headers_are_refused_in_either_order(gate: Gate) -> None:
    good, other = ("authorization", f"Bearer {mint(GOOD)}"), ("authorization", "Bearer x.y.z")
    basic = ("authorization", "Basic YTpi")
    for pair in ([good, other], [other, good], [good, good], [good, basic]):
        unauthorized(gate.raw(request_bytes("GET", PROTECTED, pair)))
    # Envoy joins the two with a comma before the gate sees them: what begins with Basic is no bearer token at all.
    problem(gate.raw(request_bytes("GET", PROTECTED, [basic, good])), 401)
    gate.nobody_was_contacted()


def test_a_token_in_the_header_and_in_the_query_is_refused(gate: Gate) -> None:
    token = mint(GOOD)
    for query in (token, "x.y.z", mint(GOOD, sub="somebody-else")):
        unauthorized(gate.get(PROTECTED, params={"access_token": query}, headers=bearer(token)))
    gate.nobody_was_contacted()


def test_a_token_twice_in_the_query_is_refused(gate: Gate) -> None:
    token = mint(GOOD)
    unauthorized(gate.get(f"{PROTECTED}?access_token={token}&access_token={token}"))
    gate.nobody_was_contacted()


# ---- bytes and masses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", b"Bearer \xff\xfe\xfd"),
        ("authorization", b"\xff\xff\xff\xff"),
        ("authorization", b"Bearer \xc3\x28.\xa0\xa1.\xe2\x28\xa1"),
        ("cookie", b"a=\xff\xfe; \x80=\x81"),
        ("x-user-id", b"\xff\xff"),
        ("x-anything", bytes(range(0x80, 0x100))),
        ("content-type", b"application/\xff"),
        ("x-request-id", b"\xf0\x28\x8c\x28"),
        ("connection", b"x-\xff-id, close"),
        ("origin", b"https://\xff.example"),
        ("upgrade", b"web\xffsocket"),
    ],
    ids=lambda header: f"{header[0]}-{header[1][:6].hex()}",
)
def test_bytes_that_are_not_utf8_never_hurt_the_next_request(gate: Gate, header: tuple[str, bytes]) -> None:
    exchange(gate.port, request_bytes("GET", PROTECTED, [header]))
    if header[0] != "authorization":
        exchange(gate.port, request_bytes("GET", PROTECTED, [("authorization", f"Bearer {mint(GOOD)}"), header]))
    still_works(gate)


@pytest.mark.parametrize(
    "target", [b"/service/\xff\xfe", b"/\xc0\xae\xc0\xae/", b"/service/?access_token=\xff", b"/service/?\x80=\x81"]
)
def test_a_target_that_is_not_utf8_never_hurts_the_next_request(gate: Gate, target: bytes) -> None:
    answer = exchange(gate.port, b"GET " + target + b" HTTP/1.1\r\nhost: gate\r\n\r\n")
    assert answer is None or answer.status_code in (400, 401), answer
    gate.nobody_was_contacted()
    still_works(gate)


def test_ten_thousand_headers_are_refused_by_envoys_limits(gate: Gate) -> None:
    headers = [(f"x-filler-{number}", "x") for number in range(10_000)]
    answer = exchange(gate.port, request_bytes("GET", PROTECTED, headers))
    assert answer is None or answer.status_code in (400, 431), answer
    gate.nobody_was_contacted()
    still_works(gate)


def test_ten_megabytes_of_headers_are_refused_by_envoys_limits(gate: Gate) -> None:
    answer = exchange(gate.port, request_bytes("GET", PROTECTED, [("x-filler", "x" * 10_000_000)]))
    assert answer is None or answer.status_code in (400, 431), answer
    gate.nobody_was_contacted()
    still_works(gate)


def test_the_plugin_itself_bears_ten_thousand_headers(roomy_gate: Gate) -> None:
    roomy_gate.clear()
    headers = [(f"x-filler-{number}", "x") for number in range(10_000)]
    challenged(exchange(roomy_gate.port, request_bytes("GET", PROTECTED, headers)))
    roomy_gate.nobody_was_contacted()
    still_works(roomy_gate)


def test_the_plugin_itself_bears_ten_thousand_forged_identity_headers(roomy_gate: Gate) -> None:
    headers = [("authorization", f"Bearer {mint(GOOD)}"), *[("x-user-id", f"forged-{n}") for n in range(10_000)]]
    roomy_gate.clear()
    answer = exchange(roomy_gate.port, request_bytes("GET", PROTECTED, headers))
    assert answer is not None and answer.status_code == 200
    assert roomy_gate.upstream("service").only_request().all("x-user-id") == [SUBJECT]
    still_works(roomy_gate)


def test_the_plugin_itself_bears_megabytes_in_one_token(roomy_gate: Gate) -> None:
    roomy_gate.clear()
    for token in ("x" * 4_000_000, "." * 4_000_000, f"{mint(GOOD)}{'A' * 4_000_000}"):
        unauthorized(exchange(roomy_gate.port, request_bytes("GET", PROTECTED, [("authorization", "Bearer " + token)])))
    roomy_gate.nobody_was_contacted()
    still_works(roomy_gate)


def test_a_storm_of_random_requests_never_hurts_the_next_request(gate: Gate) -> None:
    for round_number in range(40):
        noise = os.urandom(300).replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")
        exchange(
            gate.port, request_bytes("GET", PROTECTED, [("authorization", b"Bearer " + noise), ("x-noise", noise)])
        )
        exchange(gate.port, b"GET " + noise[: round_number + 1] + b"\r\n\r\n")
    gate.nobody_was_contacted()
    still_works(gate)


# ---- bodies ------------------------------------------------------------------------------------------------------------


def test_a_refused_body_never_reaches_the_service(gate: Gate) -> None:
    connections = gate.upstream("service").connections
    challenged(gate.client.post(PROTECTED, content=b"secret" * 10_000))
    unauthorized(gate.client.post(PROTECTED, content=b"secret" * 10_000, headers=bearer("x.y.z")))
    gate.nobody_was_contacted()
    assert gate.upstream("service").connections == connections, "not even a connection is opened"


def test_a_caller_who_waits_for_100_continue_is_refused_without_sending_the_body(gate: Gate) -> None:
    with RawClient(gate.port) as client:
        client.send(b"POST /service/ HTTP/1.1\r\nhost: gate\r\nexpect: 100-continue\r\ncontent-length: 1000\r\n\r\n")
        answer = client.receive()
        # Envoy itself may say 100 before any plugin is asked; the refusal follows although the body never comes.
        while answer is not None and answer.status_code == 100:
            answer = client.receive()
        challenged(answer)
    gate.nobody_was_contacted()


def test_a_body_arrives_whole_with_a_good_token(gate: Gate) -> None:
    body = os.urandom(200_000)
    assert gate.client.post(PROTECTED, content=body, headers=bearer(mint(GOOD))).status_code == 200
    assert gate.upstream("service").only_request().body == body


# ---- upgrades ----------------------------------------------------------------------------------------------------------

WEBSOCKET = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
]


def test_a_websocket_without_a_token_is_refused_and_not_upgraded(gate: Gate) -> None:
    for extra in ([], [("authorization", "Bearer x.y.z")]):
        answer = gate.raw(request_bytes("GET", PROTECTED, [*WEBSOCKET, *extra]))
        problem(answer, 401)
        assert answer is not None and "upgrade" not in answer.headers
    gate.nobody_was_contacted()


def test_a_websocket_with_a_token_is_upgraded_and_carries_the_identity(gate: Gate) -> None:
    with RawClient(gate.port) as client:
        client.send(request_bytes("GET", PROTECTED, [*WEBSOCKET, ("authorization", f"Bearer {mint(GOOD)}")]))
        answer = client.receive()
        assert answer is not None and answer.status_code == 101, answer
        client.send(b"frame-like bytes")
        assert client.read_some() == b"frame-like bytes"
    assert gate.upstream("service").only_request().one("x-user-id") == SUBJECT


def test_a_websocket_can_not_smuggle_identity_by_its_connection_header(gate: Gate) -> None:
    headers = [
        ("connection", "Upgrade, x-user-id"),
        *WEBSOCKET[1:],
        ("x-user-id", "forged"),
        ("authorization", f"Bearer {mint(GOOD)}"),
    ]
    with RawClient(gate.port) as client:
        client.send(request_bytes("GET", PROTECTED, headers))
        answer = client.receive()
        assert answer is not None and answer.status_code in (101, 400), answer
    assert all(request.all("x-user-id") == [SUBJECT] for request in gate.upstream("service").requests)


# ---- gRPC --------------------------------------------------------------------------------------------------------------

GRPC = {"content-type": "application/grpc", "te": "trailers"}


@pytest.fixture
def h2() -> Iterator[httpx.Client]:
    """HTTP/2 without TLS, from the first byte."""
    with httpx.Client(http1=False, http2=True, trust_env=False, timeout=60) as client:
        yield client


def grpc_status(answer: httpx.Response) -> str:
    """gRPC clients read the status from HTTP 200 with their content type; another HTTP status hides it from them."""
    assert answer.status_code == 200, (answer.status_code, answer.headers, answer.content)
    assert answer.headers["content-type"].startswith("application/grpc")
    assert answer.content == b"", "a trailers-only answer has no body"
    return str(answer.headers["grpc-status"])


@pytest.mark.parametrize("content_type", ["application/grpc", "application/grpc+proto", "application/grpc+json"])
def test_a_grpc_call_without_a_token_gets_unauthenticated(gate: Gate, h2: httpx.Client, content_type: str) -> None:
    answer = h2.post(
        gate.url + "/service/Method", headers={**GRPC, "content-type": content_type}, content=b"\0\0\0\0\0"
    )
    assert grpc_status(answer) == "16"
    gate.nobody_was_contacted()


def test_a_grpc_call_with_a_bad_token_gets_unauthenticated(gate: Gate, h2: httpx.Client) -> None:
    answer = h2.post(gate.url + "/service/Method", headers={**GRPC, **bearer("x.y.z")})
    assert grpc_status(answer) == "16"
    gate.nobody_was_contacted()


def test_a_grpc_call_for_another_audience_gets_permission_denied(gate: Gate, h2: httpx.Client) -> None:
    answer = h2.post(gate.url + "/service/Method", headers={**GRPC, **bearer(mint(GOOD, aud="elsewhere"))})
    assert grpc_status(answer) == "7"
    gate.nobody_was_contacted()


def test_a_content_type_that_only_begins_like_grpc_is_no_grpc(gate: Gate) -> None:
    challenged(gate.client.post(PROTECTED, headers={"content-type": "application/grpcfoo"}))


# ---- HTTP/2 ------------------------------------------------------------------------------------------------------------


def test_http2_is_judged_like_http1(gate: Gate, h2: httpx.Client) -> None:
    challenged(h2.get(gate.url + PROTECTED))
    assert h2.get(gate.url + PROTECTED, headers=bearer(mint(GOOD))).status_code == 200


# ---- CORS --------------------------------------------------------------------------------------------------------------

PREFLIGHT = {"origin": "https://app.example", "access-control-request-method": "POST"}


@pytest.fixture(scope="module")
def cors_gate(start_gate: Callable[..., Gate]) -> Gate:
    return start_gate(gateway_config(provider(GOOD), bypass_cors_preflight=True))


def test_a_real_preflight_passes_without_an_identity(cors_gate: Gate) -> None:
    cors_gate.clear()
    forged = {"x-user-id": "forged", "x_user_name": "forged"}
    assert cors_gate.client.options(PROTECTED, headers={**PREFLIGHT, **forged}).status_code == 200
    seen = cors_gate.upstream("service").only_request()
    assert [name for name, _ in seen.headers if re.match("x.user", name, re.IGNORECASE)] == []


def test_what_only_looks_like_a_preflight_is_refused(cors_gate: Gate) -> None:
    cors_gate.clear()
    origin, method = {"origin": PREFLIGHT["origin"]}, {"access-control-request-method": "POST"}
    for headers in ({}, origin, method):
        challenged(cors_gate.client.options(PROTECTED, headers=headers))
    for verb in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        challenged(cors_gate.client.request(verb, PROTECTED, headers=PREFLIGHT))
    for verb in ("options", "OPTIONSX"):
        answer = cors_gate.raw(request_bytes(verb, PROTECTED, list(PREFLIGHT.items())))
        assert answer is None or answer.status_code in (400, 401), answer
    cors_gate.nobody_was_contacted()


def test_no_preflight_passes_unless_that_is_configured(gate: Gate) -> None:
    challenged(gate.client.options(PROTECTED, headers=PREFLIGHT))
    gate.nobody_was_contacted()
