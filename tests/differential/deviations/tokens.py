"""Differences in what a good token is. In every one of them ours is the stricter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..cases import Case
from ..plans import requirements_within
from .deviation import Deviation, refused_by_ours, with_trait


def _audience_is_similar(case: Case) -> bool:
    """Some list of audiences takes a token's audience for one of its own, and none of them is the same."""
    return any(
        _accepted(token.claims.get("aud"), audiences, exact=False)
        and not _accepted(token.claims.get("aud"), audiences, exact=True)
        for token in case.tokens
        for audiences in _lists(case)
    )


def _lists(case: Case) -> Iterator[list[str]]:
    message = case.configuration.message
    for provider in case.configuration.providers.values():
        yield provider.get("audiences", [])
    for requirement in [
        *(rule.get("requires") for rule in message.get("rules", [])),
        *message.get("requirement_map", {}).values(),
        *message.get("filter_state_rules", {}).get("requires", {}).values(),
    ]:
        for each in requirements_within(requirement):
            yield each.get("provider_and_audiences", {}).get("audiences", [])


def _accepted(claim: Any, audiences: list[str], *, exact: bool) -> bool:
    listed = claim if isinstance(claim, list) else [claim]
    found = {each for each in listed if isinstance(each, str)}
    if exact:
        return not found.isdisjoint(audiences)
    return not {_normalised(each) for each in found}.isdisjoint(_normalised(each) for each in audiences)


def _normalised(audience: str) -> str:
    for scheme in ("https://", "http://"):
        if audience.startswith(scheme):
            audience = audience.removeprefix(scheme)
            break
    return audience.removesuffix("/")


def _stricter(slug: str, native: str, ours: str, why: str, *traits: str) -> Deviation:
    return Deviation(slug, native, ours, why, refused_by_ours(with_trait(*traits)))


def _parts(*names: str) -> tuple[str, ...]:
    return tuple(f"json.{name}.{part}" for name in names for part in ("header", "claims"))


