"""Keys that are fetched: before they are there, while they rotate, when their server breaks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
from harness.config import gateway_config, remote_provider
from harness.gate import Gate
from harness.jwks_server import JwksServer
from harness.keys import Key, key_set, new_key
from harness.raw import RawClient, request_bytes
from harness.refusals import problem, unauthorized
from harness.tokens import bearer, mint
from harness.waiting import eventually

FIRST = new_key("ES256", "first")
SECOND = new_key("ES256", "second")
THIRD = new_key("EdDSA", "third")

StartPair = Callable[..., tuple[Gate, JwksServer]]


@pytest.fixture(scope="module")
def start(start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]) -> Iterator[StartPair]:
    """A gate with a key set server of its own."""

    def begin(*keys: Key, cache_duration: str = "300s") -> tuple[Gate, JwksServer]:
        server = start_jwks_server(*keys)
        if not keys:
            server.break_off()
        config = gateway_config(remote_provider(cache_duration=cache_duration))
        return start_gate(config, clusters={"keys": server.port}), server

    yield begin


def ask(gate: Gate, token: str) -> httpx.Response:
    """On a new connection, so that any worker may get it."""
    return httpx.get(gate.url + "/service/", headers=bearer(token), trust_env=False, timeout=60)


def passes(gate: Gate, token: str) -> bool:
    return ask(gate, token).status_code == 200


def await_keys(gate: Gate, token: str) -> None:
    """Every worker knows the key of this token."""
    for _ in range(8):
        eventually(lambda: passes(gate, token), "the keys have been fetched")


# ---- cold --------------------------------------------------------------------------------------------------------------


def test_without_keys_a_token_is_answered_503_with_retry_after_and_not_401(start: StartPair) -> None:
    gate, _ = start()
    answer = ask(gate, mint(FIRST))
    problem(answer, 503, "keys_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "www-authenticate" not in answer.headers
    gate.nobody_was_contacted()


def test_without_keys_a_missing_or_malformed_token_is_still_401(start: StartPair) -> None:
    gate, _ = start()
    problem(httpx.get(gate.url + "/service/", trust_env=False, timeout=60), 401)
    unauthorized(ask(gate, "x.y.z"))
    gate.nobody_was_contacted()


def test_without_keys_public_services_and_health_work(start: StartPair) -> None:
    gate, _ = start()
    assert gate.get("/open/").status_code == 200
    assert gate.get("/health/").status_code == 200


def test_without_keys_a_grpc_caller_gets_unavailable(start: StartPair) -> None:
    gate, _ = start()
    with httpx.Client(http1=False, http2=True, trust_env=False, timeout=60) as h2:
        headers = {"content-type": "application/grpc", "te": "trailers", **bearer(mint(FIRST))}
        answer = h2.post(gate.url + "/service/Method", headers=headers)
    assert (answer.status_code, answer.headers["grpc-status"]) == (200, "14")


def test_the_gate_recovers_by_itself_once_the_keys_can_be_had(start: StartPair) -> None:
    gate, server = start()
    problem(ask(gate, mint(FIRST)), 503)
    server.serve_keys(FIRST)
    await_keys(gate, mint(FIRST))
    unauthorized(ask(gate, mint(SECOND, header_changes={"kid": "first"})))


def test_a_body_waits_with_its_request_and_nothing_of_it_goes_ahead(start: StartPair) -> None:
    """The key set server is slow: the gate holds headers and body, then passes both, or neither."""
    gate, server = start(FIRST)
    await_keys(gate, mint(FIRST))
    gate.clear()
    connections = gate.upstream("service").connections
    server.hold()
    body = b"money" * 4000
    results: list[int] = []
    token = mint(SECOND)

    def post() -> None:
        answer = httpx.post(gate.url + "/service/", content=body, headers=bearer(token), trust_env=False, timeout=60)
        results.append(answer.status_code)

    fetches = server.fetches
    sender = threading.Thread(target=post)
    sender.start()
    sender.join(timeout=60)
    assert results and results[0] in (401, 503), results
    assert server.fetches >= fetches
    gate.nobody_was_contacted()
    assert gate.upstream("service").connections == connections


def test_a_caller_who_hangs_up_while_waiting_harms_nobody(start: StartPair) -> None:
    gate, server = start()
    server.hold()
    for _ in range(20):
        with RawClient(gate.port) as client:
            client.send(request_bytes("GET", "/service/", list(bearer(mint(FIRST)).items())))
    server.serve_keys(FIRST)
    await_keys(gate, mint(FIRST))
    assert "failed: Uncaught" not in gate.envoy.log_text()


# ---- rotation ----------------------------------------------------------------------------------------------------------


def test_a_new_key_is_fetched_when_its_first_token_arrives(start: StartPair) -> None:
    gate, server = start(FIRST)
    await_keys(gate, mint(FIRST))
    server.serve_keys(FIRST, SECOND)
    # Not the cache's duration (five minutes) but the unknown key id brings it.
    eventually(lambda: passes(gate, mint(SECOND)), "the new key is known")
    await_keys(gate, mint(SECOND))
    assert passes(gate, mint(FIRST))


def test_a_key_that_is_no_longer_published_ends_with_the_next_fetch(start: StartPair) -> None:
    gate, server = start(FIRST, SECOND)
    await_keys(gate, mint(FIRST))
    server.serve_keys(SECOND, THIRD)
    eventually(lambda: passes(gate, mint(THIRD)), "the new key is known")
    await_keys(gate, mint(THIRD))
    eventually(lambda: ask(gate, mint(FIRST)).status_code == 401, "the old key is forgotten")


def test_keys_are_refreshed_when_their_time_is_up(start: StartPair) -> None:
    gate, server = start(FIRST, cache_duration="1s")
    await_keys(gate, mint(FIRST))
    server.serve_keys(SECOND)
    # No token of the second key is shown before: only the clock can have brought it.
    fetches = server.fetches
    server.await_fetches(fetches + 1)
    eventually(lambda: ask(gate, mint(FIRST)).status_code == 401, "the first key is gone without any unknown key id")
    assert passes(gate, mint(SECOND))


def test_a_storm_of_unknown_key_ids_is_no_storm_of_fetches(start: StartPair) -> None:
    gate, server = start(FIRST)
    await_keys(gate, mint(FIRST))
    fetches = server.fetches
    with httpx.Client(trust_env=False, timeout=60) as client:
        for number in range(1500):
            token = mint(SECOND, header_changes={"kid": f"unknown-{number}"})
            answer = client.get(gate.url + "/service/", headers=bearer(token))
            assert answer.status_code in (401, 503), answer.text
    assert server.fetches - fetches <= 30, f"{server.fetches - fetches} fetches for 1500 unknown keys"
    assert passes(gate, mint(FIRST))


# ---- a broken server ---------------------------------------------------------------------------------------------------

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
    "symmetric only": lambda server: server.serve_document({"keys": [{"kty": "oct", "kid": "first", "k": "c2VjcmV0" * 8}]}),
    "private part": lambda server: server.serve_document({"keys": [FIRST.jwk | {"d": "A" * 43}]}),
    "100 MB": lambda server: server.serve_raw(b'{"keys":[' + b" " * 100_000_000 + b"]}"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_last_good_keys_stay_when_the_server(start: StartPair, fault: str) -> None:
    gate, server = start(FIRST, cache_duration="1s")
    await_keys(gate, mint(FIRST))
    BROKEN[fault](server)
    fetches = server.fetches
    # Two rounds of the broken answer have been taken in before anything is concluded.
    server.await_fetches(fetches + 2)
    for _ in range(8):
        assert passes(gate, mint(FIRST)), f"the good key was lost when the server answered: {fault}"
    # And it comes back to life by itself.
    server.serve_keys(SECOND)
    await_keys(gate, mint(SECOND))
    assert gate.envoy.is_alive() and "failed: Uncaught" not in gate.envoy.log_text()


def test_one_good_key_among_broken_ones_is_used(start: StartPair) -> None:
    gate, server = start(SECOND)
    server.serve_document(HALF_BROKEN)
    eventually(lambda: passes(gate, mint(FIRST)), "the good key among the broken ones is known")


def test_rotation_under_load_refuses_no_good_token(start: StartPair) -> None:
    """Ten keys come and go as an issuer publishes them: before their first token, until after their last."""
    keys = [new_key("ES256", f"rotating-{number}") for number in range(10)]
    gate, server = start(keys[0], cache_duration="1s")
    await_keys(gate, mint(keys[0]))
    current = keys[0]
    stop = threading.Event()
    failures: list[str] = []
    served = [0, 0, 0, 0]

    def load(slot: int) -> None:
        with httpx.Client(trust_env=False, timeout=60) as client:
            while not stop.is_set():
                answer = client.get(gate.url + "/service/", headers=bearer(mint(current)))
                served[slot] += 1
                if answer.status_code != 200:
                    failures.append(f"{current.key_id}: {answer.status_code} {answer.text}")

    workers = [threading.Thread(target=load, args=(slot,)) for slot in range(len(served))]
    for worker in workers:
        worker.start()
    try:
        for old, new in zip(keys, keys[1:], strict=False):
            server.serve_keys(old, new)
            # The issuer waits until everybody has had time to fetch the new key, then signs with it.
            server.await_fetches(server.fetches + 1)
            eventually(lambda new=new: passes(gate, mint(new)), "the published key is known")
            current = new
    finally:
        stop.set()
        for worker in workers:
            worker.join(timeout=60)
    assert failures == []
    assert all(count > 10 for count in served)
