"""Differences in where tokens are found."""

from __future__ import annotations

from collections import Counter

from ..cases import Case
from ..compare import Difference, Kind
from ..plans import forgives_first
from ..rules import may_match
from .consequences import follows_from_a_refused_token, places_of
from .deviation import Deviation, refused_by_ours, with_trait


def _several_tokens(case: Case) -> bool:
    """A place with two values, or a request with tokens in two places of one provider."""
    if case.has("token.repeated", "cookie.twice"):
        return True
    if any(_is_in_overlapping_places(case, token.place) for token in case.tokens):
        return True
    if case.tokens and len(case.request.values("authorization")) > 1:
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


def _may_be_forgiven_first(case: Case) -> bool:
    """Whether a rule that may be for this request asks for something behind an allowance, and there is what it forgives."""
    message = case.configuration.message
    named = message.get("requirement_map", {})
    chosen = [
        rule.get("requires") or named.get(rule.get("requirement_name", ""))
        for rule in message.get("rules", [])
        if may_match(rule["match"], case.request)
    ]
    chosen += message.get("filter_state_rules", {}).get("requires", {}).values() if case.request.values("x-state") else []
    return bool(case.tokens) and any(forgives_first(requirement) for requirement in chosen)


def _any_case(case: Case, difference: Difference) -> bool:
    return case.has("scheme.other-case")


def _connect(case: Case, difference: Difference) -> bool:
    """Judged by the rule for everything where native has none, and so refused, or with its token taken for what it says;
    and told where: native has no address for it.
    """
    if not case.has("connect"):
        return False
    if difference.kind is Kind.CHALLENGE and difference.name == "realm":
        return difference.native == ("",)
    if not _only_a_rule_for_everything_is_for_connect(case) or difference.kind not in (Kind.STRICTER, Kind.HEADER):
        return False
    return follows_from_a_refused_token(case, difference) and (
        difference.kind is Kind.STRICTER or _is_as_sent(case, difference)
    )


def _only_a_rule_for_everything_is_for_connect(case: Case) -> bool:
    matches = [rule["match"] for rule in case.configuration.message.get("rules", [])]
    return {"prefix": "/"} in matches and {"connect_matcher": {}} not in matches


def _is_as_sent(case: Case, difference: Difference) -> bool:
    """Whether native left a header alone, but for a client's copy of a mapped one."""
    name = difference.name
    if name == "x-routed" or name in case.configuration.mapped_headers() | case.configuration.status_headers():
        return not difference.native or name == "x-routed"
    return sorted(difference.native) == sorted(value.strip(" \t") for value in case.request.values(name))


PLACES = (
    Deviation(
        "connect-without-path",
        "A CONNECT, which has no path, is matched by no rule for paths, and its challenge names no realm.",
        "It is judged as `/`, and the realm is its host.",
        "A rule for everything covers everything.",
        _connect,
    ),
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
    Deviation(
        "forgiven-once",
        "A token that an allowance has forgiven may be good enough for what `requires_all` asks next.",
        "What one requirement of a rule has forgiven, the next ones refuse too.",
        "Nobody has to think through which of two judgements of one token counts.",
        refused_by_ours(_may_be_forgiven_first),
    ),
)
