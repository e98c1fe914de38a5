"""A running Envoy with both filters for many configurations, and the way to ask both the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from harness.envoy import Envoy
from mesh.settings import Tools

from .bootstrap import NATIVE, OURS, bootstrap
from .cases import Answer, Case, Configuration, Outcome, Request
from .wire import Client, Upstream

AT_ONCE = 12
"""So many cases are under way at the same time."""


class Lab:
    """Asks both filters. Comes from `open_lab`."""

    def __init__(self, envoy: Envoy, upstreams: dict[str, Upstream]) -> None:
        self.envoy = envoy
        self.upstreams = upstreams
        self._ports = _listener_ports(envoy)
        self._idle: dict[str, list[Client]] = {}

    async def ask(self, side: str, configuration: Configuration, request: Request, number: int) -> Answer:
        """What one of the two makes of a request."""
        listener = f"{side}/{configuration.name}"
        idle = self._idle.setdefault(listener, [])
        client = idle.pop() if idle else Client(self._ports[listener], self.upstreams[side])
        try:
            return await client.exchange(request, number)
        finally:
            idle.append(client)

    async def compare(self, case: Case) -> Outcome:
        """What both make of a case, asked at the same time."""
        native, ours = await asyncio.gather(
            *(self.ask(side, case.configuration, case.request, case.number) for side in (NATIVE, OURS))
        )
        return Outcome(case, native, ours)

    async def compare_all(self, cases: Iterable[Case], done: Callable[[Outcome], None]) -> None:
        """Compares many, some at a time; the order in which they end is nobody's business."""
        waiting = iter(cases)

        async def work() -> None:
            for case in waiting:
                done(await self.compare(case))

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())

    def close(self) -> None:
        """Ends all connections and Envoy."""
        for clients in self._idle.values():
            for client in clients:
                client.close()
        self.envoy.stop()


@asynccontextmanager
async def open_lab(
    tools: Tools, configurations: Sequence[Configuration], *, plugin: Path | None, clusters: dict[str, int] | None = None,
) -> AsyncIterator[Lab]:
    """Starts Envoy; raises `EnvoyRefused` when it does not take the configurations."""
    upstreams = {NATIVE: Upstream(), OURS: Upstream()}
    for upstream in upstreams.values():
        await upstream.start()
    ports = {side: upstream.port for side, upstream in upstreams.items()}
    text = bootstrap(configurations, ports, plugin, clusters=clusters or {})
    try:
        # In a thread: key sets are served by this event loop, and Envoy may wait for them before it listens.
        lab = Lab(await asyncio.to_thread(Envoy, tools, text, workers=1), upstreams)
        try:
            yield lab
        finally:
            lab.close()
    finally:
        for upstream in upstreams.values():
            await upstream.stop()


def _listener_ports(envoy: Envoy) -> dict[str, int]:
    answer = httpx.get(f"http://127.0.0.1:{envoy.admin_port}/listeners?format=json", trust_env=False, timeout=60)
    return {
        status["name"]: status["local_address"]["socket_address"]["port_value"]
        for status in answer.json()["listener_statuses"]
    }
