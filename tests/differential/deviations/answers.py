"""Differences in what a refused client is told."""

from __future__ import annotations

from urllib.parse import unquote

from ..cases import Case
from ..compare import Difference, Kind
from .deviation import Deviation


def _realm(case: Case, difference: Difference) -> bool:
    """The same address, once the query is cut off; ours with percent signs for what could end the quoted string."""
    if difference.kind is not Kind.CHALLENGE or difference.name != "realm" or not (difference.native and difference.ours):
        return False
    return difference.native[0].split("?")[0] == unquote(difference.ours[0], "latin-1")


def _description(case: Case, difference: Difference) -> bool:
    return (
        difference.kind is Kind.CHALLENGE and difference.name == "error_description" and not difference.native
        and bool(difference.ours)
    )


ANSWERS = (
    Deviation(
        "realm-without-query", "The challenge's `realm` holds path and query, 256 bytes of them.", "The realm holds the path, percent-encoded where it could end the quoted string.",
        "The query may hold a token, and answers are logged.", _realm,
    ),
    Deviation(
        "error-description", "The challenge says `error=\"invalid_token\"` and no more.",
        "It says in `error_description` what is wrong, unless `strip_failure_response` is on.", "RFC 6750, section 3.", _description,
    ),
)
