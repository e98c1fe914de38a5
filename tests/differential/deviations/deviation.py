"""What an entry of the table is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..cases import Case
from ..compare import Difference
from .consequences import follows_from_a_refused_token

Covers = Callable[[Case, Difference], bool]


@dataclass(frozen=True)
class Deviation:
    """A deliberate difference. `covers` says whether it explains one thing in which the answers to a case differ."""

    slug: str
    native: str
    ours: str
    why: str
    covers: Covers
    looser: bool = False


def refused_by_ours(applies: Callable[[Case], bool]) -> Covers:
    """A token is good to the native filter and bad to ours: where `applies`, whatever follows from that is covered."""

    def covers(case: Case, difference: Difference) -> bool:
        return follows_from_a_refused_token(case, difference) and applies(case)

    return covers


def with_trait(*prefixes: str) -> Callable[[Case], bool]:
    """Applies to cases with a trait that begins with one of these."""
    return lambda case: case.has(*prefixes)
