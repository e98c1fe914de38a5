"""Base64url without padding, and JSON as it is written into tokens."""

from __future__ import annotations

import base64
import json


def b64url(data: bytes) -> str:
    """RFC 7515, section 2."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    """The other way round."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64url_number(number: int, size: int | None = None) -> str:
    """An unsigned big-endian number, in as many bytes as it needs or in `size`."""
    return b64url(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def compact_json(value: object) -> bytes:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()
