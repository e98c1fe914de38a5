"""gRPC through the gate, with grpcio on both sides: what callers read of a refusal, and that streams flow after a pass."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator

import grpc
import pytest
from harness.config import gateway_config, provider, remote_provider
from harness.gate import Gate
from harness.grpc_service import SERVICE, Caller, GrpcService, refusal
from harness.jwks_server import JwksServer
from harness.keys import key, new_key
from harness.tokens import SUBJECT, mint

GOOD = key("ES256")
STRANGER = new_key("ES256", GOOD.key_id)

SERVICES = {
    # No time limit: a stream may stay open for as long as both sides like.
    "echo": {"prefix": f"/{SERVICE}/", "cluster": "echo", "timeout": "0s"},
    "vault": {"prefix": "/gatehouse.test.Vault/", "cluster": "echo", "authorization": {"scopes": ["vault.open"]}},
    "down": {"prefix": "/gatehouse.test.Down/", "cluster": "down"},
}
LIMITS = {
    "once": {
        "per": "subject",
        "requests": 1,
        "every": "3600s",
        "match": {"prefix": "/", "headers": [{"name": "x-limited", "present_match": True}]},
    }
}


@pytest.fixture(scope="module")
def service() -> Iterator[GrpcService]:
    running = GrpcService()
    yield running
    running.close()


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate], service: GrpcService) -> Gate:
    stopped = GrpcService()
    stopped.close()
    config = gateway_config(provider(GOOD), services=SERVICES, limits=LIMITS)
    # The route's own limit, as envoy.yaml has one too: the service's goes before it.
    route = {"match": {"prefix": "/"}, "route": {"cluster_header": "x-gatehouse-cluster", "timeout": "1s"}}
    routes = {"name": "test", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]}
    return start_gate(
        config,
        http2_clusters={"echo": service.port, "down": stopped.port},
        connection_manager={"route_config": routes},
    )


@pytest.fixture
def caller(gate: Gate, service: GrpcService) -> Iterator[Caller]:
    service.calls.clear()
    with Caller(gate.port) as client:
        yield client


def token(**claims: object) -> tuple[str, str]:
    """The metadata of a caller with a good token."""
    return ("authorization", f"Bearer {mint(GOOD, **claims)}")


# ---- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "called", "status", "message"),
    [
        ([], SERVICE, grpc.StatusCode.UNAUTHENTICATED, "token_missing: This resource needs a bearer token"),
        ([("authorization", "Bearer x.y.z")], SERVICE, grpc.StatusCode.UNAUTHENTICATED, "token_malformed: "),
        (
            [("authorization", f"Bearer {mint(STRANGER)}")],
            SERVICE,
            grpc.StatusCode.UNAUTHENTICATED,
            "signature_invalid: ",
        ),
        ([token(exp=1)], SERVICE, grpc.StatusCode.UNAUTHENTICATED, "token_expired: The token has expired."),
        ([token(aud="elsewhere")], SERVICE, grpc.StatusCode.PERMISSION_DENIED, "audience_not_allowed: "),
        ([token()], "gatehouse.test.Vault", grpc.StatusCode.PERMISSION_DENIED, "insufficient_scope: "),
        ([token()], "gatehouse.test.Nobody", grpc.StatusCode.UNIMPLEMENTED, "service_unknown: "),
    ],
)
def test_a_refusal_is_a_status_and_a_message_that_the_library_reads(
    caller: Caller,
    service: GrpcService,
    metadata: list[tuple[str, str]],
    called: str,
    status: grpc.StatusCode,
    message: str,
) -> None:
    code, details = refusal(lambda: caller.say(b"hello", *metadata, service=called))
    assert code == status, details
    assert details.startswith(message), details
    assert service.calls == []


def test_a_missing_scope_is_named_in_the_message(caller: Caller) -> None:
    _, details = refusal(lambda: caller.say(b"hello", token(), service="gatehouse.test.Vault"))
    assert details.endswith("Scope: vault.open"), details


def test_a_refused_caller_may_call_again_on_the_same_connection(caller: Caller) -> None:
    for _ in range(3):
        code, _ = refusal(lambda: caller.say(b"hello"))
        assert code == grpc.StatusCode.UNAUTHENTICATED
        assert caller.say(b"hello", token()) == b"echo: hello"


def test_a_used_up_limit_is_resource_exhausted(caller: Caller, service: GrpcService) -> None:
    mine = token(sub="a-caller-of-this-test-only")
    assert caller.say(b"hello", mine, ("x-limited", "1")) == b"echo: hello"
    code, details = refusal(lambda: caller.say(b"hello", mine, ("x-limited", "1")))
    assert (code, details.split(":")[0]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "rate_limited")
    assert len(service.calls) == 1


def test_without_keys_a_call_is_unavailable(
    start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer], service: GrpcService
) -> None:
    keys = start_jwks_server()
    keys.break_off()
    config = gateway_config(remote_provider(), services=SERVICES)
    keyless = start_gate(config, clusters={"keys": keys.port}, http2_clusters={"echo": service.port})
    service.calls.clear()
    with Caller(keyless.port) as client:
        code, details = refusal(lambda: client.say(b"hello", token()))
    assert (code, details.split(":")[0]) == (grpc.StatusCode.UNAVAILABLE, "keys_unavailable")
    assert service.calls == []


def test_a_service_that_is_down_is_unavailable(caller: Caller) -> None:
    code, _ = refusal(lambda: caller.say(b"hello", token(), service="gatehouse.test.Down"))
    assert code == grpc.StatusCode.UNAVAILABLE


def test_a_refused_stream_ends_with_its_status_before_a_message_gets_through(
    caller: Caller, service: GrpcService
) -> None:
    code, details = refusal(lambda: list(caller.chat(iter([b"one", b"two", b"three"]))))
    assert (code, details.split(":")[0]) == (grpc.StatusCode.UNAUTHENTICATED, "token_missing")
    assert service.calls == []


# ---- passes ------------------------------------------------------------------------------------------------------------


def test_a_call_passes_with_the_identity_that_the_token_names(caller: Caller, service: GrpcService) -> None:
    forged = [("x-user-id", "forged"), ("x_user_id", "forged"), ("x-user-name", "forged")]
    assert caller.say(b"hello", token(), *forged) == b"echo: hello"
    seen = service.only_call()
    assert seen["x-user-id"] == [SUBJECT] and seen["x-user-name"] == ["alice"]
    assert "forged" not in str(seen)
    assert "authorization" not in seen


def test_the_services_own_status_and_words_come_through(caller: Caller) -> None:
    code, details = refusal(lambda: caller.say(b"fail", token()))
    assert (code, details) == (grpc.StatusCode.FAILED_PRECONDITION, "the service's own words")


def test_a_large_message_passes_whole_both_ways(caller: Caller) -> None:
    message = bytes(range(256)) * 4096
    assert caller.say(message, token()) == b"echo: " + message


def test_a_stream_passes_both_ways_message_by_message(caller: Caller, service: GrpcService) -> None:
    """Each answer is read before the next message is sent: nobody waits for the stream's end."""
    outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    answers = caller.chat(iter(outgoing.get, None), token())
    for number in range(20):
        outgoing.put(b"%d" % number)
        assert next(answers) == b"echo: %d" % number
    outgoing.put(None)
    assert list(answers) == []
    assert service.only_call()["x-user-id"] == [SUBJECT]


def test_a_stream_without_a_timeout_outlives_the_one_of_the_route(caller: Caller) -> None:
    outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    answers = caller.chat(iter(outgoing.get, None), token())
    outgoing.put(b"first")
    assert next(answers) == b"echo: first"
    time.sleep(2.5)
    outgoing.put(b"still there?")
    assert next(answers) == b"echo: still there?"
    outgoing.put(None)
    assert list(answers) == []


def test_a_stream_that_waits_for_the_keys_loses_no_message(
    start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer], service: GrpcService
) -> None:
    keys = start_jwks_server()
    keys.hold(GOOD)
    config = gateway_config(remote_provider(timeout="30s"), services=SERVICES)
    waiting = start_gate(config, clusters={"keys": keys.port}, http2_clusters={"echo": service.port}, workers=1)
    service.calls.clear()
    messages = [b"%d" % number for number in range(50)]
    with Caller(waiting.port) as client:
        answers = client.chat(iter(messages), token())
        keys.await_fetches(1)
        assert service.calls == [], "nothing reaches the service before the decision"
        keys.release()
        assert list(answers) == [b"echo: " + message for message in messages]
