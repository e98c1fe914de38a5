"""Tokens that are remembered: what it saves, and what it never lets pass."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from harness.config import gateway_config, provider
from harness.fetching import StartPair, ask, await_keys
from harness.gate import Gate
from harness.keys import key, new_key
from harness.refusals import unauthorized
from harness.tokens import bearer, mint
from harness.waiting import eventually

FIRST = new_key("ES256", "first")
SECOND = new_key("RS256", "second")
# Enough requests on connections of their own that each of two workers has some.
SOME = 24


def counted(gate: Gate, name: str) -> int:
    """The value of one of the gate's statistics."""
    return gate.envoy.counters(f"gatehouse.{name}$").get(f"wasmcustom.gatehouse.{name}", 0)


def await_counted(gate: Gate, expected: dict[str, int]) -> None:
    """Counters are written once a second."""
    eventually(
        lambda: {name: counted(gate, name) for name in expected} == expected,
        f"the counters say {expected}",
    )


def ask_some(gate: Gate, token: str) -> list[int]:
    return [ask(gate, token).status_code for _ in range(SOME)]


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA", "HS256"])
def test_a_token_is_verified_once_by_each_worker(start_gate: Callable[..., Gate], algorithm: str) -> None:
    gate = start_gate(gateway_config(provider(key(algorithm))), workers=1)
    tokens = [mint(key(algorithm), jti=str(number)) for number in range(2)]
    for token in tokens:
        assert ask_some(gate, token) == [200] * SOME
    await_counted(
        gate,
        {
            "jwt_cache_hit": 2 * (SOME - 1),
            "jwt_cache_miss": 2,
            "provider.issuer.cache_hit": 2 * (SOME - 1),
            "provider.issuer.cache_miss": 2,
            "token_cache.entries": 2,
        },
    )
    assert 2 * 500 < counted(gate, "token_cache.bytes") < 2 * 8000
    seen = [(it.one("x-user-name"), it.one("x-user-scope")) for it in gate.upstream("service").requests]
    assert seen == [("alice", "bank.read bank.write")] * 2 * SOME, "from memory come the same headers"


def test_all_workers_together_fill_the_gauges(start_gate: Callable[..., Gate]) -> None:
    gate = start_gate(gateway_config(provider(FIRST)), workers=2)
    token = mint(FIRST)
    eventually(
        lambda: ask_some(gate, token) == [200] * SOME and counted(gate, "token_cache.entries") == 2,
        "both workers remember the token",
    )
    assert counted(gate, "jwt_cache_miss") == 2


def test_without_entries_every_token_is_verified_anew(start_gate: Callable[..., Gate]) -> None:
    gate = start_gate(gateway_config(provider(FIRST), token_cache={"max_entries": 0}), workers=1)
    token = mint(FIRST)
    assert ask_some(gate, token) == [200] * SOME
    await_counted(gate, {"jwt_cache_hit": 0, "jwt_cache_miss": SOME, "token_cache.entries": 0, "token_cache.bytes": 0})


def test_a_remembered_token_expires_at_its_edge(start_gate: Callable[..., Gate]) -> None:
    """The gate and the test read one clock: what was answered before the edge was let in, what was asked behind it was not."""
    gate = start_gate(gateway_config(provider(FIRST, clock_skew_seconds=1)))
    expires = int(time.time()) + 3
    token = mint(FIRST, exp=expires)
    # Both edges belong to the token's life: with a skew of a second it passes in the whole second after `exp`.
    end = expires + 2
    passed = 0
    while time.time() < end + 1:
        asked = time.time()
        status = ask(gate, token).status_code
        answered = time.time()
        if answered < end:
            assert status == 200, f"{end - answered} s before its end"
            passed += 1
        if asked >= end:
            assert status == 401, f"{asked - end} s after its end"
    assert passed > 0
    assert unauthorized(ask(gate, token))["code"] == "token_expired"
    eventually(lambda: counted(gate, "jwt_cache_hit") > 0, "it was remembered")
    eventually(lambda: counted(gate, "token_cache.entries") == 0, "what has expired is forgotten")


def test_a_key_that_is_removed_ends_remembered_tokens_at_every_worker(start_pair: StartPair) -> None:
    gate, server = start_pair(FIRST, SECOND, cache_duration="1s")
    await_keys(gate, mint(FIRST))
    old, kept = mint(FIRST), mint(SECOND)
    for token in (old, kept):
        assert ask_some(gate, token) == [200] * SOME
    eventually(lambda: counted(gate, "jwt_cache_hit") > 0, "they are remembered")
    server.serve_keys(SECOND)
    server.await_fetches(server.fetches + 2)
    eventually(lambda: ask_some(gate, old) == [401] * SOME, "every worker has read what one of them fetched")
    assert unauthorized(ask(gate, old))["code"] == "key_unknown"
    assert ask_some(gate, kept) == [200] * SOME


def test_a_refresh_that_brings_the_same_keys_forgets_nothing(start_pair: StartPair) -> None:
    gate, server = start_pair(FIRST, cache_duration="1s")
    token = mint(FIRST)
    await_keys(gate, token)
    eventually(lambda: counted(gate, "token_cache.entries") == 2, "both workers remember the token")
    misses = counted(gate, "jwt_cache_miss")
    server.await_fetches(server.fetches + 3)
    assert ask_some(gate, token) == [200] * SOME
    hits = counted(gate, "jwt_cache_hit")
    eventually(lambda: counted(gate, "jwt_cache_hit") > hits, "the counters were written")
    assert counted(gate, "jwt_cache_miss") == misses


def test_a_token_that_differs_in_its_last_characters_or_its_first_is_another(start_gate: Callable[..., Gate]) -> None:
    gate = start_gate(gateway_config(provider(FIRST)), workers=1)
    token = mint(FIRST)
    assert ask_some(gate, token) == [200] * SOME
    header, payload, signature = token.split(".")
    other = mint(FIRST, sub="mallory").split(".")[1]
    for forged in (f"{header}.{other}.{signature}", token[:-2] + "AA", f"{header}.{payload}.{'A' * len(signature)}"):
        assert gate.get("/service/", headers=bearer(forged)).status_code == 401
    assert ask(gate, token).status_code == 200
