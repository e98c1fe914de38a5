"""Differences in what the upstream receives when both filters forward."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import unquote_to_bytes

from ..cases import Case
from ..compare import Difference, Kind
from .consequences import arriving, follows_from_a_refused_token, targets
from .deviation import Deviation

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


def _fold(name: str) -> str:
    return re.sub("[^a-z0-9]", "-", name.lower())


def _other_spelling(case: Case, difference: Difference) -> bool:
    """A header that folds to a mapped one and is none of them; ours took it out."""
    mapped = case.configuration.mapped_headers()
    return (
        difference.kind is Kind.HEADER
        and difference.name not in mapped
        and not difference.ours
        and _fold(difference.name) in {_fold(name) for name in mapped}
    )


def _route_chosen_anew(case: Case, difference: Difference) -> bool:
    """Native keeps the route that the client's own copy of the header led to, ours follows the claim."""
    return difference.kind is Kind.HEADER and difference.name == "x-routed"


def parameters(query: str) -> list[tuple[bytes, bytes]]:
    """Name and value of each parameter, decoded, in their order. Behind the last separator, nothing is no parameter."""
    pairs = (pair.partition("=") for pair in query.removesuffix("&").split("&"))
    return [
        (unquote_to_bytes(name.encode("latin-1")), unquote_to_bytes(value.encode("latin-1")))
        for name, _, value in pairs
    ]


def _query_kept(case: Case, difference: Difference) -> bool:
    """Both took the token's parameter out. Ours is what the client sent without it; native's holds the same parameters,
    rebuilt: sorted, decoded, `x` as `x=`.
    """
    if difference.kind is Kind.NATIVE_FAILS:
        # A decoded NUL or line end in the target is more than Envoy sends on.
        return any(
            _CONTROL.search(value) for pair in parameters(arriving(case).partition("?")[2]) for value in pair
        )
    if difference.kind is not Kind.TARGET or difference.native[0] != difference.ours[0]:
        return False
    ours = difference.ours[1]
    path, _, kept = ours.partition("?")
    return ours in targets(case) - {arriving(case)} and _is_rebuilt(difference.native[1], path, kept)


def _is_rebuilt(native: str, path: str, kept: str) -> bool:
    # Nothing behind the last separator was something, if the token stood behind it.
    return any(native.encode("latin-1") == _rebuilt(path, query) for query in (kept, kept + "&"))


def _rebuilt(path: str, kept: str) -> bytes:
    rebuilt = b"&".join(name + b"=" + value for name, value in sorted(parameters(kept), key=lambda pair: pair[0]))
    # A decoded blank ends the target in native's request line; so does any other that a reader takes for one.
    return re.split(rb" ", path.encode("latin-1") + b"?" + rebuilt)[0]


def _cookie_removed(case: Case, difference: Difference) -> bool:
    """Gone are only cookies in which some provider looks for its token."""
    if difference.kind is not Kind.HEADER or difference.name != "cookie":
        return False
    names = {name for provider in case.configuration.providers.values() for name in provider.get("from_cookies", [])}
    left = _crumbs(difference.ours)
    gone = [crumb for crumb in _crumbs(difference.native) if crumb not in left]
    kept = [crumb for crumb in _crumbs(difference.native) if crumb in left]
    return sorted(kept) == sorted(left) and all(crumb.partition("=")[0] in names for crumb in gone)


def _crumbs(values: tuple[str, ...]) -> list[str]:
    return [crumb.strip() for value in values for crumb in value.split(";") if crumb.strip()]


def _text_encoded(case: Case, difference: Difference) -> bool:
    if difference.kind is not Kind.HEADER or difference.name not in case.configuration.mapped_headers():
        return False
    native = difference.native[0] if difference.native else ""
    return len(difference.ours) == 1 and len(difference.native) < 2 and _is_encoded(native, difference.ours[0])


def _is_encoded(native: str, ours: str) -> bool:
    """Ours is RFC 8187's form of what native sends raw, or would have sent, had the wire not cut it at the ends."""
    prefix = "UTF-8''"
    decoded = unquote_to_bytes(ours.removeprefix(prefix)).decode("latin-1")
    return ours.startswith(prefix) and decoded.strip(" \t") == native


