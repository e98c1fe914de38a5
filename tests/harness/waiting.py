"""Waiting for something to become true. The bound is generous: it decides when a test gives up, never what it finds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
PATIENCE_SECONDS = 60.0


def eventually(look: Callable[[], Value | None], what: str, *, patience: float = PATIENCE_SECONDS) -> Value:
    """The first true value of `look`. A failed assertion inside counts as 'not yet', and is shown when time is up."""
    deadline = time.monotonic() + patience
    last: AssertionError | None = None
    while True:
        try:
            found = look()
            if found:
                return found
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened within {patience:.0f} s: {what}") from last
        time.sleep(0.05)
