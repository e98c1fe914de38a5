"""A token in the making. Mutations change a part of the draft, at the stage at which an issuer or an attacker would:
what is changed before the signature is made is signed, what is changed behind it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from harness.encoding import b64url, compact_json

from .keyring import KeyPair

Bytes = Callable[[bytes], bytes]
Text = Callable[[str], str]


def _same_bytes(data: bytes) -> bytes:
    return data


def _same_text(text: str) -> str:
    return text


@dataclass
class Draft:
    """A token before it is put together."""

    header: dict[str, Any]
    claims: dict[str, Any]
    key: KeyPair
    algorithm: str
    """What the signature is made with, whatever the header says."""
    rng: Random
    now: int
    stranger: KeyPair
    """A key of the same kind that no key set holds."""
    header_json: Bytes = _same_bytes
    claims_json: Bytes = _same_bytes
    header_segment: Text = _same_text
    claims_segment: Text = _same_text
    sign: Callable[[bytes], bytes] | None = None
    signature: Bytes = _same_bytes
    signature_segment: Text = _same_text
    compact: Text = _same_text
    traits: set[str] = field(default_factory=set)

    def token(self) -> str:
        """Puts it together."""
        header = self.header_segment(b64url(self.header_json(compact_json(self.header))))
        claims = self.claims_segment(b64url(self.claims_json(compact_json(self.claims))))
        signing_input = f"{header}.{claims}".encode("latin-1")
        signed = self.sign(signing_input) if self.sign else self.key.sign(self.algorithm, signing_input)
        signature = self.signature_segment(b64url(self.signature(signed)))
        return self.compact(f"{header}.{claims}.{signature}")


@dataclass(frozen=True)
class Mutation:
    """Something that is done to a token. Its name is a trait of the case."""

    name: str
    apply: Callable[[Draft], None]
    weight: int = 1
    applies: Callable[[Draft], bool] = lambda draft: True
