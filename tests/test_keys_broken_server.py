"""A key set server that breaks, in every way a server can: the last good keys stay."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from harness.fetching import StartPair, await_keys, passes
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
    "redirect": lambda server: server.serve_raw(b"", status=302, extra="location: http://evil.example/\r\n"),
    "deep": lambda server: server.serve_raw(b'{"keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "duplicate kid": lambda server: server.serve_document({"keys": [SECOND.jwk | {"kid": "first"}, FIRST.jwk]}),
    "symmetric only": lambda server: server.serve_document(
        {"keys": [{"kty": "oct", "kid": "first", "k": "c2VjcmV0" * 8}]}
    ),
    "private part": lambda server: server.serve_document({"keys": [FIRST.jwk | {"d": "A" * 43}]}),
    "100 MB": lambda server: server.serve_raw(b'{"keys":[' + b" " * 100_000_000 + b"]}"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_last_good_keys_stay_when_the_server(start_pair: StartPair, fault: str) -> None:
    gate, server = start_pair(FIRST, cache_duration="1s")
    await_keys(gate, mint(FIRST))
    BROKEN[fault](server)
    fetches = server.fetches
    # Two rounds of the broken answer have been taken in before anything is concluded.
    server.await_fetches(fetches + 2)
    for _ in range(8):
        assert passes(gate, mint(FIRST)), f"the good key was lost when the server answered: {fault}"
    assert gate.envoy.is_alive() and "failed: Uncaught" not in gate.envoy.log_text()


@pytest.mark.parametrize("fault", ["breaks off", "never answers", "HTML", "100 MB"])
def test_the_gate_takes_new_keys_by_itself_after_the_server(start_pair: StartPair, fault: str) -> None:
    gate, server = start_pair(FIRST, cache_duration="1s")
    await_keys(gate, mint(FIRST))
    BROKEN[fault](server)
    server.await_fetches(server.fetches + 1)
    server.serve_keys(SECOND)
    await_keys(gate, mint(SECOND))


def test_one_good_key_among_broken_ones_is_used(start_pair: StartPair) -> None:
    gate, server = start_pair(SECOND)
    server.serve_document(HALF_BROKEN)
    eventually(lambda: passes(gate, mint(FIRST)), "the good key among the broken ones is known")
