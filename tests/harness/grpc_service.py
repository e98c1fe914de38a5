"""A gRPC service behind the gate: unary and streaming echoes, by grpcio itself. Messages are plain bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

SERVICE = "gatehouse.test.Echo"


class GrpcService:
    """Serves `Say` (one message for one) and `Chat` (each message comes back at once)."""

    def __init__(self) -> None:
        self.calls: list[dict[str, list[str]]] = []
        handlers = {
            "Say": grpc.unary_unary_rpc_method_handler(self._say),
            "Chat": grpc.stream_stream_rpc_method_handler(self._chat),
        }
        self._server = grpc.server(ThreadPoolExecutor(16))
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.port: int = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def only_call(self) -> dict[str, list[str]]:
        """The metadata of the one call that arrived since `calls` was cleared."""
        assert len(self.calls) == 1, self.calls
        return self.calls[0]

    def close(self) -> None:
        """Ends it, and every call with it."""
        self._server.stop(grace=None).wait()

    def _say(self, message: bytes, context: grpc.ServicerContext) -> bytes:
        self._note(context)
        if message == b"fail":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the service's own words")
        return b"echo: " + message

    def _chat(self, messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        self._note(context)
        for message in messages:
            yield b"echo: " + message

    def _note(self, context: grpc.ServicerContext) -> None:
        seen: dict[str, list[str]] = {}
        for name, value in context.invocation_metadata():
            seen.setdefault(name, []).append(value if isinstance(value, str) else value.hex())
        self.calls.append(seen)


class Caller:
    """A client of the service through the gate."""

    def __init__(self, port: int) -> None:
        # No proxy of the environment, and a connection of its own rather than one shared with other tests.
        options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def say(self, message: bytes, *metadata: tuple[str, str], service: str = SERVICE) -> bytes:
        """One message for one. Raises `grpc.RpcError`."""
        call = self._channel.unary_unary(f"/{service}/Say")
        return call(message, metadata=metadata, timeout=60)

    def chat(self, messages: Iterator[bytes], *metadata: tuple[str, str]) -> Iterator[bytes]:
        """A stream each way. Raises `grpc.RpcError` where it ends badly."""
        call = self._channel.stream_stream(f"/{SERVICE}/Chat")
        return call(messages, metadata=metadata, timeout=60)


def refusal(ask: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    """The status of a call that fails, and its message, as the library reads them."""
    try:
        ask()
    except grpc.RpcError as error:
        # What is raised is the call itself, which knows both.
        return error.code(), error.details() or ""
    raise AssertionError("the call went through")
