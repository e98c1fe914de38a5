"""Fixtures of all end-to-end tests: gates and key set servers that end with their module, and logs of what failed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import logs
from harness.config import gateway_config, remote_provider
from harness.fetching import StartPair
from harness.gate import Gate, bare_gate, shipped_gate
from harness.jwks_server import JwksServer
from harness.keys import Key
from harness.private_mesh import PrivateMesh, private_mesh
from mesh.errors import MeshError
from mesh.settings import Tools


def pytest_configure(config: pytest.Config) -> None:
    """A missing artefact ends the run at once: neither a thousand errors nor skipped tests."""
    try:
        Tools.from_environment(os.environ).check()
    except MeshError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session")
def tools() -> Tools:
    """What is under test."""
    return Tools.from_environment(os.environ)


@pytest.fixture(scope="module")
def start_gate(tools: Tools, request: pytest.FixtureRequest) -> Iterator[Callable[..., Gate]]:
    """Starts gates in a bare Envoy; all of them end with the module."""
    yield from _gates(lambda *arguments, **options: bare_gate(tools, *arguments, **options), request)


@pytest.fixture(scope="module")
def start_shipped_gate(tools: Tools, request: pytest.FixtureRequest) -> Iterator[Callable[..., Gate]]:
    """Starts gates in the Envoy of envoy.yaml."""
    yield from _gates(lambda *arguments, **options: shipped_gate(tools, *arguments, **options), request)


def _gates(start: Callable[..., Gate], request: pytest.FixtureRequest) -> Iterator[Callable[..., Gate]]:
    started: list[Gate] = []

    def begin(*arguments: Any, **options: Any) -> Gate:
        gate = start(*arguments, **options)
        logs.watch(f"Envoy {gate.port} of {request.node.name}", gate.envoy.log_text)
        started.append(gate)
        return gate

    yield begin
    for gate in started:
        logs.forget(f"Envoy {gate.port} of {request.node.name}")
        gate.close()


@pytest.fixture(scope="module")
def start_jwks_server() -> Iterator[Callable[..., JwksServer]]:
    """Starts key set servers; all of them end with the module."""
    started: list[JwksServer] = []

    def begin(*keys: Key) -> JwksServer:
        server = JwksServer(*keys)
        started.append(server)
        return server

    yield begin
    for server in started:
        server.close()


@pytest.fixture
def start_pair(start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]) -> StartPair:
    """Starts gates that fetch their keys, each with a key set server of its own."""

    def begin(*keys: Key, cache_duration: str = "300s") -> tuple[Gate, JwksServer]:
        server = start_jwks_server(*keys)
        if not keys:
            server.break_off()
        config = gateway_config(remote_provider(cache_duration=cache_duration))
        return start_gate(config, clusters={"keys": server.port}), server

    return begin


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A failure comes with the logs of everything that ran meanwhile."""
    report = yield
    if report.failed:
        report.sections.extend((f"last lines of {name}", text) for name, text in logs.excerpts())
    return report


@pytest.fixture(scope="module")
def mesh(tools: Tools) -> Iterator[PrivateMesh]:
    """The whole mesh, real in every part, for one module."""
    with private_mesh(tools) as running:
        yield running
