"""A plugin that decides nothing: it makes the calls that the gate makes for a known token, and lets the request pass.

What a request costs with it is the host's part, which no plugin in this place can go below: Envoy enters the VM, writes
the headers out for it, and changes two of them on its word. What the gate costs beyond that is the gate's own work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.crashing_plugin import leb, vector

I32 = 0x7F
CONST, CALL, DROP, END = 0x41, 0x10, 0x1A, 0x0B
REQUEST_HEADERS = 0
# Where things stand in its memory. What the host gives back may lie over what it gave before.
SPENT_NAME, SET_NAME, VALUE, RESULT, ROOM = 16, 64, 96, 512, 4096
TEXTS = {SPENT_NAME: b"authorization", SET_NAME: b"x-user-id", VALUE: b"0191a2b3-0000-7000-8000-00000000a11c"}


@dataclass(frozen=True)
class Function:
    """A function of the module: how many numbers it takes and gives, and what it does."""

    name: str
    takes: int
    gives: int
    code: bytes = b""


# proxy_get_header_map_pairs and the others, by their places among the imports.
IMPORTED = (
    Function("proxy_get_header_map_pairs", 3, 1),
    Function("proxy_get_current_time_nanoseconds", 1, 1),
    Function("proxy_remove_header_map_value", 3, 1),
    Function("proxy_replace_header_map_value", 5, 1),
)


def _constant(value: int) -> bytes:
    """Signed LEB128, for numbers that are not negative: the last byte's second bit is the sign."""
    out = bytearray([CONST])
    while value >= 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _call(name: str, *values: int) -> bytes:
    place = next(index for index, function in enumerate(IMPORTED) if function.name == name)
    return b"".join(map(_constant, values)) + bytes([CALL, place, DROP])


REQUEST = b"".join(
    (
        _call("proxy_get_header_map_pairs", REQUEST_HEADERS, RESULT, RESULT + 4),
        _call("proxy_get_current_time_nanoseconds", RESULT + 8),
        _call("proxy_remove_header_map_value", REQUEST_HEADERS, SPENT_NAME, len(TEXTS[SPENT_NAME])),
        _call(
            "proxy_replace_header_map_value",
            REQUEST_HEADERS,
            SET_NAME,
            len(TEXTS[SET_NAME]),
            VALUE,
            len(TEXTS[VALUE]),
        ),
        _constant(0),
    )
)
EXPORTED = (
    Function("malloc", 1, 1, _constant(ROOM)),
    Function("proxy_abi_version_0_2_1", 0, 0),
    Function("proxy_on_context_create", 2, 0),
    Function("proxy_on_request_headers", 3, 1, REQUEST),
    Function("proxy_on_response_headers", 3, 1, _constant(0)),
    Function("proxy_on_delete", 1, 0),
)


def _sized(content: bytes) -> bytes:
    return leb(len(content)) + content


def _types(functions: Sequence[Function]) -> bytes:
    numbers = bytes([I32])
    return vector(
        [b"\x60" + vector([numbers] * function.takes) + vector([numbers] * function.gives) for function in functions]
    )


def module() -> bytes:
    """The module: https://webassembly.github.io/spec/core/binary/modules.html"""
    first = len(IMPORTED)
    sections = {
        1: _types((*IMPORTED, *EXPORTED)),
        2: vector(
            [
                _sized(b"env") + _sized(function.name.encode()) + b"\x00" + leb(place)
                for place, function in enumerate(IMPORTED)
            ]
        ),
        3: vector([leb(first + place) for place in range(len(EXPORTED))]),
        # One memory of two pages, which may not grow.
        5: vector([b"\x01\x02\x02"]),
        7: vector(
            [
                _sized(b"memory") + b"\x02\x00",
                *(
                    _sized(function.name.encode()) + b"\x00" + leb(first + place)
                    for place, function in enumerate(EXPORTED)
                ),
            ]
        ),
        10: vector([_sized(b"\x00" + function.code + bytes([END])) for function in EXPORTED]),
        11: vector([b"\x00" + _constant(place) + bytes([END]) + _sized(text) for place, text in TEXTS.items()]),
    }
    return b"\0asm\x01\0\0\0" + b"".join(bytes([kind]) + _sized(content) for kind, content in sections.items())
