"""/services/status/ in a real Envoy with two workers: each service is asked by one of them at a time, and all know."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from harness.config import gateway_config, provider
from harness.fetching import every_worker_took_part
from harness.gate import Gate
from harness.http_server import Connection, TcpServer, parse_head, response
from harness.keys import key
from harness.refusals import challenged, problem
from harness.tokens import bearer, mint
from harness.waiting import eventually

ISSUERS_KEY = key("ES256")
INTERVAL_SECONDS = 1.0
PROBE_PATH = "/well"


class Moody:
    """A service that answers its probes as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.probes: list[tuple[str, str]] = []
        self._server = TcpServer(self._serve)

    @property
    def port(self) -> int:
        return self._server.port

    def close(self) -> None:
        self._server.close()

    def _serve(self, connection: Connection) -> None:
        while (head := connection.read_head()) is not None:
            method, target, _ = parse_head(head)
            self.probes.append((method, target))
            connection.sock.sendall(response(self.status, b"{}"))


@pytest.fixture(scope="module")
def moody() -> Iterator[Moody]:
    server = Moody()
    yield server
    server.close()


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate], moody: Moody) -> Gate:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        down = closed.getsockname()[1]
    services: dict[str, dict[str, Any]] = {
        "moody": {"prefix": "/moody/", "cluster": "moody", "health_path": PROBE_PATH},
        "moody-too": {"prefix": "/too/", "cluster": "moody", "health_path": PROBE_PATH, "public": True},
        "<b>'closed'</b>": {"prefix": "/closed/", "cluster": "down", "health_path": "/"},
        "slow": {"prefix": "/slow/", "cluster": "service", "health_path": "/hold"},
        "sick": {"prefix": "/sick/", "cluster": "service", "health_path": "/refuse"},
        "broken": {"prefix": "/broken/", "cluster": "service", "health_path": "/cut"},
        "missing": {"prefix": "/missing/", "cluster": "nowhere", "health_path": "/"},
        "silent": {"prefix": "/silent/", "cluster": "service"},
    }
    config = gateway_config(
        provider(ISSUERS_KEY),
        services=services,
        endpoints={"status": {"interval": f"{INTERVAL_SECONDS:.0f}s", "timeout": "0.5s"}},
    )
    return start_gate(config, clusters={"moody": moody.port, "down": down})


def operator(**headers: str) -> dict[str, str]:
    return {**bearer(mint(ISSUERS_KEY, scope="ops.read")), **headers}


def account(gate: Gate) -> dict[str, Any]:
    answer = gate.get("/services/status/", headers=operator())
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def services(gate: Gate) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in account(gate)["services"]}


def test_each_service_is_told_with_what_is_wrong(gate: Gate) -> None:
    expected = {
        "moody": ("up", None),
        "moody-too": ("up", None),
        "<b>'closed'</b>": ("down", "no_connection"),
        "slow": ("down", "timeout"),
        "sick": ("down", "status"),
        "broken": ("down", "no_connection"),
        "missing": ("down", "unknown_cluster"),
        "silent": ("unchecked", None),
    }

    def told() -> bool:
        shown = services(gate)
        assert {
            name: (row["state"], row["last_error"] and row["last_error"]["code"]) for name, row in shown.items()
        } == expected
        return True

    eventually(told, "all services have been asked")
    shown = services(gate)
    assert shown["sick"]["last_error"]["detail"] == "answered with status 418"
    assert shown["slow"]["latency_ms"] > 0
    assert shown["moody"]["since"] <= shown["moody"]["checked_at"]
    assert shown["moody"]["public"] is False and shown["moody-too"]["public"] is True
    assert shown["silent"]["since"] is None
    whole = account(gate)
    assert (whole["status"], whole["interval_seconds"]) == ("down", INTERVAL_SECONDS)


def test_one_worker_asks_once_in_an_interval(gate: Gate, moody: Moody) -> None:
    """Two workers and the main thread, and two services with the same address. A slow machine only makes probes rarer."""
    moody.probes.clear()
    began = time.monotonic()
    enough = 10
    eventually(lambda: len(moody.probes) >= enough, "it has been asked several times")
    # The first of them may have been on its way already.
    assert time.monotonic() - began >= (enough - 2) * INTERVAL_SECONDS
    assert set(moody.probes) == {("GET", PROBE_PATH)}


