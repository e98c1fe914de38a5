"""The Envoy that is measured."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Self

from .machine import BenchError, Machine

PATIENCE_SECONDS = 120.0


class Server:
    """A running Envoy on its core. Its listeners are found by name."""

    def __init__(self, envoy: Path, machine: Machine, config: str, *, workers: int = 1) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gatehouse-bench-")
        folder = Path(self._folder.name)
        (folder / "envoy.json").write_text(config)
        self._log = folder / "envoy.log"
        admin = folder / "admin"
        command = [str(envoy), "-c", str(folder / "envoy.json"), "--admin-address-path", str(admin)]
        command += ["--concurrency", str(workers), "--disable-hot-restart", "--log-level", "warning"]
        began = time.monotonic()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                machine.on_envoy_core(command), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            self._admin = self._await(lambda: admin.read_text().strip() if admin.exists() else "")
            self._await(lambda: "LIVE" if self.ask("/ready").startswith("LIVE") else "")
            listeners = json.loads(self.ask("/listeners?format=json"))["listener_statuses"]
            self.seconds_to_start = time.monotonic() - began
            self.ports = {
                each["name"]: int(each["local_address"]["socket_address"]["port_value"]) for each in listeners
            }
        except BaseException:
            self.stop()
            raise

    def ask(self, path: str) -> str:
        """What its admin interface says."""
        try:
            with urllib.request.urlopen(f"http://{self._admin}{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def counter(self, name: str) -> int:
        """A counter or gauge of its."""
        lines = (line.rpartition(": ") for line in self.ask(f"/stats?filter={name}").splitlines())
        return next((int(value) for known, _, value in lines if known == name), 0)

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _await(self, look: object) -> str:
        assert callable(look)
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends:
            if self.process.poll() is not None:
                raise BenchError(f"Envoy did not start:\n{self._log.read_text(errors='replace')[-3000:]}")
            if found := look():
                return str(found)
            time.sleep(0.005)
        raise BenchError(f"Envoy is not ready after {PATIENCE_SECONDS:.0f} s")
