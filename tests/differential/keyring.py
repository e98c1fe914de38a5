"""Signing keys that come from a seed, so that a run can be repeated to the byte: `cryptography` draws its own, so the
numbers are drawn here and handed to it.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.encoding import b64url, b64url_number, compact_json
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
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {
            "pem": pem,
            "pem-one-line": pem.replace(b"\n", b""),
            "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "jwk": compact_json(self.listed),
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


class UnitExponent(KeyPair):
    """An RSA key with the exponent 1, under which the padded hash is its own signature: anybody can sign."""

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Those with a padding that nobody draws."""
        return ("RS256", "RS384", "RS512")

    def sign(self, algorithm: str, data: bytes) -> bytes:
        """RFC 8017, section 9.2, and nothing else; any other algorithm signs as it should."""
        if algorithm not in self.algorithms:
            return super().sign(algorithm, data)
        name, end_of_id = {"RS256": ("sha256", 1), "RS384": ("sha384", 2), "RS512": ("sha512", 3)}[algorithm]
        digest = hashlib.new(name, data).digest()
        info = bytes((0x30, len(digest) + 17, 0x30, 0x0D, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, end_of_id, 5, 0))
        tail = info + bytes((4, len(digest))) + digest
        length = self.private.key_size // 8
        return b"\0\1" + b"\xff" * (length - len(tail) - 3) + b"\0" + tail


def b64url_bytes(text: str) -> bytes:
    """What base64url stands for."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def malformed_pairs(rng: Random) -> list[KeyPair]:
    """Keys that are listed as no key may be. Each signs as if it were right."""

    def pair(kind: str, *drop: str, **changes: Any) -> KeyPair:
        return new_pair(kind, rng).with_listing("jwk.malformed", *drop, **changes)

    def other_end(text: str) -> str:
        return text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBA")

    curve, rsa_key, edwards = new_pair("P-256", rng), new_pair("RSA", rng), new_pair("Ed25519", rng)
    unit = UnitExponent("RSA", rsa_key.private, rsa_key.public_jwk, "rsa-unit", {**rsa_key.listed, "kid": "rsa-unit"})
    while b64url_bytes((short := new_pair("P-256", rng)).listed["x"])[0]:
        pass
    return [
        curve.with_listing("jwk.malformed", y=other_end(curve.listed["y"])),
        curve.named("ec-no-y").with_listing("jwk.malformed", "y"),
        curve.named("ec-other-curve").with_listing("jwk.malformed", "alg", crv="P-384"),
        curve.named("ec-unknown-curve").with_listing("jwk.malformed", "alg", crv="secp256k1"),
        curve.named("ec-not-base64").with_listing("jwk.malformed", x="*"),
        short.with_listing("jwk.short-coordinate", x=b64url(b64url_bytes(short.listed["x"])[1:])),
        unit.with_listing("jwk.malformed", e="AQ", alg="RS256"),
        rsa_key.named("rsa-even").with_listing("jwk.malformed", e="Ag", alg="RS256"),
        rsa_key.named("rsa-zero").with_listing("jwk.malformed", e="AA", alg="RS256"),
        rsa_key.named("rsa-no-modulus").with_listing("jwk.malformed", "n", alg="RS256"),
        rsa_key.named("rsa-private").with_listing("jwk.private-part", d="AQAB", alg="RS256"),
        edwards.with_listing("jwk.malformed", x=edwards.listed["x"][:-4]),
        edwards.named("okp-x25519").with_listing("jwk.malformed", crv="X25519"),
        pair("oct", k="", alg="HS256"),
        pair("oct", "k", alg="HS256"),
        pair("P-256", "kty"),
        pair("P-256", kty=5),
        pair("P-256", kty="XYZ"),
    ]


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
