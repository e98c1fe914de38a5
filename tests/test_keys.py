"""Keys that are fetched: before they are there, while they rotate, when their server breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
from harness.encoding import b64url, compact_json
from harness.fetching import StartPair, ask, await_keys, every_worker_took_part, passes, statuses
from harness.keys import new_key
from harness.raw import RawClient, request_bytes
from harness.refusals import problem, unauthorized
from harness.tokens import bearer, header, mint
from harness.waiting import eventually

FIRST = new_key("ES256", "first")
SECOND = new_key("ES256", "second")
THIRD = new_key("EdDSA", "third")

# ---- cold --------------------------------------------------------------------------------------------------------------


def test_without_keys_a_token_is_answered_503_with_retry_after_and_not_401(start_pair: StartPair) -> None:
    gate, _ = start_pair()
    answer = ask(gate, mint(FIRST))
    problem(answer, 503, "keys_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "www-authenticate" not in answer.headers
    gate.nobody_was_contacted()


def test_without_keys_a_missing_or_malformed_token_is_still_401(start_pair: StartPair) -> None:
    gate, _ = start_pair()
    problem(httpx.get(gate.url + "/service/", trust_env=False, timeout=60), 401)
    unauthorized(ask(gate, "x.y.z"))
    gate.nobody_was_contacted()


def test_without_keys_public_services_and_health_work(start_pair: StartPair) -> None:
    gate, _ = start_pair()
    assert gate.get("/open/").status_code == 200
    assert gate.get("/health/").status_code == 200


def test_without_keys_a_grpc_caller_gets_unavailable(start_pair: StartPair) -> None:
    gate, _ = start_pair()
    with httpx.Client(http1=False, http2=True, trust_env=False, timeout=60) as h2:
        headers = {"content-type": "application/grpc", "te": "trailers", **bearer(mint(FIRST))}
        answer = h2.post(gate.url + "/service/Method", headers=headers)
    assert (answer.status_code, answer.headers["grpc-status"]) == (200, "14")


def test_the_gate_recovers_by_itself_once_the_keys_can_be_had(start_pair: StartPair) -> None:
    gate, server = start_pair()
    problem(ask(gate, mint(FIRST)), 503)
    server.serve_keys(FIRST)
    await_keys(gate, mint(FIRST))
    unauthorized(ask(gate, mint(SECOND, header_changes={"kid": "first"})))


def test_a_body_waits_with_its_request_and_nothing_of_it_goes_ahead(start_pair: StartPair) -> None:
    """No keys yet, and their server takes its time: headers and body wait together, and then go together or not at all."""
    gate, server = start_pair()
    server.hold(FIRST)
    body = b"money" * 4000
    answers: list[httpx.Response] = []

    def post() -> None:
        answers.append(
            httpx.post(gate.url + "/service/", content=body, headers=bearer(mint(FIRST)), trust_env=False, timeout=60)
        )

    sender = threading.Thread(target=post)
    sender.start()
    eventually(
        lambda: answers or gate.envoy.counters("http.test.downstream_rq_active").get("http.test.downstream_rq_active"),
        "the request has arrived at the gate",
    )
    gate.nobody_was_contacted()
    assert gate.upstream("service").connections == 0, "not even a connection is opened"
    server.release()
    sender.join(timeout=60)
    (answer,) = answers
    # It waits for a bounded time only: where that was too short, it is told to come again.
    assert answer.status_code in (200, 503), answer.text
    assert [request.body for request in gate.upstream("service").requests] == (
        [body] if answer.status_code == 200 else []
    )
    await_keys(gate, mint(FIRST))


def test_a_caller_who_hangs_up_while_waiting_harms_nobody(start_pair: StartPair) -> None:
    gate, server = start_pair()
    server.hold()
    for _ in range(20):
        with RawClient(gate.port) as client:
            client.send(request_bytes("GET", "/service/", list(bearer(mint(FIRST)).items())))
    server.serve_keys(FIRST)
    await_keys(gate, mint(FIRST))
    assert "failed: Uncaught" not in gate.envoy.log_text()


# ---- rotation ----------------------------------------------------------------------------------------------------------


def test_a_new_key_is_fetched_when_its_first_token_arrives(start_pair: StartPair) -> None:
    gate, server = start_pair(FIRST)
    await_keys(gate, mint(FIRST))
    server.serve_keys(FIRST, SECOND)
    # Not the cache's duration (five minutes) but the unknown key id brings it.
    eventually(lambda: passes(gate, mint(SECOND)), "the new key is known")
    await_keys(gate, mint(SECOND))
    assert passes(gate, mint(FIRST))


def test_a_key_that_is_no_longer_published_ends_with_the_next_fetch(start_pair: StartPair) -> None:
    gate, server = start_pair(FIRST, SECOND)
    await_keys(gate, mint(FIRST))
    server.serve_keys(SECOND, THIRD)
    eventually(lambda: passes(gate, mint(THIRD)), "the new key is known")
    await_keys(gate, mint(THIRD))
    eventually(lambda: ask(gate, mint(FIRST)).status_code == 401, "the old key is forgotten")


def test_keys_are_refreshed_when_their_time_is_up(start_pair: StartPair) -> None:
    gate, server = start_pair(FIRST, cache_duration="1s")
    await_keys(gate, mint(FIRST))
    server.serve_keys(SECOND)
    # No token of the second key is shown before: only the clock can have brought it.
    fetches = server.fetches
    server.await_fetches(fetches + 1)
    eventually(lambda: ask(gate, mint(FIRST)).status_code == 401, "the first key is gone without any unknown key id")
    assert passes(gate, mint(SECOND))


def test_10000_unknown_key_ids_start_at_most_one_fetch_in_each_cool_down(start_pair: StartPair) -> None:
    gate, server = start_pair(FIRST)
    await_keys(gate, mint(FIRST))
    fetches = server.fetches
    cooldown = 5.0
    signed = mint(SECOND)
    began = time.monotonic()

    def storm(slot: int) -> None:
        with RawClient(gate.port) as client:
            for number in range(2500):
                # Nobody looks at the signature of a key that nobody knows.
                head = b64url(compact_json(header(SECOND, kid=f"unknown-{slot}-{number}")))
                token = ".".join([head, *signed.split(".")[1:]])
                client.send(request_bytes("GET", "/service/", list(bearer(token).items())))
                answer = client.receive()
                assert answer is not None and answer.status_code in (401, 503), answer

    run_at_once([lambda slot=slot: storm(slot) for slot in range(4)])
    allowed = 1 + int((time.monotonic() - began) / cooldown)
    assert server.fetches - fetches <= allowed, f"{server.fetches - fetches} fetches for 10,000 unknown keys"
    assert statuses(gate, mint(FIRST)) == {200}
    assert every_worker_took_part(gate)


def run_at_once(tasks: list[Callable[[], None]]) -> None:
    """Runs these in threads, and fails if one of them does."""
    with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
        for done in [pool.submit(task) for task in tasks]:
            done.result()


def test_rotation_under_load_refuses_no_good_token(start_pair: StartPair) -> None:
    """Ten keys come and go as an issuer publishes them: before their first token, until after their last."""
    keys = [new_key("ES256", f"rotating-{number}") for number in range(10)]
    gate, server = start_pair(keys[0], cache_duration="1s")
    await_keys(gate, mint(keys[0]))
    # Every other request has a token that was shown before, so one that the gate remembers.
    remembered = {each.key_id: mint(each) for each in keys}
    current = keys[0]
    stop = threading.Event()
    failures: list[str] = []
    served = [0, 0, 0, 0]

    def load(slot: int) -> None:
        with httpx.Client(trust_env=False, timeout=60) as client:
            while not stop.is_set():
                key = current
                token = remembered[key.key_id] if served[slot] % 2 else mint(key)
                answer = client.get(gate.url + "/service/", headers=bearer(token))
                served[slot] += 1
                if answer.status_code != 200:
                    failures.append(f"{key.key_id}: {answer.status_code} {answer.text}")

    workers = [threading.Thread(target=load, args=(slot,)) for slot in range(len(served))]
    for worker in workers:
        worker.start()
    try:
        for turn, new in enumerate(keys[1:], start=1):
            # The issuer waits until the published key is known, then signs with it; the old one leaves a turn later, when
            # nothing that it signed is under way any more.
            server.serve_keys(*keys[max(0, turn - 2) : turn + 1])
            eventually(lambda new=new: passes(gate, mint(new)), "the published key is known")
            current = new
    finally:
        stop.set()
        for worker in workers:
            worker.join(timeout=60)
    assert failures == []
    assert all(count > 10 for count in served)
    assert every_worker_took_part(gate)
    gone = remembered[keys[0].key_id]
    eventually(lambda: statuses(gate, gone) == {401}, "a token that is remembered ends with its key")
