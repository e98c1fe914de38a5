"""Signatures: changed, of another key, of another form."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from harness.keys import CURVES

from ..drafts import Draft, Mutation
from ..keyring import order_of


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        draft.signature = change

    return apply


def _flipped_bit(draft: Draft) -> None:
    position, bit = draft.rng.random(), 1 << draft.rng.randrange(8)

    def flip(signature: bytes) -> bytes:
        changed = bytearray(signature or b"\0")
        changed[int(position * len(changed))] ^= bit
        return bytes(changed)

    draft.signature = flip


def _flipped_letter(draft: Draft) -> None:
    """One letter of the header or the claims is another, behind the signature's back."""
    position = draft.rng.random()

    def flip(token: str) -> str:
        signed_length = token.rindex(".")
        index = int(position * signed_length)
        old = token[index]
        new = "." if old == "." else ("A" if old != "A" else "B")
        return token[:index] + new + token[index + 1 :]

    draft.compact = flip


def _numbers(change: Callable[[int, int, int], tuple[int, int]]) -> Callable[[Draft], None]:
    """Changes r and s, given the group's order."""

    def apply(draft: Draft) -> None:
        _, curve, size = CURVES[draft.algorithm]
        order = order_of(curve)

        def new(signature: bytes) -> bytes:
            r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
            return b"".join((number % (1 << 8 * size)).to_bytes(size, "big") for number in change(r, s, order))

        draft.signature = new

    return apply


def _der(draft: Draft) -> None:
    size = CURVES[draft.algorithm][2]
    draft.signature = lambda signature: encode_dss_signature(
        int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    )


def _of_a_stranger(draft: Draft) -> None:
    draft.sign = lambda data: draft.stranger.sign(draft.algorithm, data)


def _modulus(draft: Draft) -> int:
    modulus: int = draft.key.private.public_key().public_numbers().n
    return modulus


def _plus_modulus(draft: Draft) -> None:
    """The same signature to whoever calculates before looking."""
    n = _modulus(draft)
    size = (n.bit_length() + 7) // 8
    draft.signature = lambda signature: (int.from_bytes(signature, "big") + n).to_bytes(size + 1, "big")


def _salted(length: Callable[[int, int], int]) -> Callable[[Draft], None]:
    """A right RSA-PSS signature whose salt is of another length than the hash (RFC 7518, section 3.5). `length` gets the
    hash's and the longest.
    """

    def apply(draft: Draft) -> None:
        digest = {"PS256": hashes.SHA256(), "PS384": hashes.SHA384(), "PS512": hashes.SHA512()}[draft.algorithm]
        longest = (_modulus(draft).bit_length() + 6) // 8 - digest.digest_size - 2
        scheme = padding.PSS(padding.MGF1(digest), length(digest.digest_size, longest))
        draft.sign = lambda data: draft.key.private.sign(data, scheme, digest)

    return apply


def _is_pss(draft: Draft) -> bool:
    return draft.algorithm.startswith("PS")


def _is_ecdsa(draft: Draft) -> bool:
    return draft.algorithm.startswith("ES")


def _is_rsa(draft: Draft) -> bool:
    return draft.key.kind == "RSA"


def _halves(change: Callable[[bytes, bytes], bytes]) -> Callable[[Draft], None]:
    """Changes the halves of an ECDSA signature."""

    def apply(draft: Draft) -> None:
        size = CURVES[draft.algorithm][2]
        draft.signature = lambda signature: change(signature[:size], signature[size:])

    return apply


SIGNATURE = (
    Mutation("signature.flipped-bit", _flipped_bit, weight=10),
    Mutation("signature.flipped-letter", _flipped_letter, weight=10),
    Mutation("signature.of-a-stranger", _of_a_stranger, weight=6),
    *(
        Mutation(f"signature.{name}", _bytes(change))
        for name, change in (
            ("zeros", lambda s: bytes(len(s))),
            ("ones", lambda s: b"\xff" * len(s)),
            ("cut", lambda s: s[:-1]),
            ("half", lambda s: s[: len(s) // 2]),
            ("one-byte", lambda s: s[:1]),
            ("byte-behind", lambda s: s + b"\0"),
            ("byte-before", lambda s: b"\0" + s),
            ("two-bytes-behind", lambda s: s + b"xy"),
            ("twice", lambda s: s + s),
            ("reversed", lambda s: s[::-1]),
            ("first-byte-lost", lambda s: s[1:]),
            ("long", lambda s: s * 8),
        )
    ),
    *(
        Mutation(f"signature.ecdsa.{name}", _numbers(change), applies=_is_ecdsa)
        for name, change in (
            ("r-zero", lambda r, s, n: (0, s)),
            ("s-zero", lambda r, s, n: (r, 0)),
            ("both-zero", lambda r, s, n: (0, 0)),
            ("r-is-order", lambda r, s, n: (n, s)),
            ("s-is-order", lambda r, s, n: (r, n)),
            ("s-plus-order", lambda r, s, n: (r, s + n)),
            ("other-s", lambda r, s, n: (r, n - s)),
            ("swapped", lambda r, s, n: (s, r)),
            ("ones", lambda r, s, n: (1, 1)),
        )
    ),
    Mutation("signature.ecdsa.der", _der, weight=3, applies=_is_ecdsa),
    Mutation(
        "signature.ecdsa.halves-with-zeros", _halves(lambda r, s: b"\0" + r + b"\0" + s), weight=2, applies=_is_ecdsa
    ),
    Mutation("signature.ecdsa.byte-between", _halves(lambda r, s: r + b"\0" + s), applies=_is_ecdsa),
    *(
        Mutation(f"signature.pss.{name}", _salted(length), weight=3, applies=_is_pss)
        for name, length in (
            ("no-salt", lambda hash_length, longest: 0),
            ("short-salt", lambda hash_length, longest: hash_length - 1),
            ("long-salt", lambda hash_length, longest: hash_length + 1),
            ("longest-salt", lambda hash_length, longest: longest),
        )
    ),
    Mutation("signature.rsa.plus-modulus", _plus_modulus, weight=3, applies=_is_rsa),
    Mutation("signature.rsa.zero-before", _bytes(lambda s: b"\0" + s), weight=2, applies=_is_rsa),
)
