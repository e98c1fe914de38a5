"""The gate itself, made to crash when a request asks for it.

Gatehouse has no defect that a test could use to kill its VM, so one is built in: the module's export that Envoy calls
for each request is replaced by a function that traps on a request with very many headers, and else calls the original.
All the rest is the gate as it was built.
"""

from __future__ import annotations

from .crashing_plugin import TRAPS_ABOVE_HEADERS, leb, vector

_EXPORT = b"proxy_on_request_headers"
_FUNCTION_KIND = b"\x00"
_IMPORTS, _FUNCTIONS, _EXPORTS, _CODE = 2, 3, 7, 10
_END = b"\x0b"


class _Reader:
    """Reads WebAssembly's numbers and vectors."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        self.at += size
        return taken

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def named(self) -> bytes:
        return self.take(self.number())

    def rest(self) -> bytes:
        return self.data[self.at :]


def _sections(module: bytes) -> list[tuple[int, bytes]]:
    reader = _Reader(module)
    assert reader.take(8) == b"\0asm\x01\0\0\0"
    sections = []
    while reader.at < len(module):
        sections.append((reader.take(1)[0], reader.named()))
    return sections


def _imported_functions(section: bytes) -> int:
    reader = _Reader(section)
    functions = 0
    for _ in range(reader.number()):
        reader.named(), reader.named()
        kind = reader.take(1)
        assert kind == _FUNCTION_KIND, "Rust's plugins import functions only"
        reader.number()
        functions += 1
    return functions


def _exports(section: bytes) -> list[tuple[bytes, bytes, int]]:
    reader = _Reader(section)
    return [(reader.named(), reader.take(1), reader.number()) for _ in range(reader.number())]


def _numbers(section: bytes) -> list[int]:
    reader = _Reader(section)
    return [reader.number() for _ in range(reader.number())]


def crashing_gate(module: bytes) -> bytes:
    """The module with the defect built in."""
    sections = _sections(module)
    named = dict(sections)
    exports = _exports(named[_EXPORTS])
    types = _numbers(named[_FUNCTIONS])
    imported = _imported_functions(named[_IMPORTS])
    original = next(index for name, kind, index in exports if (name, kind) == (_EXPORT, _FUNCTION_KIND))
    added = imported + len(types)

    trap = b"\x20\x01" + b"\x41" + bytes([TRAPS_ABOVE_HEADERS]) + b"\x4b" + b"\x04\x40\x00" + _END
    call = b"\x20\x00\x20\x01\x20\x02" + b"\x10" + leb(original)
    body = leb(0) + trap + call + _END
    code = _Reader(named[_CODE])
    count = code.number()
    changed = {
        _FUNCTIONS: vector([leb(each) for each in [*types, types[original - imported]]]),
        _EXPORTS: vector(
            [
                leb(len(name)) + name + kind + leb(added if (name, kind) == (_EXPORT, _FUNCTION_KIND) else index)
                for name, kind, index in exports
            ]
        ),
        _CODE: leb(count + 1) + code.rest() + leb(len(body)) + body,
    }
    out = bytearray(b"\0asm\x01\0\0\0")
    for number, content in sections:
        content = changed.get(number, content)
        out += bytes([number]) + leb(len(content)) + content
    return bytes(out)
