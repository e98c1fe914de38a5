"""Identity headers that a client can't forge: in no spelling, on no route, whatever the token says."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from harness.config import gateway_config, provider
from harness.gate import Gate
from harness.http_server import Request
from harness.keys import key
from harness.raw import request_bytes
from harness.tokens import NEVER, SUBJECT, mint

GOOD = key("ES256")

# One name to a server that folds header names, as CGI, WSGI and many frameworks do.
SPELLINGS = [
    "x-user-id",
    "X-User-Id",
    "X-USER-ID",
    "x-User-iD",
    "x_user_id",
    "X_User_Id",
    "X_USER_ID",
    "x.user.id",
    "X.User.Id",
    "x-user_id",
    "x_user-id",
    "x-user.id",
    "x.user-id",
    "x_user.id",
    "x.user_id",
    "X-User_ID",
    "x!user!id",
    "x#user#id",
    "x$user$id",
    "x%user%id",
    "x&user&id",
    "x'user'id",
    "x*user*id",
    "x+user+id",
    "x^user^id",
    "x`user`id",
    "x|user|id",
    "x~user~id",
    "x-user~id",
    "x_user+id",
    "X.USER_ID",
    "x!user.id",
]
EDGE_NAMES = [
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-uri",
    "x-forwarded-prefix",
    "x-real-ip",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-http-method-override",
    "forwarded",
    "X_Forwarded_User",
    "X.Original.Url",
    "x_http_method_override",
    "FORWARDED",
]


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Gate:
    return start_gate(gateway_config(provider(GOOD), headers={"profile": "edge", "trusted": ["x-user-roles"]}))


def send(gate: Gate, path: str, headers: list[tuple[str, str]], token: str | None) -> Request:
    """What the service saw of a request that got through."""
    gate.clear()
    sent = headers + ([("authorization", f"Bearer {token}")] if token else [])
    answer = gate.raw(request_bytes("GET", path, sent))
    assert answer is not None and answer.status_code == 200, answer
    return gate.upstream("service").only_request()


def folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "-", name.lower())


def values(request: Request, name: str) -> list[str]:
    """All values that a folding server would read under this name."""
    return [value for found, value in request.headers if folded(found) == name]


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_forged_identity_never_arrives_on_a_protected_route(gate: Gate, name: str) -> None:
    seen = send(gate, "/service/", [(name, "forged")], mint(GOOD))
    assert values(seen, "x-user-id") == [SUBJECT]


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_forged_identity_never_arrives_on_a_public_route(gate: Gate, name: str) -> None:
    for token in (None, mint(GOOD)):
        assert values(send(gate, "/open/", [(name, "forged")], token), "x-user-id") == []


def test_all_spellings_at_once_and_each_one_twice(gate: Gate) -> None:
    forged = [(name, f"forged-{number}") for number in (1, 2) for name in SPELLINGS]
    assert values(send(gate, "/service/", forged, mint(GOOD)), "x-user-id") == [SUBJECT]
    assert values(send(gate, "/open/", forged, None), "x-user-id") == []


@pytest.mark.parametrize("missing", [NEVER, None, ""])
def test_a_forged_header_goes_even_when_the_token_has_no_such_claim(gate: Gate, missing: object) -> None:
    forged = [("x-user-name", "root"), ("x_user_name", "root"), ("X-User-Scope", "everything")]
    seen = send(gate, "/service/", forged, mint(GOOD, username=missing, scope=missing))
    assert values(seen, "x-user-name") == []
    assert values(seen, "x-user-scope") == []
    assert values(seen, "x-user-id") == [SUBJECT]


@pytest.mark.parametrize("name", EDGE_NAMES)
def test_the_edge_profile_removes_what_upstreams_believe_about_callers(gate: Gate, name: str) -> None:
    for path, token in (("/service/", mint(GOOD)), ("/open/", None)):
        assert values(send(gate, path, [(name, "forged")], token), folded(name)) == []


@pytest.mark.parametrize("name", ["x-user-roles", "X_User_Roles", "x.user.roles"])
def test_names_that_the_configuration_trusts_are_removed_as_well(gate: Gate, name: str) -> None:
    for path, token in (("/service/", mint(GOOD)), ("/open/", None)):
        assert values(send(gate, path, [(name, "admin")], token), "x-user-roles") == []


@pytest.mark.parametrize(
    "name", ["x-gatehouse-cluster", "X_Gatehouse_Cluster", "x.gatehouse.cluster", "x-gatehouse-anything"]
)
def test_the_gates_own_names_never_come_from_outside(gate: Gate, name: str) -> None:
    for path, token in (("/service/", mint(GOOD)), ("/open/", None)):
        assert "forged" not in values(send(gate, path, [(name, "forged")], token), folded(name))


def test_ordinary_headers_arrive_as_they_were_sent(gate: Gate) -> None:
    ordinary = [
        ("accept", "application/json"),
        ("X-Custom", "Value"),
        ("x-user", "kept"),
        ("x-user-idx", "kept"),
        ("accept-language", "de, en;q=0.5"),
        ("x-twice", "1"),
        ("x-twice", "2"),
    ]
    seen = send(gate, "/service/", ordinary, mint(GOOD))
    for name, value in ordinary:
        assert any(value in found for found in seen.all(name)), (name, seen.headers)


@pytest.mark.parametrize(
    "connection",
    [
        "x-user-id",
        "X-User-Id",
        "close, x-user-id",
        "x-user-id, x-user-name, x-user-scope",
        " x_user_id ,keep-alive",
        "x-gatehouse-cluster",
    ],
)
def test_the_connection_header_can_not_make_a_later_hop_drop_the_identity(gate: Gate, connection: str) -> None:
    seen = send(gate, "/service/", [("connection", connection)], mint(GOOD))
    assert values(seen, "x-user-id") == [SUBJECT]
    options = ",".join(seen.all("connection")).lower()
    assert "x-user" not in options and "x_user" not in options and "gatehouse" not in options


def test_the_token_goes_to_nobody_unless_it_is_to_be_forwarded(gate: Gate, start_gate: Callable[..., Gate]) -> None:
    token = mint(GOOD)
    assert send(gate, "/service/", [], token).all("authorization") == []
    forwarding = start_gate(gateway_config(provider(GOOD, forward=True)))
    assert send(forwarding, "/service/", [], token).all("authorization") == [f"Bearer {token}"]


def test_a_token_in_the_query_does_not_reach_the_service_either(gate: Gate) -> None:
    token = mint(GOOD)
    gate.clear()
    assert gate.get(f"/service/list?page=2&access_token={token}&sort=a%20b").status_code == 200
    target = gate.upstream("service").only_request().target
    assert token not in target
    assert target == "/service/list?page=2&sort=a%20b"


@pytest.mark.parametrize("authorization", ["Basic YWxpY2U6c2VjcmV0", "Bearer not-even-a-token", "Digest a=b"])
def test_public_routes_get_authorization_untouched(gate: Gate, authorization: str) -> None:
    seen = send(gate, "/open/token", [("authorization", authorization)], None)
    assert seen.all("authorization") == [authorization]


@pytest.mark.parametrize(
    "value",
    [
        "a\r\nx-user-id: root",
        "a\nx-user-id: root",
        "a\rb",
        "a\0b",
        "\r\n\r\nGET /open/ HTTP/1.1",
        "caf\u00e9",
        "\u202eevil",
        "\u0085next",
    ],
)
def test_a_claim_never_breaks_a_header(gate: Gate, value: str) -> None:
    gate.clear()
    token = mint(GOOD, username=value)
    answer = gate.raw(request_bytes("GET", "/service/", [("authorization", f"Bearer {token}")]))
    assert answer is not None and answer.status_code in (200, 401), answer
    for request in gate.upstream("service").requests:
        assert values(request, "x-user-id") == [SUBJECT]
        for arrived in values(request, "x-user-name"):
            assert all(letter >= " " for letter in arrived), repr(arrived)
    assert len(gate.upstream("service").requests) == (1 if answer.status_code == 200 else 0)


def test_two_users_requests_never_mix(gate: Gate) -> None:
    tokens = {f"user-{number}": mint(GOOD, sub=f"user-{number}", username=f"name-{number}") for number in range(8)}
    for _ in range(5):
        for subject, token in tokens.items():
            seen = send(gate, "/service/", [], token)
            assert (seen.one("x-user-id"), seen.one("x-user-name")) == (subject, subject.replace("user", "name"))


def test_without_the_headers_section_only_the_mapped_headers_are_touched(start_gate: Callable[..., Gate]) -> None:
    """A configuration pasted from Envoy's own filter behaves as it did there."""
    config = gateway_config(provider(GOOD))
    del config["headers"]
    plain = start_gate(config)
    seen = send(plain, "/service/", [("x-real-ip", "192.0.2.1"), ("x-user-id", "forged")], mint(GOOD))
    assert seen.all("x-real-ip") == ["192.0.2.1"]
    assert values(seen, "x-user-id") == [SUBJECT]
