"""Signing keys of each kind, with their public JWK. Made by `cryptography`: another implementation than the gate's."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .encoding import b64url, b64url_number

CURVES: dict[str, tuple[ec.EllipticCurve, str, int]] = {
    "ES256": (ec.SECP256R1(), "P-256", 32),
    "ES384": (ec.SECP384R1(), "P-384", 48),
    "ES512": (ec.SECP521R1(), "P-521", 66),
}
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "HS256",
    "HS384",
    "HS512",
    "EdDSA",
)


@dataclass(frozen=True)
class Key:
    """A key that signs with one algorithm. `jwk` is what a key set holds: the public half, or an HMAC key whole."""

    algorithm: str
    key_id: str
    private: Any
    jwk: dict[str, Any]

    def pem(self) -> bytes:
        """The public key as the text that an attacker would use as an HMAC key."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def der(self) -> bytes:
        """The same, binary."""
        return self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def new_key(algorithm: str, key_id: str | None = None) -> Key:
    """A fresh key."""
    key_id = key_id if key_id is not None else f"{algorithm.lower()}-{secrets.token_hex(4)}"
    named = {"kid": key_id, "alg": algorithm, "use": "sig"}
    family = algorithm[:2]
    if family in ("RS", "PS"):
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return Key(algorithm, key_id, private, {**rsa_jwk(private), **named})
    if family == "ES":
        curve, name, size = CURVES[algorithm]
        private = ec.generate_private_key(curve)
        point = private.public_key().public_numbers()
        coordinates = {"x": b64url_number(point.x, size), "y": b64url_number(point.y, size)}
        return Key(algorithm, key_id, private, {"kty": "EC", "crv": name, **coordinates, **named})
    if family == "Ed":
        private = ed25519.Ed25519PrivateKey.generate()
        x = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return Key(algorithm, key_id, private, {"kty": "OKP", "crv": "Ed25519", "x": b64url(x), **named})
    if family == "HS":
        secret = secrets.token_bytes(64)
        return Key(algorithm, key_id, secret, {"kty": "oct", "k": b64url(secret), **named})
    raise ValueError(algorithm)


@cache
def key(algorithm: str) -> Key:
    """One key for each algorithm, the same throughout a test process: RSA keys take long to make."""
    return new_key(algorithm)


def rsa_jwk(private: rsa.RSAPrivateKey) -> dict[str, str]:
    """The public half of an RSA key."""
    numbers = private.public_key().public_numbers()
    return {"kty": "RSA", "n": b64url_number(numbers.n), "e": b64url_number(numbers.e)}


def key_set(*keys: Key) -> dict[str, Any]:
    """A JWKS document."""
    return {"keys": [each.jwk for each in keys]}
