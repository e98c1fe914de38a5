"""What is running now and where it writes: shown when a test fails, and only then."""

from __future__ import annotations

from collections.abc import Callable

LINES_SHOWN = 60

_SOURCES: dict[str, Callable[[], str]] = {}


def watch(name: str, read: Callable[[], str]) -> None:
    """From now on this log is shown with failures."""
    _SOURCES[name] = read


def forget(name: str) -> None:
    """No longer."""
    _SOURCES.pop(name, None)


def excerpts() -> list[tuple[str, str]]:
    """The last lines of each."""
    return [(name, "\n".join(read().splitlines()[-LINES_SHOWN:])) for name, read in _SOURCES.items()]
