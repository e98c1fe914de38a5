"""A running Envoy with both filters for many configurations, and the way to ask both the same."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from mesh.settings import Tools

from harness.envoy import Envoy, EnvoyRefused
from harness.waiting import eventually

from .bootstrap import KEYS, NATIVE, OURS, Tamper, bootstrap, listeners, untouched
from .cases import Answer, Case, Configuration, Outcome, Request
from .wire import Client, KeyServer, Upstream

AT_ONCE = 12
"""So many cases are under way at the same time."""


class Lab:
    """Asks both filters. Comes from `open_lab`."""

    def __init__(
        self, envoy: Envoy, upstreams: dict[str, Upstream], ports: dict[str, int], refused: dict[str, str]
    ) -> None:
        self.envoy = envoy
        self.upstreams = upstreams
        self.refused = refused
        """Listeners (`native/c0`, `ours/c0`) that Envoy did not take, and why."""
        self._ports = ports
        self._idle: dict[str, list[Client]] = {}

    def takes(self, side: str, configuration: Configuration) -> bool:
        """Whether a filter took a configuration."""
        return f"{side}/{configuration.name}" in self._ports

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
    tools: Tools, configurations: Sequence[Configuration], *, tamper: Tamper = untouched
) -> AsyncIterator[Lab]:
    """Starts Envoy with two listeners for each configuration. Without remote key sets, nobody serves any."""
    upstreams = {NATIVE: Upstream(), OURS: Upstream()}
    key_sets = {path: document for configuration in configurations for path, document in configuration.key_sets.items()}
    keys = KeyServer(key_sets)
    servers: list[Upstream | KeyServer] = [*upstreams.values(), keys]
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-differential-"))
    try:
        for server in servers:
            await server.start()
        if not key_sets:
            await keys.stop()
        ports = {side: upstream.port for side, upstream in upstreams.items()}
        file = folder / "listeners.json"
        file.write_text(listeners(configurations, tools.plugin, tamper))
        text = bootstrap({**ports, KEYS: keys.port}, file)
        # In a thread: key sets are served by this event loop, and Envoy may wait for them before it listens.
        lab = await asyncio.to_thread(_start, tools, text, upstreams, 2 * len(configurations))
        try:
            yield lab
        finally:
            lab.close()
    finally:
        for server in servers:
            await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _start(tools: Tools, text: str, upstreams: dict[str, Upstream], expected: int) -> Lab:
    try:
        envoy = Envoy(tools, text, workers=1)
    except EnvoyRefused as refusal:
        # Envoy repeats the whole configuration in a line.
        raise EnvoyRefused("\n".join(line[:600] for line in str(refusal).splitlines())) from None
    try:

        def look() -> tuple[dict[str, int], dict[str, str]] | None:
            ports, refused = _listeners(envoy)
            return (ports, refused) if len(ports) + len(refused) == expected else None

        ports, refused = eventually(look, "every listener stands or is refused")
    except BaseException:
        envoy.stop()
        raise
    return Lab(envoy, upstreams, ports, refused)


def _listeners(envoy: Envoy) -> tuple[dict[str, int], dict[str, str]]:
    """The ports of those that stand, and what is wrong with the others."""
    statuses = _admin(envoy, "/listeners?format=json").get("listener_statuses", [])
    ports = {status["name"]: status["local_address"]["socket_address"]["port_value"] for status in statuses}
    log = envoy.log_text()
    if unreadable := _UNREADABLE.search(log):
        raise EnvoyRefused(unreadable[0][:600])
    complaints: dict[str, list[str]] = {}
    for name, complaint in _COMPLAINT.findall(log):
        complaints.setdefault(f"{OURS}/{name}", []).append(complaint)
    refused = {name: "\n".join(complaints.get(name, [why])) for name, why in _REJECTED.findall(log)}
    return ports, refused


_REJECTED = re.compile(r"lds: listener '([^']+)' config rejected: (.*)")
_COMPLAINT = re.compile(r"wasm log (\S+) (?:\S+: )+?configuration: (.*)")
_UNREADABLE = re.compile(r"Filesystem config update (?:failure|rejected): (?!Error adding/updating).*")


def _admin(envoy: Envoy, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"http://127.0.0.1:{envoy.admin_port}{path}", trust_env=False, timeout=60).json()
    return answer