TOKENS = (
    Deviation(
        "exact-audience",
        "Audiences are compared without `http://` or `https://` and without a slash at the end.",
        "They are compared as they are.",
        "RFC 7519, section 4.1.3: the values are case-sensitive strings. Two URLs that differ may be two resources.",
        refused_by_ours(_audience_is_similar),
    ),
    _stricter(
        "token-size",
        "Tokens may be as long as Envoy's headers.",
        "At most 8 KiB, or `token_limits.max_token_bytes`.",
        "Bounded work before anything is known about the caller.",
        "token.above-8-KiB",
    ),
    _stricter(
        "exactly-two-dots",
        "Dots before, between and behind the parts are skipped.",
        "A token has exactly two dots.",
        "RFC 7515, section 7.1.",
        "structure.leading-dot",
        "structure.trailing-dot",
        "structure.leading-and-trailing-dot",
        "structure.double-dot",
    ),
    _stricter(
        "strict-base64url",
        "Padding, white space and stray bits in the parts are accepted.",
        "Each part has exactly one spelling.",
        "RFC 7515, section 2. Two tokens that differ never mean the same.",
        *(
            f"base64.{name}."
            for name in (
                "padded",
                "one-sign-too-many",
                "two-signs-too-many",
                "one-letter-less",
                "stray-bits",
                "blank",
                "blank-at-end",
            )
        ),
        "structure.text-behind-blank",
        "structure.more-text-behind-blank",
        "structure.blank",
        "structure.tab-inside",
        "param.blank",
    ),
    _stricter(
        "strict-json",
        "Single quotes, names without quotes, trailing commas and raw control characters are accepted.",
        "RFC 8259, to the letter.",
        "Another reader of the same token may understand something else.",
        *_parts(
            "trailing-comma",
            "single-quotes",
            "one-single-quoted",
            "unquoted-name",
            "control-character",
            "nul-character",
        ),
        # A letter that was changed anywhere can make any of these.
        "signature.flipped-letter",
    ),
    _stricter(
        "claims-object",
        "A payload `null` is taken for empty claims.",
        "Claims are an object.",
        "RFC 7519, section 7.2.",
        "json.null.claims",
    ),
    _stricter(
        "crit",
        "`crit` is not looked at.",
        "A token with `crit` is refused, since no extension is known.",
        "RFC 7515, section 4.1.11.",
        "header.crit.",
    ),
    _stricter(
        "b64",
        "`b64` is not looked at.",
        "A token with `b64` is refused.",
        "RFC 7797, section 7: JWTs do not use it.",
        "header.b64.",
    ),
    _stricter(
        "zip",
        "`zip` is not looked at.",
        "A token with `zip` is refused.",
        "It is for encryption; its content would be another.",
        "header.zip",
    ),
    _stricter(
        "encrypted-token",
        "`enc` is not looked at.",
        "A token with `enc` is refused.",
        "It is an encrypted token's header.",
        "header.enc",
    ),
    _stricter(
        "nested-token",
        "`cty` is not looked at.",
        "A payload that is a token itself (`cty: JWT`) is refused.",
        "RFC 7519, section 5.2.",
        "header.cty.JWT",
        "header.cty.at-jwt",
    ),
    _stricter(
        "header-types",
        "`typ` and `cty` may be of any type.",
        "They are strings.",
        "RFC 7515, sections 4.1.9 and 4.1.10.",
        "header.typ.number",
        "header.typ.null",
        "header.typ.list",
        "header.cty.number",
    ),
    _stricter(
        "token-types",
        "`typ` and `token_type` are not looked at.",
        "Refresh, logout and DPoP tokens and their kin are refused, unless a token profile lists their type.",
        "RFC 8725, section 3.11: they are no access tokens.",
        "header.typ.refresh",
        "header.typ.dpop",
        "header.typ.logout",
        "header.typ.events",
        "header.typ.statuses",
        "header.typ.introspection",
        "claims.token-type.refresh",
    ),
    _stricter(
        "kid-length",
        "`kid` may be of any length.",
        "At most 1 KiB.",
        "It is compared, counted and logged.",
        "header.kid.long",
    ),
    _stricter(
        "exp-zero",
        "`exp: 0` never expires.",
        "It has expired in 1970.",
        "RFC 7519, section 4.1.4.",
        "claims.exp.zero",
        "claims.exp.minus-zero",
    ),
    _stricter(
        "nbf-fraction",
        "The fraction of a second in `nbf` is cut off.",
        "It is rounded up.",
        "No token lives earlier than it says.",
        "nbf.fraction",
    ),
    _stricter(
        "date-range",
        "`exp`, `nbf` and `iat` may be up to 2^64.",
        "Up to 2^63.",
        "No reader with signed numbers holds more.",
        *(f"claims.{claim}.{value}" for claim in ("exp", "nbf", "iat") for value in ("2-63", "1e19")),
    ),
    _stricter(
        "algorithm-of-the-key",
        "A key without `alg` verifies whatever algorithm the token names, even one for keys of another type.",
        "Only the algorithms of its type and curve.",
        "RFC 8725, section 3.1.",
        "header.alg.lie",
    ),
    _stricter(
        "ecdsa-length",
        "ECDSA signatures of any length are cut into halves.",
        "They are exactly as long as the curve says.",
        "RFC 7518, section 3.4.",
        "signature.ecdsa.halves-with-zeros",
        "signature.byte-behind",
        "base64.one-letter-more.signature",
        "structure.text-behind-blank",
    ),
    _stricter(
        "key-purpose",
        "`use` and `key_ops` of a key are not looked at.",
        "A key that is not for verification does not verify.",
        "RFC 7517, sections 4.2 and 4.3.",
        "jwk.use-enc",
        "jwk.key-ops-sign",
    ),
    _stricter(
        "small-rsa-key",
        "RSA keys of 1024 bits verify.",
        "At least 2048 bits.",
        "RFC 7518, section 3.3.",
        "jwk.small-rsa",
    ),
    _stricter(
        "short-coordinate",
        "Coordinates of an EC key may be shorter than the curve's field.",
        "They have its full length.",
        "RFC 7518, section 6.2.1.2.",
        "jwk.short-coordinate",
    ),
    _stricter(
        "remote-secret",
        "HMAC keys of a remote key set verify, and keys that are listed with their private part.",
        "Shared secrets and private keys vouch for nothing in a remote set.",
        "What everybody can read is no secret: everybody could sign.",
        "jwk.remote-secret",
        "jwk.remote-private",
    ),
    _stricter(
        "short-secret",
        "HMAC keys may be of any length.",
        "At least as long as the hash.",
        "RFC 7518, section 3.2.",
        "jwk.short-secret",
    ),
)
