"""What Envoy does when the plugin itself breaks: the failure_policy that envoy.yaml chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.crashing_plugin import TRAPS_ABOVE_HEADERS, crashing_plugin
from harness.gate import Gate
from harness.jwks_server import JwksServer
from harness.refusals import problem
from harness.tokens import ISSUER
from harness.waiting import eventually

# The crashing plugin decides nothing, so the requests name their upstream themselves.
TO_BANK = {"x-gatehouse-cluster": "bank"}
CRASH = {**TO_BANK, **{f"x-filler-{number}": "x" for number in range(TRAPS_ABOVE_HEADERS)}}


@pytest.fixture(scope="module")
def gate(
    start_shipped_gate: Callable[..., Gate],
    start_jwks_server: Callable[..., JwksServer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gate]:
    plugin: Path = tmp_path_factory.mktemp("plugin") / "crashing.wasm"
    plugin.write_bytes(crashing_plugin())
    yield start_shipped_gate(start_jwks_server(), issuer=ISSUER, plugin=plugin)


def test_a_plugin_that_crashes_on_a_request_refuses_it_with_503_and_lets_nothing_through(gate: Gate) -> None:
    gate.clear()
    document = problem(gate.get("/bank/accounts/", headers=CRASH), 503, "gate_unavailable")
    assert "wasm" not in str(document).lower(), "the inside is nobody's business"
    gate.nobody_was_contacted()


def test_the_plugin_is_started_again_and_serves_the_next_requests(gate: Gate) -> None:
    for _ in range(3):
        problem(gate.get("/", headers=CRASH), 503)
        # Every worker has a plugin of its own: each must come back.
        for _ in range(4):
            eventually(lambda: gate.get("/", headers=TO_BANK).status_code == 200, "the plugin is back")
    assert gate.envoy.is_alive()


def test_a_crash_carries_a_retry_after(gate: Gate) -> None:
    answer = gate.get("/", headers=CRASH)
    assert answer.headers["retry-after"] == "1"
