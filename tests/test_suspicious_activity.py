"""What a real Envoy's log and statistics say of attacks: all of it is counted, little of it is written, nothing is repeated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from harness.config import gateway_config, provider
from harness.gate import Gate
from harness.keys import key, new_key
from harness.raw import RawClient, request_bytes
from harness.tokens import bearer, mint
from harness.waiting import eventually

GOOD = key("EdDSA")
STRANGER = new_key("EdDSA", GOOD.key_id)
WORKERS = 2
LINES_PER_MINUTE = 10


@pytest.fixture
def gate(start_gate: Callable[..., Gate]) -> Iterator[Gate]:
    """Fresh for each test: what is written depends on what was before. Envoy believes x-forwarded-for here."""
    yield start_gate(gateway_config(provider(GOOD)), workers=WORKERS)


def lines(gate: Gate) -> list[dict[str, Any]]:
    """The log's lines about suspicious things; each is one JSON object."""
    found = re.findall(r"wasm log[^{\n]*(\{.*\})$", gate.envoy.log_text(), flags=re.MULTILINE)
    return [line for line in map(json.loads, found) if line.get("event") == "suspicious"]


def counted(gate: Gate, kind: str) -> int:
    """The counter of one kind."""
    return sum(gate.envoy.counters(f"suspicious.{kind}$").values())


def eventually_counted(gate: Gate, kind: str, number: int) -> None:
    """Workers write their counts once a second. Too many are never right."""
    eventually(lambda: counted(gate, kind) >= number, f"{number} of {kind} are counted")
    assert counted(gate, kind) == number


def flood(gate: Gate, request: bytes, times: int) -> set[int]:
    """So many requests over several connections; the statuses that came."""
    connections = 10

    def some(_: int) -> set[int]:
        statuses = set()
        with RawClient(gate.port) as client:
            for _ in range(times // connections):
                client.send(request)
                answer = client.receive()
                assert answer is not None
                statuses.add(answer.status_code)
        return statuses

    with ThreadPoolExecutor(max_workers=connections) as pool:
        return set().union(*pool.map(some, range(connections)))


def test_a_flood_of_forged_headers_is_counted_exactly_and_hardly_written(gate: Gate) -> None:
    headers = [*bearer(mint(GOOD)).items(), ("X_User_Id", "admin-7f3a"), ("x-forwarded-for", "192.0.2.9")]
    assert flood(gate, request_bytes("GET", "/service/", headers), 5000) == {200}
    eventually_counted(gate, "forged_header", 5000)
    written = [line for line in lines(gate) if "left_out" not in line]
    # Two minutes may have begun while the flood ran.
    assert 1 <= len(written) <= 2 * WORKERS * LINES_PER_MINUTE
    for line in written:
        assert line["kind"] == "forged_header" and line["header"] == "x-user-id" and line["address"] == "192.0.2.9"
    assert "admin-7f3a" not in gate.envoy.log_text()


def test_forged_signatures_and_confused_algorithms_are_told_apart(gate: Gate) -> None:
    symmetric = new_key("HS256", GOOD.key_id)
    for token in (mint(STRANGER), mint(GOOD, header_changes={"alg": "none"}), mint(symmetric)):
        assert gate.get("/service/", headers=bearer(token)).status_code == 401
    eventually_counted(gate, "forged_signature", 1)
    eventually_counted(gate, "algorithm_confusion", 2)
    codes = sorted((line["kind"], line["code"]) for line in lines(gate))
    assert codes == [
        ("algorithm_confusion", "algorithm_unsupported"),
        ("algorithm_confusion", "key_unsuitable"),
        ("forged_signature", "signature_invalid"),
    ]
    log = gate.envoy.log_text()
    assert mint(STRANGER).split(".")[2] not in log


def test_a_burst_of_refusals_is_seen_by_address(gate: Gate) -> None:
    """One connection, so one worker: each watches by itself."""
    with RawClient(gate.port) as client:

        def ask(address: str, times: int) -> None:
            for _ in range(times):
                client.send(request_bytes("GET", "/service/", [("x-forwarded-for", address)]))
                answer = client.receive()
                assert answer is not None and answer.status_code == 401

        ask("192.0.2.1", 55)
        ask("192.0.2.2", 55)
        assert not lines(gate)
        ask("192.0.2.3", 100)
        eventually(lambda: counted(gate, "refusal_burst"), "the burst is counted")
    bursts = lines(gate)
    assert bursts and {(line["kind"], line["address"]) for line in bursts} == {("refusal_burst", "192.0.2.3")}
    # What flows into the bucket while the hundred are sent is a second's worth each second.
    assert 1 <= counted(gate, "refusal_burst") <= 40


def test_a_good_request_and_an_honest_mistake_leave_no_trace(gate: Gate) -> None:
    gate.get("/service/", headers=bearer(mint(GOOD)))
    gate.get("/service/", headers=bearer(mint(GOOD, exp=1)))
    gate.get("/service/")
    gate.get("/open/")
    eventually(lambda: sum(gate.envoy.counters("gatehouse.denied").values()) == 2, "the counts are written")
    assert not lines(gate)
    assert not sum(gate.envoy.counters("suspicious").values())


def test_a_configuration_of_the_native_filter_watches_for_nothing(start_gate: Callable[..., Gate]) -> None:
    config = {
        "providers": {"issuer": provider(GOOD)},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
    }
    gate = start_gate(config)
    for _ in range(5):
        assert gate.get("/", headers={**bearer(mint(STRANGER)), "x-user-id": "admin"}).status_code == 401
    assert not lines(gate)
    assert not gate.envoy.counters("suspicious")
