"""A key set server that breaks, in every way a server can: the last good keys stay.

All of it happens to one gate, one fault after the other, as it would to one that runs for years.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from harness.config import gateway_config, remote_provider
from harness.fetching import await_keys, passes, statuses
from harness.gate import Gate
from harness.jwks_server import JwksServer
from harness.keys import key_set, new_key
from harness.tokens import mint
from harness.waiting import eventually

FIRST = new_key("ES256", "first")
SECOND = new_key("ES256", "second")

HALF_BROKEN = {
    "keys": [
        {"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "kid": "off-curve", "x": "A" * 43, "y": "A" * 43},
        {"kty": "nonsense"},
        FIRST.jwk,
    ]
}
BROKEN: dict[str, Callable[[JwksServer], None]] = {
    "breaks off": lambda server: server.break_off(),
    "never answers": lambda server: server.hold(),
    "drips byte by byte": lambda server: server.drip(SECOND),
    "500": lambda server: server.serve_raw(b"oops", status=500),
    "404": lambda server: server.serve_raw(b"{}", status=404),
    "204": lambda server: server.serve_raw(b"", status=204),
    "HTML": lambda server: server.serve_raw(b"<html>login</html>", content_type="text/html"),
    "empty": lambda server: server.serve_raw(b""),
    "empty object": lambda server: server.serve_raw(b"{}"),
    "no keys": lambda server: server.serve_document({"keys": []}),
    "not a list": lambda server: server.serve_document({"keys": {"kid": "x"}}),
    "array": lambda server: server.serve_document([FIRST.jwk]),
    "cut off": lambda server: server.serve_raw(json.dumps(key_set(FIRST)).encode()[:-10]),
    "not UTF-8": lambda server: server.serve_raw(b'{"keys":[\xff]}'),
    "redirect": lambda server: server.serve_raw(b"", status=302, extra="location: http://keys.example/other\r\n"),
    "deep": lambda server: server.serve_raw(b'{"keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "duplicate kid": lambda server: server.serve_document({"keys": [SECOND.jwk | {"kid": "first"}, FIRST.jwk]}),
    "symmetric only": lambda server: server.serve_document(
        {"keys": [{"kty": "oct", "kid": "first", "k": "c2VjcmV0" * 8}]}
    ),
    "private part": lambda server: server.serve_document({"keys": [FIRST.jwk | {"d": "A" * 43}]}),
    "compressed": lambda server: server.serve_raw(
        gzip.compress(json.dumps(key_set(SECOND)).encode()), extra="content-encoding: gzip\r\n"
    ),
    "2 MB": lambda server: server.serve_raw(json.dumps(key_set(SECOND)).encode() + b" " * 2_000_000),
    "100 MB": lambda server: server.serve_raw(b'{"keys":[' + b" " * 100_000_000 + b"]}"),
}


# What the log says of some of them: a person must be able to tell them apart.
SAID = {
    "breaks off": "Envoy says when the server can't be reached",
    "never answers": "Envoy says when the timeout is over",
    "drips byte by byte": "no answer",
    "redirect": "status 302 instead of 200",
    "HTML": "no usable JSON Web Key Set",
    "compressed": "it has a content-encoding",
    "2 MB": "are more than the limit of 1048576",
}


@dataclass(frozen=True)
class Pair:
    """A gate and the server of its keys."""

    gate: Gate
    server: JwksServer

    def mend(self) -> None:
        """The server serves the first key, and the gate has it."""
        self.server.serve_keys(FIRST)
        await_keys(self.gate, mint(FIRST))


@pytest.fixture(scope="module")
def running(start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]) -> Pair:
    server = start_jwks_server(FIRST)
    fetching = {
        "async_fetch": {"failed_refetch_duration": "0.2s"},
        "retry_policy": {"num_retries": 3, "retry_back_off": {"base_interval": "0.1s", "max_interval": "0.2s"}},
    }
    config = gateway_config(
        remote_provider(cache_duration="1s", timeout="1s", fetching=fetching), keys={"unknown_key_cooldown": "1s"}
    )
    return Pair(start_gate(config, clusters={"keys": server.port}), server)


@pytest.fixture
def pair(running: Pair) -> Iterator[Pair]:
    running.mend()
    yield running


@pytest.mark.parametrize("fault", BROKEN)
def test_the_last_good_keys_stay_when_the_server(pair: Pair, fault: str) -> None:
    BROKEN[fault](pair.server)
    # Two rounds of the broken answer have been taken in before anything is concluded.
    pair.server.await_fetches(pair.server.fetches + 3)
    assert statuses(pair.gate, mint(FIRST)) == {200}, f"the good key was lost when the server answered: {fault}"
    assert pair.gate.envoy.is_alive() and "failed: Uncaught" not in pair.gate.envoy.log_text()
    if fault in SAID:
        said = SAID[fault]
        eventually(lambda: any(said in line for line in failures(pair)), f"the log says {said}")


def failures(pair: Pair) -> list[str]:
    """The log's lines about fetches that failed and left the keys in place."""
    lines = pair.gate.envoy.log_text().splitlines()
    return [line for line in lines if "fetching keys failed" in line and "the last good keys stay" in line]


def test_the_gate_takes_new_keys_by_itself_after_all_this(pair: Pair) -> None:
    for fault in ("breaks off", "never answers", "HTML", "100 MB"):
        BROKEN[fault](pair.server)
        pair.server.await_fetches(pair.server.fetches + 1)
        pair.server.serve_keys(SECOND)
        await_keys(pair.gate, mint(SECOND))


def test_one_good_key_among_broken_ones_is_used(pair: Pair) -> None:
    pair.server.serve_keys(SECOND)
    await_keys(pair.gate, mint(SECOND))
    pair.server.serve_document(HALF_BROKEN)
    eventually(lambda: passes(pair.gate, mint(FIRST)), "the good key among the broken ones is known")


@pytest.mark.parametrize("content_type", ["text/plain", "text/html; charset=utf-8", "application/octet-stream"])
def test_a_key_set_counts_whatever_it_calls_itself(pair: Pair, content_type: str) -> None:
    pair.server.serve_raw(json.dumps(key_set(SECOND)).encode(), content_type=content_type)
    await_keys(pair.gate, mint(SECOND))