def _number_exact(case: Case, difference: Difference) -> bool:
    """An integer that no double holds: native sends the nearest one that does, ours keeps its digits."""
    if difference.kind is not Kind.HEADER or difference.name not in case.configuration.mapped_headers():
        return False
    if len(difference.ours) != 1 or len(difference.native) != 1:
        return False
    if not (re.fullmatch(r"\d+", difference.ours[0]) and re.fullmatch(r"\d+(\.0+)?", difference.native[0])):
        return False
    ours = int(difference.ours[0])
    return int(float(ours)) != ours and float(ours) == float(difference.native[0])


def _set_once(case: Case, difference: Difference) -> bool:
    """Native adds a value for each token or mapping, ours leaves one of them."""
    if difference.kind is not Kind.HEADER or difference.name not in case.configuration.mapped_headers():
        return False
    if len(difference.native) < 2 or len(difference.ours) != 1:
        return False
    return any(value == difference.ours[0] or _is_encoded(value, difference.ours[0]) for value in difference.native)


def _members_in_another_order(case: Case, difference: Difference) -> bool:
    if difference.kind is not Kind.HEADER or difference.name not in case.configuration.mapped_headers():
        return False
    try:
        native, ours = (
            [json.loads(base64.b64decode(value, validate=True)) for value in values]
            for values in (difference.native, difference.ours)
        )
    except ValueError:
        return False
    return native == ours


def _status_dash(case: Case, difference: Difference) -> bool:
    """Native's header is named `-`; ours is none."""
    return difference.kind is Kind.HEADER and difference.name == "-" and difference.ours == ()


def _control_characters(case: Case, difference: Difference) -> bool:
    """Refused by ours; and where the rule forgives that, ours goes on with what native made of no use."""
    if not case.has("value.cr", "value.lf", "value.nul", "value.tab", "value.del", "value.control"):
        return False
    return difference.kind is Kind.NATIVE_FAILS or follows_from_a_refused_token(case, difference)


FORWARDING = (
    Deviation(
        "folded-header-names",
        "Takes out a client's copies of the mapped headers in exactly their spelling.",
        "Takes out every spelling that servers take for the same name (`x_user_id`, `X.User.Id`).",
        "CGI, WSGI and their kin turn them into one variable.",
        _other_spelling,
    ),
    Deviation(
        "query-kept",
        "Rebuilds the query when it takes a token out: sorted, decoded and not encoded again.",
        "Takes the token's parameter out and leaves every other byte.",
        "`%26` would become a separator, `%20` a blank in the request line.",
        _query_kept,
    ),
    Deviation(
        "cookie-removed",
        "Leaves a cookie with the token in the request, whatever `forward` says.",
        "Takes that one cookie out, unless `forward` is on.",
        "The upstream must not get a credential that it was not meant to get.",
        _cookie_removed,
    ),
    Deviation(
        "route-chosen-anew",
        "Chooses the route anew for providers with `clear_route_cache` only.",
        "The host chooses it anew whenever a header changed.",
        "Envoy's Wasm ABI does so; a route that depends on mapped headers gets what it expects.",
        _route_chosen_anew,
    ),
    Deviation(
        "claim-text-encoded",
        "Sends claims with other characters than ASCII as raw bytes, and loses blanks at the ends.",
        "Sends them as RFC 8187 writes them (`UTF-8''Jos%C3%A9`).",
        "Two claims that differ never look the same to an upstream.",
        _text_encoded,
    ),
    Deviation(
        "claim-numbers-exact",
        "Sends numbers through a double.",
        "Keeps all digits of integers up to 2^64.",
        "Above 2^53, two users' numbers would become one.",
        _number_exact,
    ),
    Deviation(
        "header-set-once",
        "Adds a value to a mapped header for each token and each mapping.",
        "A mapped header has one value.",
        "Of two values, the upstream would have to guess which one counts.",
        _set_once,
    ),
    Deviation(
        "claim-member-order",
        "Writes the members of objects in an order that changes from run to run.",
        "Writes them in the token's order.",
        "The same claim is the same header every time.",
        _members_in_another_order,
    ),
    Deviation(
        "status-header-dash",
        "A `verification_status_header` of `-` is a header of that name.",
        "There is no such header.",
        "That is what it is meant to say, and nobody reads `-`.",
        _status_dash,
    ),
    Deviation(
        "claim-control-characters",
        "Puts claims with control characters into headers; the connection to the upstream then fails with 503.",
        "Refuses the token with 401.",
        "A claim must never break a header, and a token that does so is no fault of the upstream.",
        _control_characters,
    ),
)