def test_a_change_is_told_with_its_time_and_the_last_error_stays(gate: Gate, moody: Moody) -> None:
    eventually(lambda: services(gate)["moody"]["state"] == "up", "it is well")
    before = services(gate)["moody"]
    moody.status = 503
    try:
        down = eventually(
            lambda: (row if (row := services(gate)["moody"])["state"] == "down" else None), "it is seen to be unwell"
        )
        assert down["since"] > before["since"]
        assert (down["last_error"]["code"], down["last_error"]["detail"]) == ("status", "answered with status 503")
        gauge = "wasmcustom.gatehouse.service.moody.up"
        eventually(lambda: gate.envoy.counters(gauge).get(gauge) == 0, "the gauge shows it")
    finally:
        moody.status = 200
    up = eventually(
        lambda: (row if (row := services(gate)["moody"])["state"] == "up" else None), "it is seen to be well again"
    )
    assert up["since"] > down["since"]
    assert up["last_error"]["code"] == "status"
    assert "moody, moody-too: down (/well at the cluster moody: answered with status 503)" in gate.envoy.log_text()


def test_all_workers_know_the_same(gate: Gate) -> None:
    def since() -> str:
        with httpx.Client(base_url=gate.url, trust_env=False, timeout=60) as client:
            rows = client.get("/services/status/", headers=operator()).json()["services"]
        return next(row["since"] for row in rows if row["name"] == "sick")

    assert len({since() for _ in range(30)}) == 1
    assert every_worker_took_part(gate)


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_people_get_a_page(gate: Gate) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    answer = gate.get("/services/status/", headers=operator(accept=accept))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["vary"] == "accept"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy
    page = Page(answer.text)
    assert "<b>'closed'</b>" in page.texts, "the name is text"
    assert not {"b", "script", "link", "img", "iframe"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "style")]
    assert "answered with status 418" in page.texts


def test_head_has_no_body(gate: Gate) -> None:
    answer = gate.client.head("/services/status", headers=operator())
    assert (answer.status_code, answer.content) == (200, b"")


def test_it_is_for_those_whose_token_allows_it(gate: Gate) -> None:
    challenged(gate.get("/services/status/"))
    answer = gate.get("/services/status/", headers=bearer(mint(ISSUERS_KEY, scope="bank.read")))
    assert problem(answer, 403, "insufficient_scope")["scope"] == "ops.read"
    problem(gate.client.post("/services/status/", headers=operator()), 405, "method_not_allowed")


def test_nobody_is_asked_where_nobody_wants_to_know(start_gate: Callable[..., Gate]) -> None:
    services = {"service": {"prefix": "/", "cluster": "service", "health_path": PROBE_PATH}}
    idle = start_gate(gateway_config(provider(ISSUERS_KEY), services=services))
    written = "wasmcustom.gatehouse.denied"
    challenged(idle.get("/x"))
    # What a tick writes is there, so ticks have come.
    eventually(lambda: idle.envoy.counters(written).get(written) == 1, "a tick has come")
    assert idle.upstream("service").probes == []


def test_a_service_that_was_up_is_down_after_as_many_failures_as_asked_for(
    start_gate: Callable[..., Gate], moody: Moody
) -> None:
    asked = {"interval": "1s", "unhealthy_after": 3}
    config = gateway_config(
        provider(ISSUERS_KEY),
        services={"moody": {"prefix": "/", "cluster": "moody", "health_path": "/patient"}},
        endpoints={"status": asked},
    )
    patient = start_gate(config, clusters={"moody": moody.port})
    eventually(lambda: services(patient)["moody"]["state"] == "up", "it is well")

    def probes() -> int:
        return moody.probes.count(("GET", "/patient"))

    before = probes()
    moody.status = 500
    try:
        seen = eventually(
            lambda: (row if (row := services(patient)["moody"])["last_error"] else None), "one failure is known"
        )
        if seen["state"] == "up":
            assert seen["last_error"]["code"] == "status"
        eventually(lambda: services(patient)["moody"]["state"] == "down", "three failures are known")
        assert probes() - before >= 3
    finally:
        moody.status = 200
