"""Differences in what a refused client is told."""

from __future__ import annotations

from ..cases import Case
from ..compare import Difference, Kind
from .deviation import Deviation


def _realm(case: Case, difference: Difference) -> bool:
    """The same address, once the query is cut off; ours with percent signs for what could end the quoted string."""
    if (
        difference.kind is not Kind.CHALLENGE
        or difference.name != "realm"
        or not (difference.native and difference.ours)
    ):
        return False
    address = difference.native[0].split("?")[0]
    return "".join(_escaped(letter) for letter in address) == difference.ours[0]


def _escaped(letter: str) -> str:
    return letter if "!" <= letter <= "~" and letter not in '"\\<>' else f"%{ord(letter):02X}"


def _description(case: Case, difference: Difference) -> bool:
    return (
        difference.kind is Kind.CHALLENGE
        and difference.name == "error_description"
        and not difference.native
        and bool(difference.ours)
    )


def _keys_unavailable(case: Case, difference: Difference) -> bool:
    """503 in place of 401, and so no challenge: a better token would not help."""
    if not case.has("keys.out-of-reach"):
        return False
    if difference.kind is Kind.STATUS:
        return (difference.native, difference.ours) == (("401",), ("503",))
    return difference.kind is Kind.CHALLENGE and not difference.ours


def _set_refused(case: Case, difference: Difference) -> bool:
    """Nobody vouches for the token, which is not its fault."""
    return case.has("jwk.duplicate-kid") and difference.kind is Kind.STRICTER and difference.ours == ("503",)


ANSWERS = (
    Deviation(
        "duplicate-kid",
        "Of two keys of a fetched set with one `kid`, the first that fits verifies.",
        "The set is refused: 503, as without keys, or the last good ones are used.",
        "It is open which of them a token means.",
        _set_refused,
    ),
    Deviation(
        "realm-without-query",
        "The challenge's `realm` holds path and query, 256 bytes of them.",
        "The realm holds the path, percent-encoded where it could end the quoted string.",
        "The query may hold a token, and answers are logged.",
        _realm,
    ),
    Deviation(
        "keys-unavailable",
        "401 when the issuer's keys can't be had.",
        "503 with `Retry-After`.",
        "It is not the token's fault; clients must not log their users out.",
        _keys_unavailable,
    ),
    Deviation(
        "error-description",
        'The challenge says `error="invalid_token"` and no more.',
        "It says in `error_description` what is wrong, unless `strip_failure_response` is on.",
        "RFC 6750, section 3.",
        _description,
    ),
)
