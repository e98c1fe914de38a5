"""Signing keys that come from a seed, so that a run can be repeated to the byte: `cryptography` draws its own, so the
numbers are drawn here and handed to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.encoding import b64url, b64url_number
from harness.keys import CURVES, Key, rsa_jwk
from harness.tokens import signature as fresh_signature

ALGORITHMS_BY_KIND = {
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA",),
    "oct": ("HS256", "HS384", "HS512"),
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
}
_ORDERS = {name: curve.group_order for curve, name, _ in CURVES.values()}
_SMALL_PRIMES = [n for n in range(3, 1000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


def order_of(curve: str) -> int:
    """The order of a curve's group."""
    return _ORDERS[curve]


@dataclass(frozen=True)
class KeyPair:
    """A key of one kind. It can sign with every algorithm of that kind; its JWK says what the test wants it to say."""

    kind: str
    private: Any
    public_jwk: dict[str, str]
    key_id: str
    listed: dict[str, Any]
    """The JWK as it stands in the key set."""
    flaws: frozenset[str] = frozenset()

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What it can sign with."""
        return ALGORITHMS_BY_KIND[self.kind]

    def with_listing(self, flaw: str, *drop: str, **changes: Any) -> KeyPair:
        """The same key, listed in another way."""
        listed = {name: value for name, value in self.listed.items() if name not in drop}
        return replace(self, listed={**listed, **changes}, flaws=self.flaws | {flaw})

    def named(self, key_id: str) -> KeyPair:
        """The same key under another id."""
        return replace(self, key_id=key_id, listed={**self.listed, "kid": key_id})

    def sign(self, algorithm: str, data: bytes) -> bytes:
        """The signature that `algorithm` makes; the same every time, but for RSA-PSS."""
        if algorithm.startswith("ES"):
            digest = {"ES256": hashes.SHA256(), "ES384": hashes.SHA384(), "ES512": hashes.SHA512()}[algorithm]
            size = CURVES[algorithm][2]
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest, deterministic_signing=True)))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        return fresh_signature(Key(algorithm, self.key_id, self.private, {}), data)

    def public_forms(self) -> dict[str, bytes]:
        """The public key in the forms that an attacker would use as an HMAC key."""
        if self.kind == "oct":
            return {}
        public = self.private.public_key()
        raw = Encoding.Raw, PublicFormat.Raw
        forms = {} if self.kind != "Ed25519" else {"raw": public.public_bytes(*raw)}
        return {
            "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            **forms,
        }


def new_pair(kind: str, rng: Random, *, size: int = 2048) -> KeyPair:
    """A key whose every bit comes from `rng`. `size` counts for RSA only (bits) and for `oct` (bits)."""
    key_id = f"{kind.lower()}-{rng.getrandbits(32):08x}"
    private, public = _material(kind, rng, size)
    listed: dict[str, Any] = {**public, "kid": key_id, "use": "sig"}
    # A kind with several algorithms names none here: whoever lists the key chooses.
    if len(ALGORITHMS_BY_KIND[kind]) == 1:
        listed["alg"] = ALGORITHMS_BY_KIND[kind][0]
    return KeyPair(kind, private, public, key_id, listed)


def _material(kind: str, rng: Random, size: int) -> tuple[Any, dict[str, str]]:
    if kind == "RSA":
        private = _rsa(rng, size)
        return private, rsa_jwk(private)
    if kind == "Ed25519":
        edwards = ed25519.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        raw = edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return edwards, {"kty": "OKP", "crv": "Ed25519", "x": b64url(raw)}
    if kind == "oct":
        secret = rng.randbytes(size // 8 if size != 2048 else 64)
        return secret, {"kty": "oct", "k": b64url(secret)}
    curve, name, length = next(entry for entry in CURVES.values() if entry[1] == kind)
    on_curve = ec.derive_private_key(rng.randrange(1, _ORDERS[kind]), curve)
    point = on_curve.public_key().public_numbers()
    coordinates = {"x": b64url_number(point.x, length), "y": b64url_number(point.y, length)}
    return on_curve, {"kty": "EC", "crv": name, **coordinates}


def _rsa(rng: Random, bits: int) -> rsa.RSAPrivateKey:
    e = 65537
    while True:
        p, q = _prime(rng, bits // 2), _prime(rng, bits // 2)
        if p != q and (p * q).bit_length() == bits and (p - 1) % e and (q - 1) % e:
            break
    d = pow(e, -1, (p - 1) * (q - 1))
    crt = d % (p - 1), d % (q - 1), pow(q, -1, p)
    return rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(e, p * q)).private_key()


def _prime(rng: Random, bits: int) -> int:
    while True:
        candidate = rng.getrandbits(bits) | 1 | 3 << (bits - 2)
        if all(candidate % small for small in _SMALL_PRIMES) and _is_probable_prime(candidate, rng):
            return candidate


def _is_probable_prime(n: int, rng: Random, rounds: int = 12) -> bool:
    """Miller and Rabin's test."""
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(rounds):
        x = pow(rng.randrange(2, n - 1), odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True
