"""Tokens: the ones an issuer makes, and the ones that only an attacker makes."""

from __future__ import annotations

import time
from typing import Any

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .encoding import b64url, compact_json
from .keys import CURVES, Key

ISSUER = "https://issuer.example"
AUDIENCE = "gatehouse"
SUBJECT = "0191a2b3-0000-7000-8000-00000000a11c"


class _Never:
    def __repr__(self) -> str:
        return "NEVER"


NEVER = _Never()  # as a claim's value: leave the claim out

_HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good access token; `changes` replace, `NEVER` removes."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": AUDIENCE,
        "exp": now + 600,
        "iat": now,
        "jti": f"jti-{now}",
        "token_type": "access",
        "user_id": SUBJECT,
        "username": "alice",
        "scope": "bank.read bank.write",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not NEVER}


def header(key: Key, **changes: Any) -> dict[str, Any]:
    """The header of a good access token."""
    good = {"alg": key.algorithm, "kid": key.key_id, "typ": "at+jwt"}
    return {name: value for name, value in {**good, **changes}.items() if value is not NEVER}


def mint(key: Key, *, header_changes: dict[str, Any] | None = None, **claim_changes: Any) -> str:
    """A token with a right signature over whatever is in it."""
    return sign(key, compact_json(header(key, **(header_changes or {}))), compact_json(claims(**claim_changes)))


def sign(key: Key, header_bytes: bytes, payload_bytes: bytes, *, algorithm: str | None = None) -> str:
    """A token from bytes that need not be JSON."""
    signing_input = f"{b64url(header_bytes)}.{b64url(payload_bytes)}"
    return f"{signing_input}.{b64url(signature(key, signing_input.encode(), algorithm=algorithm))}"


def signature(key: Key, signing_input: bytes, *, algorithm: str | None = None) -> bytes:
    """JWS signatures as RFC 7518 and RFC 8037 write them."""
    algorithm = algorithm or key.algorithm
    if algorithm == "EdDSA":
        return key.private.sign(signing_input)
    family, digest = algorithm[:2], _HASHES[algorithm[2:]]()
    if family == "HS":
        return hmac_signature(key.private, signing_input, digest)
    if family == "RS":
        return key.private.sign(signing_input, padding.PKCS1v15(), digest)
    if family == "PS":
        salted = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
        return key.private.sign(signing_input, salted, digest)
    if family == "ES":
        size = CURVES[algorithm][2]
        r, s = decode_dss_signature(key.private.sign(signing_input, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    raise ValueError(algorithm)


def hmac_signature(secret: bytes, signing_input: bytes, digest: hashes.HashAlgorithm | None = None) -> bytes:
    """An HMAC with any bytes as its key, public keys too."""
    computed = hmac.HMAC(secret, digest or hashes.SHA256())
    computed.update(signing_input)
    return computed.finalize()


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"authorization": f"Bearer {token}"}
