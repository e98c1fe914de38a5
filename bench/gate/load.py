"""Load, and what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.keys import Key
from harness.tokens import mint

from .machine import BenchError, Machine, cpu_nanoseconds
from .server import Server

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 16
LIFETIME_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Sample:
    """One run of wrk."""

    requests_per_second: float
    # How long Envoy was on its core for one request: steadier than the rate where others use the machine too.
    cpu_microseconds: float
    p50_microseconds: int
    p99_microseconds: int

    def as_dict(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)


def write_tokens(path: Path, key: Key, number: int) -> Path:
    """Signs that many tokens, all different."""
    expires = int(time.time()) + LIFETIME_SECONDS
    path.write_text("".join(f"{mint(key, jti=f'{path.stem}-{each}', exp=expires)}\n" for each in range(number)))
    return path


def write_all_tokens(folder: Path, keys: list[Key], sizes: dict[str, int]) -> dict[tuple[str, str], Path]:
    """The same for all keys and sizes, by algorithm and size's name."""
    paths = {(key.algorithm, name): folder / f"{key.algorithm}-{name}.txt" for key in keys for name in sizes}
    with ThreadPoolExecutor(max_workers=2) as pool:
        jobs = [
            pool.submit(write_tokens, paths[key.algorithm, name], key, size)
            for key in keys
            for name, size in sizes.items()
        ]
        for job in jobs:
            job.result()
    return paths


def drive(server: Server, machine: Machine, listener: str, tokens: Path, seconds: float) -> dict[str, int]:
    """Asks with these tokens for some seconds, as fast as one connection pool can; what wrk tells (load.lua)."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchError("wrk is missing: scripts/setup.sh bench")
    url = f"http://127.0.0.1:{server.ports[listener]}/"
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s"]
    command += ["-s", str(SCRIPT), url, "--", str(tokens)]
    run = subprocess.run(machine.on_load_core(command), capture_output=True, text=True, timeout=seconds * 10 + 60)
    if run.returncode != 0:
        raise BenchError(f"wrk failed: {run.stderr.strip() or run.stdout.strip()}")
    told: dict[str, int] = json.loads(run.stdout.strip().splitlines()[-1])
    if told["requests"] == 0 or told["broken"]:
        raise BenchError(f"{listener}: not every request was answered: {told}")
    return told


def offer(server: Server, machine: Machine, listener: str, tokens: Path, seconds: float) -> Sample:
    """The same with good tokens, and what it cost."""
    spent = cpu_nanoseconds(server.process.pid)
    told = drive(server, machine, listener, tokens, seconds)
    spent = cpu_nanoseconds(server.process.pid) - spent
    if told["refused"]:
        raise BenchError(f"{listener}: not every request was let in: {told}")
    return Sample(
        requests_per_second=told["requests"] * 1e6 / told["microseconds"],
        cpu_microseconds=spent / 1000 / told["requests"],
        p50_microseconds=told["p50"],
        p99_microseconds=told["p99"],
    )
