"""Detached processes that a later command finds again, and never mistakes for somebody else's.

A process id alone is not proof: ids are reused, and a stale file must not make `down` kill a stranger. The record
therefore holds the time at which the kernel started the process, and which boot of the machine that was.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

STOP_PATIENCE_SECONDS = 15.0


@dataclass(frozen=True)
class Account:
    """The user that a process runs as, when that is not the caller."""

    name: str
    user_id: int
    group_id: int

    @staticmethod
    def popen_arguments(account: Account | None) -> dict[str, Any]:
        """What makes `subprocess` start a program as this account, without the caller's other groups."""
        if account is None:
            return {}
        return {"user": account.user_id, "group": account.group_id, "extra_groups": []}


@dataclass(frozen=True)
class Record:
    """What is written down about a started process."""

    pid: int
    started: int
    boot: str
    fingerprint: str

    def is_alive(self) -> bool:
        """Whether this very process still runs; one that has ended and only waits to be reaped does not."""
        state = _kernel_state(self.pid)
        return state is not None and state == (self.started, False) and self.boot == _boot_id()


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _kernel_state(pid: int) -> tuple[int, bool] | None:
    """(start time in clock ticks, whether it is a zombie); None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may hold spaces and parentheses; the fields after the last one are plain.
    fields = stat.rpartition(")")[2].split()
    return int(fields[19]), fields[0] in "ZX"


class ProcessTable:
    """The processes of one mesh: one record file per part."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Children of this very program have to be reaped by it, or they stay as zombies until it ends.
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def find(self, name: str) -> Record | None:
        """The running process of a part. Records of dead ones are forgotten."""
        file = self._file(name)
        try:
            record = Record(**json.loads(file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            # Cut off by a full disk or a power cut: nothing can be said about a process from it.
            file.unlink(missing_ok=True)
            return None
        if record.is_alive():
            return record
        self._reap(record.pid)
        file.unlink(missing_ok=True)
        return None

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        stdout: Path,
        stderr: Path,
        fingerprint: str,
        account: Account | None = None,
    ) -> Record:
        """Starts a part in a session of its own, with its output in files.

        A terminal's Ctrl-C or a closing pipe of the caller then does not reach it, and the caller's own output does not
        stay open because of it.
        """
        with _fresh_log(stdout) as out, _fresh_log(stderr) if stderr != stdout else out as err:
            child = subprocess.Popen(
                list(command),
                env=dict(environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                umask=0o077,
                **Account.popen_arguments(account),
            )
        self._children[child.pid] = child
        state = _kernel_state(child.pid)
        record = Record(child.pid, state[0] if state else 0, _boot_id(), fingerprint)
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._file(name).with_suffix(".draft")
        draft.write_text(json.dumps(asdict(record)))
        draft.rename(self._file(name))
        return record

    def stop(self, name: str, *, with_signal: signal.Signals = signal.SIGTERM) -> bool:
        """Ends a part and waits until it is gone. True when there was something to end."""
        record = self.find(name)
        if record is None:
            return False
        for attempt in (with_signal, signal.SIGKILL):
            try:
                # The process leads its own group: what it started goes with it when it has to be killed.
                if attempt == signal.SIGKILL:
                    os.killpg(record.pid, attempt)
                else:
                    os.kill(record.pid, attempt)
            except ProcessLookupError:
                break
            if self._wait_until_gone(record):
                break
        self._file(name).unlink(missing_ok=True)
        return True

    def _wait_until_gone(self, record: Record) -> bool:
        deadline = time.monotonic() + STOP_PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if not record.is_alive():
                self._reap(record.pid)
                return True
            time.sleep(0.02)
        return False

    def _reap(self, pid: int) -> None:
        """Takes note of the end of a process, if it was started here."""
        child = self._children.pop(pid, None)
        if child is not None:
            child.wait()

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _fresh_log(path: Path) -> IO[bytes]:
    """An empty log; the one of the run before is kept beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size:
        path.replace(path.with_name(path.name + ".before"))
    # Appending, so that two writers (and a person's `truncate`) don't overwrite each other.
    return open(path, "ab", buffering=0, opener=lambda name, flags: os.open(name, flags, 0o640))
