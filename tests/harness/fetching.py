"""A gate that fetches its keys, and the server that it fetches them from."""

from __future__ import annotations

from typing import Protocol

import httpx

from .gate import Gate
from .jwks_server import JwksServer
from .keys import Key
from .tokens import bearer
from .waiting import eventually


class StartPair(Protocol):
    """Starts both. Without keys the server breaks every request off."""

    def __call__(self, *keys: Key, cache_duration: str = "300s") -> tuple[Gate, JwksServer]: ...


def ask(gate: Gate, token: str) -> httpx.Response:
    """On a new connection, so that any worker may get it."""
    return httpx.get(gate.url + "/service/", headers=bearer(token), trust_env=False, timeout=60)


def passes(gate: Gate, token: str) -> bool:
    """Whether this token opens the protected service now."""
    return ask(gate, token).status_code == 200


def await_keys(gate: Gate, token: str) -> None:
    """Every worker knows the key of this token."""
    for _ in range(8):
        eventually(lambda: passes(gate, token), "the keys have been fetched")
