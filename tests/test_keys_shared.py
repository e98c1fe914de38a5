"""Keys are shared by all workers of an Envoy: fetched once, kept when the issuer is away, found again after a crash."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.config import gateway_config, remote_provider
from harness.crashing_gate import crashing_gate
from harness.crashing_plugin import TRAPS_ABOVE_HEADERS
from harness.fetching import ask, await_keys, every_worker_took_part, passes, statuses
from harness.gate import Gate
from harness.jwks_server import JwksServer
from harness.keys import new_key
from harness.raw import RawClient, request_bytes
from harness.refusals import problem
from harness.tokens import bearer, mint
from harness.waiting import eventually
from mesh.settings import Tools

FIRST = new_key("ES256", "first")
SECOND = new_key("ES256", "second")
REQUESTS_AT_ONCE = 200


def test_200_requests_at_once_on_a_cold_start_make_one_fetch_and_all_pass(
    start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]
) -> None:
    server = start_jwks_server(FIRST)
    server.hold(FIRST)
    # Nothing is decided by how fast this machine is: the fetch and the requests have a minute.
    config = gateway_config(remote_provider(timeout="60s"), keys={"max_wait": "60s"})
    gate = start_gate(config, clusters={"keys": server.port})
    request = request_bytes("GET", "/service/", list(bearer(mint(FIRST)).items()))
    clients = [RawClient(gate.port) for _ in range(REQUESTS_AT_ONCE)]
    try:
        for client in clients:
            client.send(request)
        active = "http.test.downstream_rq_active"
        eventually(lambda: gate.envoy.counters(active).get(active) == REQUESTS_AT_ONCE, "all of them wait")
        gate.nobody_was_contacted()
        # Ten of the callers lose their patience, which is nobody's business but theirs.
        for client in clients[:10]:
            client.sock.close()
        server.release()
        answers = [client.receive() for client in clients[10:]]
    finally:
        for client in clients:
            client.sock.close()
    assert {answer.status_code if answer else None for answer in answers} == {200}
    assert every_worker_took_part(gate)
    assert server.fetches == 1, f"{server.fetches} fetches"


def test_what_one_worker_fetched_all_know_at_once(
    start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]
) -> None:
    """The other worker looks for keys once in a second; a token with a new key must not be refused meanwhile."""
    keys = [FIRST, *(new_key("ES256", f"new-{number}") for number in range(4))]
    server = start_jwks_server(keys[0])
    # Unknown keys may not start a fetch: the clock alone brings the new key, to one worker.
    config = gateway_config(remote_provider(cache_duration="1s"), keys={"unknown_key_cooldown": "3600s"})
    gate = start_gate(config, clusters={"keys": server.port})
    await_keys(gate, mint(keys[0]))
    for old, new in zip(keys, keys[1:], strict=False):
        server.serve_keys(old, new)
        eventually(lambda new=new: passes(gate, mint(new)), "one worker has fetched the new key")
        assert statuses(gate, mint(new)) == {200}
    assert every_worker_took_part(gate)


def test_the_issuer_away_means_no_false_401_within_the_bound_then_503_then_recovery(
    start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]
) -> None:
    bound = 6.0
    server = start_jwks_server(FIRST)
    config = gateway_config(
        remote_provider(cache_duration="1s"), keys={"keep_last_good": f"{bound:.0f}s", "max_wait": "0s"}
    )
    gate = start_gate(config, clusters={"keys": server.port})
    await_keys(gate, mint(FIRST))
    last_good_fetch = server.times[server.fetches - 1]
    server.break_off()
    token = mint(FIRST)
    eventually(lambda: ask(gate, mint(SECOND)).status_code == 503, "the first failure is known")
    seen: set[int] = set()
    while seen <= {200}:
        answer = ask(gate, token)
        answered = time.monotonic()
        seen.add(answer.status_code)
        # A key that nobody knows can't be told from one that is new, as long as nobody can be asked.
        assert ask(gate, mint(SECOND)).status_code == 503
    # The bound counts from the answer to the last good fetch, which came after its request.
    assert answered - last_good_fetch >= bound, "the keys were given up early"
    assert seen == {200, 503}
    problem(answer, 503, "keys_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert statuses(gate, token) == {503}
    server.serve_keys(FIRST)
    await_keys(gate, token)


def test_a_vm_that_crashed_finds_the_keys_again_without_a_fetch(
    start_gate: Callable[..., Gate],
    start_jwks_server: Callable[..., JwksServer],
    tools: Tools,
    tmp_path: Path,
) -> None:
    plugin = tmp_path / "crashing-gate.wasm"
    plugin.write_bytes(crashing_gate(tools.plugin.read_bytes()))
    server = start_jwks_server(FIRST)
    gate = start_gate(gateway_config(remote_provider()), clusters={"keys": server.port}, plugin=plugin)
    await_keys(gate, mint(FIRST))
    assert server.fetches == 1
    server.break_off()
    fillers = {f"x-filler-{number}": "x" for number in range(TRAPS_ABOVE_HEADERS)}
    crash = request_bytes("GET", "/service/", list({**bearer(mint(FIRST)), **fillers}.items()))
    crashes = 8
    for _ in range(crashes):
        answer = gate.raw(crash)
        assert answer is None or answer.status_code == 503, answer
        # Whoever it was that crashed is back, and knows the keys.
        eventually(lambda: statuses(gate, mint(FIRST)) == {200}, "the VM is back with its keys")
    assert "failed: Uncaught" in gate.envoy.log_text(), "nothing crashed"
    gate_fetches = server.fetches
    assert gate_fetches == 1, f"{gate_fetches - 1} fetches after the crashes"


@pytest.mark.parametrize("retried", [True, False])
def test_retry_policy_brings_the_keys_where_the_ordinary_pause_is_an_hour(
    start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer], retried: bool
) -> None:
    server = start_jwks_server()
    server.serve_raw(b"", status=503)
    fetching = {
        "async_fetch": {"failed_refetch_duration": "3600s"},
        "retry_policy": {
            "num_retries": 1000 if retried else 0,
            "retry_back_off": {"base_interval": "0.01s", "max_interval": "0.2s"},
        },
    }
    config = gateway_config(remote_provider(fetching=fetching), keys={"max_wait": "0s"})
    gate = start_gate(config, clusters={"keys": server.port})
    if retried:
        server.await_fetches(4)
        server.serve_keys(FIRST)
        eventually(lambda: passes(gate, mint(FIRST)), "a retry brought the keys")
        # What does not pass by itself is not retried.
    else:
        server.await_fetches(1)
        answer = eventually(
            lambda: (seen if int((seen := ask(gate, mint(FIRST))).headers.get("retry-after", "0")) > 60 else None),
            "the failure is known",
        )
        problem(answer, 503, "keys_unavailable")
        assert server.fetches == 1
