"""Ports for programs that have to be told theirs.

Below the range from which the kernel takes ports of outgoing connections, and reserved across test processes by a lock:
'bind, look, release' alone hands one port to two tests now and then.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

_LOCKS = Path(tempfile.gettempdir()) / f"gatehouse-test-ports-{os.getuid()}"
_RANGE = range(20_000, 32_000)
_held: dict[int, int] = {}


def reserve_port() -> int:
    """A port that is free, and that no other test gets before `release_port`."""
    _LOCKS.mkdir(exist_ok=True)
    for port in random.sample(_RANGE, len(_RANGE)):
        if port in _held:
            continue
        descriptor = os.open(_LOCKS / str(port), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.create_server(("0.0.0.0", port)):
                _held[port] = descriptor
                return port
        except OSError:
            os.close(descriptor)
    raise AssertionError("no free port")


def release_port(port: int) -> None:
    """Others may have it."""
    os.close(_held.pop(port))
