"""What an entry of the table is, and the ways in which a token that only ours refuses can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..cases import Case
from ..compare import Difference, Kind

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
    """The token is good to the native filter and bad to ours: where `applies`, whatever follows from that is covered.

    Followed by a refusal; by another reason for one; or, where the rule forgives bad tokens, by a request that goes on with
    nothing of the token's claims and with the token still in it.
    """
    def covers(case: Case, difference: Difference) -> bool:
        return follows_from_a_refused_token(case, difference) and applies(case)
    return covers


def with_trait(*prefixes: str) -> Callable[[Case], bool]:
    """Applies to cases with a trait that begins with one of these."""
    return lambda case: case.has(*prefixes)


_REFUSALS = {"401", "403", "200 16", "200 7", "401 16", "403 7"}


def follows_from_a_refused_token(case: Case, difference: Difference) -> bool:
    """Whether a difference is what one sees when ours judges a token more strictly."""
    match difference.kind:
        case Kind.STRICTER:
            return difference.ours[0] in _REFUSALS
        case Kind.STATUS:
            return " ".join(difference.ours) in _REFUSALS
        case Kind.CHALLENGE:
            # Or the native filter has none at all, because it failed in another way.
            return difference.name == "error" or not difference.native
        case Kind.HEADER:
            return _is_less_told(case, difference)
        case Kind.TARGET:
            return difference.ours == (case.request.method, case.request.target)
    return False


def _is_less_told(case: Case, difference: Difference) -> bool:
    if difference.name in case.configuration.mapped_headers():
        remaining = list(difference.native)
        for value in difference.ours:
            if value not in remaining:
                return False
            remaining.remove(value)
        return True
    if difference.name == "x-routed":
        return True
    # The token stays where it was.
    is_place = any(f"header:{difference.name}" in places_of(provider) for provider in case.configuration.providers.values())
    return is_place and sorted(difference.ours) == sorted(value.strip(" \t") for value in case.request.values(difference.name))


def places_of(provider: dict[str, Any]) -> set[str]:
    """Where a provider looks, as `header:authorization`."""
    named = {
        *(f"header:{header['name'].lower()}" for header in provider.get("from_headers", [])),
        *(f"param:{name}" for name in provider.get("from_params", [])),
        *(f"cookie:{name}" for name in provider.get("from_cookies", [])),
    }
    return named or {"header:authorization", "param:access_token"}
