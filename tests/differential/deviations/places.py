"""Differences in where tokens are found."""

from __future__ import annotations

from collections import Counter

from ..cases import Case
from ..compare import Difference
from .consequences import places_of
from .deviation import Deviation, refused_by_ours, with_trait


def _several_tokens(case: Case) -> bool:
    """A place with two values, or a request with tokens in two places of one provider."""
    if case.has("token.repeated", "cookie.twice"):
        return True
    if any(_is_in_overlapping_places(case, token.place) for token in case.tokens):
        return True
    places = Counter(token.place for token in case.tokens)
    return len(case.tokens) > 1 and (
        max(places.values()) > 1 or len({token.provider for token in case.tokens}) < len(case.tokens) or _share(case)
    )


def _is_in_overlapping_places(case: Case, place: str) -> bool:
    """Whether the header of a token is looked at for several prefixes, so that one value is found more than once."""
    prefixes = {
        header.get("value_prefix", "")
        for provider in case.configuration.providers.values()
        for header in provider.get("from_headers", _DEFAULT_HEADERS)
        if f"header:{header['name'].lower()}" == place.lower()
    }
    return len(prefixes) > 1


_DEFAULT_HEADERS = [{"name": "authorization", "value_prefix": "Bearer "}]


def _share(case: Case) -> bool:
    """Whether some provider looks at two of the places in which there is a token."""
    used = {token.place.lower() for token in case.tokens}
    return any(len(used & places_of(provider)) > 1 for provider in case.configuration.providers.values())


def _any_case(case: Case, difference: Difference) -> bool:
    return case.has("scheme.other-case")


PLACES = (
    Deviation(
        "bearer-any-case",
        "Knows `Bearer` in this spelling only; with any other there is no token.",
        "Takes the scheme in any case.",
        "RFC 7235, section 2.1: schemes have no case.",
        _any_case,
        looser=True,
    ),
    Deviation(
        "one-token",
        "Of several tokens in the places of one provider all must be good, of several parameters or cookies of a name "
        "the first; two `Authorization` headers are joined by a comma and searched.",
        "Several tokens for one provider, and several `Authorization` headers, are refused.",
        "RFC 6750, section 2: a request uses one method. Which of several the upstream believes is anybody's guess.",
        refused_by_ours(_several_tokens),
    ),
    Deviation(
        "prefix-first",
        "Looks for the prefix (`Bearer `, `value_prefix`) anywhere in the value, and skips what can't begin a token.",
        "The value begins with the prefix, and then comes the token.",
        "`Basic …, Bearer …` is no Bearer credential.",
        refused_by_ours(
            with_trait(
                "scheme.not-first",
                "scheme.skipped",
                "scheme.tab",
                "scheme.twice",
                "prefix.not-first",
                "prefix.skipped",
                "plain.blank",
            )
        ),
    ),
)
