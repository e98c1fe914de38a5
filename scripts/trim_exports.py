"""Leaves only those exports in a plugin that it does something for: trim_exports.py IN OUT

The SDK exports a function for every event there is, and Envoy enters the VM for each event whose function it finds: for
every piece of every body, at the end of every request, for every access log. The gate has nothing to do there. What is
exported is decided here, in one list; a linker can't be told to leave out what a crate marked for it.
"""

from __future__ import annotations

import sys
from pathlib import Path

KEPT = frozenset(
    {
        # What makes it a plugin.
        "memory",
        "malloc",
        "_initialize",
        "proxy_abi_version_0_2_1",
        # The root context: it starts, is configured, ticks, and fetches keys.
        "proxy_on_context_create",
        "proxy_on_vm_start",
        "proxy_on_configure",
        "proxy_on_tick",
        "proxy_on_http_call_response",
        # A request: headers and trailers are judged, the answer tells of limits, its end is noted.
        "proxy_on_request_headers",
        "proxy_on_request_trailers",
        "proxy_on_response_headers",
        "proxy_on_delete",
    }
)
MAGIC = b"\0asm\x01\0\0\0"
EXPORT_SECTION = 7


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number, and where it ends."""
    number, shift = 0, 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def write_number(number: int) -> bytes:
    """The other way round."""
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def trim_section(section: bytes) -> tuple[bytes, set[str]]:
    """The export section with the kept exports only, and their names."""
    count, at = read_number(section, 0)
    kept: list[bytes] = []
    names: set[str] = set()
    for _ in range(count):
        start = at
        length, at = read_number(section, at)
        name = section[at : at + length].decode()
        # The kind is one byte, then comes the index.
        _, at = read_number(section, at + length + 1)
        if name in KEPT:
            kept.append(section[start:at])
            names.add(name)
    return write_number(len(kept)) + b"".join(kept), names


def trim(module: bytes) -> bytes:
    """The module with the kept exports only."""
    if not module.startswith(MAGIC):
        raise SystemExit("trim_exports: this is no WebAssembly module")
    out, at, found = bytearray(MAGIC), len(MAGIC), set[str]()
    while at < len(module):
        kind = module[at]
        size, start = read_number(module, at + 1)
        content = module[start : start + size]
        if kind == EXPORT_SECTION:
            content, found = trim_section(content)
        out += bytes([kind]) + write_number(len(content)) + content
        at = start + size
    if missing := KEPT - found:
        raise SystemExit(f"trim_exports: the module does not export {', '.join(sorted(missing))}")
    return bytes(out)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_bytes(trim(source.read_bytes()))
