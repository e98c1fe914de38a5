"""What is compared: a configuration, a request, and what each of the two filters made of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Headers = tuple[tuple[str, str], ...]
"""Names and values in their order; Latin-1, which keeps every byte."""

CASE_HEADER = "x-case"
"""Carries a case's number to the upstream. Neither filter has a reason to touch it."""


@dataclass(frozen=True)
class Configuration:
    """A `JwtAuthentication` message in proto3 JSON, handed to both filters as it stands."""

    name: str
    message: dict[str, Any]
    key_sets: Mapping[str, str] = field(default_factory=dict)
    """The documents of its remote key sets, by the paths at which they are served."""

    @property
    def providers(self) -> dict[str, dict[str, Any]]:
        """The providers by name."""
        providers: dict[str, dict[str, Any]] = self.message.get("providers", {})
        return providers

    def mapped_headers(self) -> frozenset[str]:
        """The headers that some provider sets."""
        names: set[str] = set()
        for provider in self.providers.values():
            names.update(entry["header_name"].lower() for entry in provider.get("claim_to_headers", []))
            names.add(provider.get("forward_payload_header", "").lower())
        return frozenset(names - {""})

    def status_headers(self) -> frozenset[str]:
        """The headers that say that a token was not verified."""
        return frozenset(_status_headers(self.message))

    def __str__(self) -> str:
        return json.dumps(self.message, indent=2)


def _status_headers(message: Any) -> Iterator[str]:
    parts = message.values() if isinstance(message, dict) else message if isinstance(message, list) else ()
    for part in parts:
        yield from _status_headers(part)
    if isinstance(message, dict) and (extraction := message.get("extract_only_without_validation")) is not None:
        yield extraction.get("verification_status_header", "x-jwt-signature-verified").lower()


@dataclass(frozen=True)
class Request:
    """A request as it goes over the wire, but for its case number."""

    method: str
    target: str
    headers: Headers
    body: str = ""

    def wire(self, number: int) -> bytes:
        """Its bytes."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        lines.append(f"{CASE_HEADER}: {number}")
        if self.body:
            lines.append(f"content-length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode("latin-1")

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for found, value in self.headers if found.lower() == name]


@dataclass(frozen=True)
class Minted:
    """What is known about a token in a request, for those who have to explain what became of it."""

    provider: str
    header: dict[str, Any]
    claims: dict[str, Any]
    place: str
    text: str = ""

    @property
    def payloads(self) -> tuple[str, ...]:
        """Its payload as a header carries it, without padding and with."""
        payload = self.text.split(".")[1] if self.text.count(".") > 1 else ""
        return payload, payload + "=" * (-len(payload) % 4)

    @property
    def readable_claims(self) -> dict[str, Any]:
        """The claims as they stand in the token, where they can be read; some are written into it as raw JSON."""
        try:
            claims = json.loads(base64.urlsafe_b64decode(self.payloads[1]))
        except (ValueError, RecursionError):
            return self.claims
        return claims if isinstance(claims, dict) else self.claims


@dataclass(frozen=True)
class Case:
    """One request to one configuration. `traits` name everything about it that is out of the ordinary."""

    number: int
    configuration: Configuration
    request: Request
    traits: frozenset[str] = frozenset()
    tokens: tuple[Minted, ...] = ()

    def has(self, *prefixes: str) -> bool:
        """Whether some trait begins with one of these."""
        return any(trait.startswith(prefixes) for trait in self.traits)


@dataclass(frozen=True)
class Arrived:
    """A request as the upstream got it."""

    method: str
    target: str
    headers: Headers

    def multiset(self) -> dict[str, list[str]]:
        """Values by name, both in an order that does not depend on how they came."""
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value)
        return {name: sorted(values) for name, values in found.items()}


@dataclass(frozen=True)
class Answer:
    """What one filter made of a request. `status` is 0 where the connection ended without an answer."""

    status: int
    headers: Headers = ()
    body: str = ""
    arrived: tuple[Arrived, ...] = ()

    @property
    def forwarded(self) -> bool:
        """Whether the upstream answered."""
        return any(name.lower() == "x-upstream" for name, _ in self.headers)

    def values(self, name: str) -> list[str]:
        """All values of a header of the answer."""
        return [value for found, value in self.headers if found.lower() == name]

    def __str__(self) -> str:
        if self.forwarded:
            return "\n".join(
                [
                    "forwarded as:",
                    *(
                        f"  {one.method} {one.target}"
                        + "".join(f"\n    {name}: {value}" for name, value in one.headers)
                        for one in self.arrived
                    ),
                ]
            )
        shown = [f"{name}: {value}" for name, value in self.headers if name.lower() not in ("date", "server")]
        return "\n    ".join([f"refused with {self.status}", *shown, self.body])


@dataclass
class Outcome:
    """A case with both answers."""

    case: Case
    native: Answer
    ours: Answer
    accepted: list[str] = field(default_factory=list)
