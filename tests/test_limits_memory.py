"""How much memory the limits take, however many callers come."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.config import provider
from harness.gate import Gate
from harness.keys import key
from harness.raw import request_bytes
from harness.tokens import bearer, mint

GOOD = key("EdDSA")
SUBJECTS = 100_000
CONNECTIONS = 8
# docs/rate-limit.md: a table of N entries takes at most 32 bytes for each.
ENTRIES = 65_536
BOUND = ENTRIES * 32
# What a process grows and shrinks by on its own: connections, V8's heaps, pages that the allocator keeps.
NOISE = 3 * 1024 * 1024


def resident_bytes(gate: Gate) -> int:
    """Of the whole process: the table, the workers' VMs, everything."""
    status = Path(f"/proc/{gate.envoy.process.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, flags=re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def send(gate: Gate, subjects: list[str]) -> dict[bytes, int]:
    """A request of each subject; how often each status came."""

    def some(number: int) -> dict[bytes, int]:
        statuses: dict[bytes, int] = {}
        with socket.create_connection(("127.0.0.1", gate.port), timeout=60) as connection:
            for subject in subjects[number::CONNECTIONS]:
                connection.sendall(request_bytes("GET", "/", list(bearer(mint(GOOD, sub=subject)).items())))
                answer = b""
                while b"\r\n\r\n" not in answer:
                    received = connection.recv(4096)
                    assert received, "the connection ended"
                    answer += received
                status = answer[9:12]
                statuses[status] = statuses.get(status, 0) + 1
        return statuses

    total: dict[bytes, int] = {}
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        for statuses in pool.map(some, range(CONNECTIONS)):
            for status, times in statuses.items():
                total[status] = total.get(status, 0) + times
    return total


def test_a_hundred_thousand_subjects_take_no_more_than_the_table_is_large(start_gate: Callable[..., Gate]) -> None:
    """More callers than the table has entries: it is full, and the rest makes it no larger."""
    config = {
        "providers": {"issuer": provider(GOOD)},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
        "limits": {"callers": {"per": "subject", "requests": 5, "every": "3600s"}},
        "limit_table": {"max_entries": ENTRIES},
        # It would remember the tokens, which is not what is measured here.
        "token_cache": {"max_entries": 0},
    }
    answer_at_once = {
        "name": "test",
        "virtual_hosts": [
            {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 204}}]}
        ],
    }
    gate = start_gate(config, connection_manager={"route_config": answer_at_once})
    first = send(gate, ["everyday"] * 10_000)
    assert first[b"204"] == 5 and first[b"429"] == 9_995, "one subject is limited exactly"
    before = resident_bytes(gate)
    statuses = send(gate, [f"subject-{number}" for number in range(SUBJECTS)])
    assert statuses == {b"204": SUBJECTS}, "a subject's first request always passes"
    grown = resident_bytes(gate) - before
    print(f"\n{SUBJECTS} subjects: {grown / 1024:.0f} KiB more, {BOUND / 1024:.0f} KiB are the table's bound")
    assert grown <= BOUND + NOISE
    again = send(gate, ["another"] * 7)
    assert again == {b"204": 5, b"429": 2}, "a full table still limits"
