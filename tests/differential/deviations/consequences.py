"""What can come of it when ours refuses a token that is good to the native filter: a refusal, another reason for one,
or, where the rule forgives bad tokens or has alternatives, a request that goes on with less or with another of its
tokens accepted. Never a request that native refuses, and never a header that no token of the request accounts for.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from ..cases import Case
from ..compare import Difference, Kind

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
            return _is_accounted_for(case, difference)
        case Kind.TARGET:
            method, target = difference.ours
            return method == case.request.method and target in targets(case)
    return False


def places_of(provider: dict[str, Any]) -> set[str]:
    """Where a provider looks, as `header:authorization`."""
    named = {
        *(f"header:{header['name'].lower()}" for header in provider.get("from_headers", [])),
        *(f"param:{name}" for name in provider.get("from_params", [])),
        *(f"cookie:{name}" for name in provider.get("from_cookies", [])),
    }
    return named or {"header:authorization", "param:access_token"}


def arriving(case: Case) -> str:
    """The request's target as the filters see it: of the absolute form, path and query; of what is behind a `#`, nothing."""
    return re.sub("^http://[^/?#]*/?", "/", case.request.target).partition("#")[0]


def targets(case: Case) -> set[str]:
    """The request's target as it arrives, and without the parameter of some provider, every other byte as it was."""
    target = arriving(case)
    path = target.partition("?")[0]
    places = {place for provider in case.configuration.providers.values() for place in places_of(provider)}
    found = {target}
    for name in (place.removeprefix("param:").encode() for place in places if place.startswith("param:")):
        for before in list(found):
            pairs = before.partition("?")[2].split("&") if "?" in before else []
            kept = [pair for pair in pairs if unquote_to_bytes(pair.partition("=")[0].encode("latin-1")) != name]
            if len(kept) < len(pairs):
                found.add(path + ("?" + "&".join(kept) if any(kept) else ""))
    return found


def _is_accounted_for(case: Case, difference: Difference) -> bool:
    name = difference.name
    if name == "x-routed":
        return True
    if name in case.configuration.status_headers():
        return difference.ours == ("false",)
    if name in case.configuration.mapped_headers():
        rendered = set(_renderings(case, name))
        return all(value in rendered for value in difference.ours)
    # The place of a token: taken out, or as it was.
    is_place = any(f"header:{name}" in places_of(provider) for provider in case.configuration.providers.values())
    sent = [value.strip(" \t") for value in case.request.values(name)]
    # Envoy joins the values of `Authorization` that are not empty before either filter sees them.
    return is_place and sorted(difference.ours) in ([], sorted(sent), [",".join(filter(None, sent))])


def _renderings(case: Case, header: str) -> Iterator[str]:
    """Every value that one of the request's tokens could give to a mapped header."""
    for provider in case.configuration.providers.values():
        for token in case.tokens:
            for entry in provider.get("claim_to_headers", []):
                if entry["header_name"].lower() == header:
                    path = (
                        entry["claim_name"].split(".")
                        if "claim_name" in entry
                        else [step["key"] for step in entry["claim_path"]]
                    )
                    yield from _rendered(_claim(token.readable_claims, path))
            if provider.get("forward_payload_header", "").lower() == header:
                yield from token.payloads


def _claim(claims: Any, path: list[str]) -> Any:
    for name in path:
        claims = claims.get(name) if isinstance(claims, dict) else None
    return claims


def _rendered(value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, str):
        yield value
        # RFC 8187, section 3.2.1
        yield "UTF-8''" + quote(value, safe="!#$&+^`|", errors="surrogatepass")
    elif isinstance(value, int | float):
        yield from (str(value), f"{value:.6f}", f"{value:.0f}")
    elif value is not None:
        yield base64.b64encode(
            json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
        ).decode()
