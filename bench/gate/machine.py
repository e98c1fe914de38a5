"""The machine under the measurement: which cores are used, and what it is called."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


class BenchError(Exception):
    """The measurement can't be made; the text says what would help."""


@dataclass(frozen=True)
class Machine:
    """Two cores: one for Envoy and its only worker, one for the load."""

    envoy_core: int
    load_core: int
    name: str

    @staticmethod
    def here() -> Machine:
        """The first and the last core that this process may use."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise BenchError("one core is not enough: Envoy and the load would take each other's time; two are needed.")
        model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        name = model.group(1).strip() if model else "unknown CPU"
        return Machine(cores[0], cores[-1], f"{name}, {len(cores)} cores")

    def on_envoy_core(self, command: list[str]) -> list[str]:
        """A command that stays on Envoy's core."""
        return ["taskset", "-c", str(self.envoy_core), *command]

    def on_load_core(self, command: list[str]) -> list[str]:
        """A command that stays on the other one."""
        return ["taskset", "-c", str(self.load_core), *command]


def cpu_nanoseconds(pid: int) -> int:
    """How long a process was on a core so far, all its threads together."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def resident_bytes(pid: int) -> int:
    """How much memory a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def version_of_envoy(envoy: Path) -> str:
    """Its number, as in 1.40.0."""
    text = subprocess.run([envoy, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version: [0-9a-f]*/([^/]+)/", text)
    return found.group(1) if found else "unknown"
