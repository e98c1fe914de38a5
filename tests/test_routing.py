"""From the path to the service: who gets where, and which spellings of a path get nowhere.

In a bare Envoy, which neither normalises paths nor merges slashes: the gate has to hold on its own.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness.config import gateway_config, provider
from harness.gate import Gate
from harness.keys import key
from harness.raw import request_bytes
from harness.refusals import challenged, problem
from harness.tokens import bearer, mint

GOOD = key("ES256")

SERVICES = {
    "bank": {"prefix": "/bank/", "cluster": "bank", "prefix_rewrite": "/"},
    "bank-reports": {"prefix": "/bank/reports/", "cluster": "reports"},
    "open": {"prefix": "/open/", "cluster": "open", "public": True},
    "lost": {"prefix": "/lost/", "cluster": "no-such-cluster"},
}

# Each of these means /bank/… or /open/… to one reader and something else to another.
TRICKS = [
    "//bank/accounts/",
    "/bank//accounts/",
    "/open//../bank/accounts/",
    "/open/../bank/accounts/",
    "/open/./../bank/",
    "/open/%2e%2e/bank/accounts/",
    "/open/%2E%2E/bank/",
    "/open/.%2e/bank/",
    "/open/%2e./bank/",
    "/open/..%2fbank/",
    "/open/..%2Fbank%2Faccounts/",
    "/open/%2e%2e%2fbank/",
    "/open%2f..%2fbank/",
    "/open/..%5cbank/",
    "/open/..%5Cbank/",
    "/open/..\\bank/",
    "/open\\..\\bank/",
    "/open/..;/bank/",
    "/open/..;x=1/bank/",
    "/open/;/../bank/",
    "/open;/../bank/",
    "/open/%2e%2e;/bank/",
    "/open/%00/../bank/",
    "/open%00/../../bank/",
    "/open/..%00/bank/",
    "/open/%252e%252e/bank/",
    "/open/%252e%252e%252fbank/",
    "/open/%25%32%65%25%32%65/bank/",
    "/open/..%c0%afbank/",
    "/open/%c0%ae%c0%ae/bank/",
    "/open/%e0%80%ae%e0%80%ae/bank/",
    "/open/....//bank/",
    "/open/%%32%65%%32%65/bank/",
    "/./bank/",
    "/bank/./",
    "/bank/%2e/",
    "/bank/..",
    "/open/..",
    "/..",
    "/open/%2e%2e",
    "/open/%0a/../bank/",
    "/open/%0d%0ax-user-id:%20root/",
    "/open/%u002e%u002e/bank/",
    "/open/%2",
    "/open/%",
    "/open/%zz/",
    "bank/accounts/",
    "open/../bank/",
    "*",
    "",
    ".",
    "..",
]
# Tricks that begin with another slash, dot or case, but hide nothing: they are simply no path of any service.
NOWHERE = ["/BANK/accounts/", "/Open/", "/OPEN/", "/opening/", "/open-", "/openbank/", "/banking/", "/bank.json", "/"]


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Gate:
    config = gateway_config(provider(GOOD), services=SERVICES)
    return start_gate(config, upstreams=("bank", "reports", "open"))


@pytest.fixture(autouse=True)
def _clean(gate: Gate) -> None:
    gate.clear()


def seen_targets(gate: Gate) -> dict[str, list[str]]:
    return {name: [r.target for r in server.requests] for name, server in gate.upstreams.items() if server.requests}


# ---- to the right service ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "service", "target"),
    [
        ("/bank/accounts/", "bank", "/accounts/"),
        ("/bank/", "bank", "/"),
        ("/bank/accounts/1/?a=b&c=d%20e", "bank", "/accounts/1/?a=b&c=d%20e"),
        ("/bank/accounts?next=/open/../../x", "bank", "/accounts?next=/open/../../x"),
        ("/bank/reports/2026", "reports", "/bank/reports/2026"),
        ("/bank/reportsx/2026", "bank", "/reportsx/2026"),
        ("/bank/a:b@c!$&'()*+,=", "bank", "/a:b@c!$&'()*+,="),
        ("/bank/...", "bank", "/..."),
        ("/bank/a..b/.hidden", "bank", "/a..b/.hidden"),
    ],
)
def test_a_path_reaches_its_service(gate: Gate, path: str, service: str, target: str) -> None:
    assert gate.raw(request_bytes("GET", path, list(bearer(mint(GOOD)).items()))).status_code == 200  # type: ignore[union-attr]
    assert seen_targets(gate) == {service: [target]}


def test_a_public_service_needs_no_token(gate: Gate) -> None:
    assert gate.get("/open/page?x=1").status_code == 200
    assert seen_targets(gate) == {"open": ["/open/page?x=1"]}


@pytest.mark.parametrize("forged", ["bank", "open", "no-such-cluster", ""])
def test_the_client_has_no_say_in_the_upstream(gate: Gate, forged: str) -> None:
    headers = [
        ("x-gatehouse-cluster", forged),
        ("X-Gatehouse-Cluster", "bank"),
        ("authorization", f"Bearer {mint(GOOD)}"),
    ]
    answer = gate.raw(request_bytes("GET", "/bank/reports/", headers))
    assert answer is not None and answer.status_code == 200
    assert list(seen_targets(gate)) == ["reports"]


def test_a_forged_cluster_opens_no_unknown_path(gate: Gate) -> None:
    headers = {**bearer(mint(GOOD)), "x-gatehouse-cluster": "bank"}
    problem(gate.get("/nowhere/", headers=headers), 404)
    gate.nobody_was_contacted()


# ---- to nobody ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", NOWHERE)
def test_an_unknown_path_is_401_for_strangers_and_404_for_callers(gate: Gate, path: str) -> None:
    challenged(gate.raw(request_bytes("GET", path)))
    problem(gate.raw(request_bytes("GET", path, list(bearer(mint(GOOD)).items()))), 404)
    gate.nobody_was_contacted()


@pytest.mark.parametrize("path", TRICKS)
def test_a_tricky_path_gets_nowhere_without_a_token(gate: Gate, path: str) -> None:
    answer = gate.raw(request_bytes("GET", path))
    assert answer is None or answer.status_code in (400, 401, 404), answer
    gate.nobody_was_contacted()


@pytest.mark.parametrize("path", TRICKS)
def test_a_tricky_path_is_never_forwarded_even_with_a_token(gate: Gate, path: str) -> None:
    answer = gate.raw(request_bytes("GET", path, list(bearer(mint(GOOD)).items())))
    assert answer is None or answer.status_code in (400, 404), answer
    gate.nobody_was_contacted()


@pytest.mark.parametrize(
    "target",
    [
        "http://gate/bank/accounts/",
        "http://open/bank/accounts/",
        "http://gate:80/bank/accounts/",
        "HTTP://GATE/bank/",
        "http://gate/open/../bank/",
        "https://gate/bank/",
        "http://user@gate/bank/",
        "http://gate",
        "http://gate/bank",
    ],
)
def test_an_absolute_form_target_opens_nothing(gate: Gate, target: str) -> None:
    answer = gate.raw(request_bytes("GET", target))
    assert answer is None or answer.status_code in (400, 401, 404), answer
    gate.nobody_was_contacted()


@pytest.mark.parametrize(
    "host", ["open", "OPEN", "gate:8080", "gate.", "GATE:80", "open/../bank", "127.0.0.1", "[::1]:8080"]
)
def test_the_host_changes_nothing(gate: Gate, host: str) -> None:
    answer = gate.raw(request_bytes("GET", "/bank/accounts/", host=host))
    assert answer is None or answer.status_code in (400, 401), answer
    gate.nobody_was_contacted()


@pytest.mark.parametrize(
    "path", ["/bank/?/open/", "/bank/?x=/open/page", "/nowhere?/open/", "/bank/#/open/", "/?/open/"]
)
def test_the_query_opens_nothing(gate: Gate, path: str) -> None:
    answer = gate.raw(request_bytes("GET", path))
    assert answer is not None and answer.status_code in (400, 401), answer
    gate.nobody_was_contacted()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_every_method_is_judged(gate: Gate, method: str) -> None:
    with_head = gate.client.request(method, "/bank/accounts/")
    assert with_head.status_code in (400, 401, 405), with_head
    gate.nobody_was_contacted()


def test_a_service_whose_cluster_does_not_exist_is_refused_without_a_default(gate: Gate) -> None:
    answer = gate.get("/lost/", headers=bearer(mint(GOOD)))
    assert answer.status_code == 503
    gate.nobody_was_contacted()


# ---- the gate itself ---------------------------------------------------------------------------------------------------


def test_health_says_only_that_the_gate_stands(gate: Gate) -> None:
    answer = gate.get("/health/")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    gate.nobody_was_contacted()


@pytest.mark.parametrize(
    "path", ["/health/live", "/health/x", "/health.json", "/health/../bank/", "/healthy/", "/health//"]
)
def test_what_only_looks_like_health_is_not_public(gate: Gate, path: str) -> None:
    answer = gate.raw(request_bytes("GET", path))
    assert answer is not None and answer.status_code in (400, 401), answer
    gate.nobody_was_contacted()
