"""What a generated configuration means to those who generate requests for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .cases import Configuration
from .keyring import KeyPair

Requirement = dict[str, Any]
ALLOWANCES = {"allow_missing", "allow_missing_or_failed", "extract_only_without_validation"}
"""The requirements that may be met without a good token."""


@dataclass(frozen=True)
class Place:
    """Where a provider looks for tokens."""

    kind: str  # "header", "param" or "cookie"
    name: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


BEARER = Place("header", "authorization", "Bearer ")
DEFAULT_PLACES = (BEARER, Place("param", "access_token"))


@dataclass(frozen=True)
class Provider:
    """A provider with what is needed to make tokens for it."""

    name: str
    issuer: str
    keys: tuple[KeyPair, ...]
    audiences: tuple[str, ...]
    places: tuple[Place, ...]
    message: dict[str, Any]
    published: str = ""
    """The path of its key set, where that is remote."""

    def key_set(self) -> str:
        """Its keys as a document."""
        return json.dumps({"keys": [key.listed for key in self.keys]})


@dataclass(frozen=True)
class Rule:
    """A rule with paths that it matches and paths that come near."""

    message: dict[str, Any]
    requirement: Requirement | None
    matching: tuple[str, ...]
    near: tuple[str, ...]
    headers: tuple[tuple[str, str], ...] = ()
    """What its requests have besides."""


@dataclass(frozen=True)
class Plan:
    """A configuration and its parts."""

    configuration: Configuration
    providers: tuple[Provider, ...]
    rules: tuple[Rule, ...]
    sweep: int = 0
    """With how many keys its requests go through all mutations in turn; 0 where they are drawn."""
    bearers: tuple[tuple[dict[str, Any], ...], ...] = ()
    """Where each rule is asked the same: the tokens of each request, as the claims for each provider, in their order."""

    @property
    def is_sweep(self) -> bool:
        """Whether its requests are all that there are."""
        return bool(self.sweep or self.bearers)

    def provider(self, name: str) -> Provider:
        """By its name."""
        return next(provider for provider in self.providers if provider.name == name)


def requirements_within(requirement: Requirement | None) -> list[Requirement]:
    """A requirement and all those inside it."""
    if not requirement:
        return []
    found = [requirement]
    for group in ("requires_any", "requires_all"):
        for child in requirement.get(group, {}).get("requirements", []):
            found.extend(requirements_within(child))
    return found


def providers_within(requirement: Requirement | None) -> list[str]:
    """The providers that a requirement names, and the audiences that it asks of them."""
    names = []
    for each in requirements_within(requirement):
        name = each.get("provider_name") or each.get("provider_and_audiences", {}).get("provider_name")
        if name:
            names.append(name)
    return names


def asks_for_several(requirement: Requirement | None) -> bool:
    """Whether several tokens may be accepted."""
    return any(each.keys() & {"requires_all", *ALLOWANCES} for each in requirements_within(requirement))


def forgives_first(requirement: Requirement | None) -> bool:
    """Whether something is asked for behind an allowance."""
    return any(
        any(_has_allowance(child) for child in each.get("requires_all", {}).get("requirements", [])[:-1])
        for each in requirements_within(requirement)
    )


def _has_allowance(requirement: Requirement) -> bool:
    return any(each.keys() & ALLOWANCES for each in requirements_within(requirement))
