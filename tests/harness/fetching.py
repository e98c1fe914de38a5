"""A gate that fetches its keys, and the server that it fetches them from."""

from __future__ import annotations

from typing import Protocol

import httpx

from .gate import Gate
from .jwks_server import JwksServer
from .keys import Key
from .tokens import bearer
from .waiting import eventually

# Enough connections for every worker to get some of them.
CONNECTIONS = 16


class StartPair(Protocol):
    """Starts both. Without keys the server breaks every request off."""

    def __call__(self, *keys: Key, cache_duration: str = "300s") -> tuple[Gate, JwksServer]: ...


def ask(gate: Gate, token: str, path: str = "/service/") -> httpx.Response:
    """On a new connection, so that any worker may get it."""
    # Nothing here speaks TLS, and reading the machine's certificates for each client takes longer than all the rest.
    return httpx.get(gate.url + path, headers=bearer(token), trust_env=False, verify=False, timeout=60)


def passes(gate: Gate, token: str, path: str = "/service/") -> bool:
    """Whether this token opens the protected service now."""
    return ask(gate, token, path).status_code == 200


def statuses(gate: Gate, token: str, path: str = "/service/") -> set[int]:
    """What this token comes to on many new connections, so with every worker."""
    return {ask(gate, token, path).status_code for _ in range(CONNECTIONS)}


def await_keys(gate: Gate, token: str, path: str = "/service/") -> None:
    """Every worker knows the key of this token."""
    for _ in range(8):
        eventually(lambda: passes(gate, token, path), "the keys have been fetched")


def every_worker_took_part(gate: Gate) -> bool:
    """Whether each of Envoy's workers has had a connection."""
    connections = gate.envoy.counters(r"listener\.127.*worker_[0-9]%2B\.downstream_cx_total")
    return len(connections) >= 2 and all(connections.values())
