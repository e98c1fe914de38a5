"""A proxy-wasm plugin that crashes when a request asks it to.

Gatehouse itself must never crash, so what Envoy does then (`failure_policy` in envoy.yaml) is shown with a plugin made for
it: forty bytes of code that trap on a request with many headers and let every other request pass. It is assembled here
so that the tests need no WebAssembly tools.
"""

from __future__ import annotations

TRAPS_ABOVE_HEADERS = 30

_I32 = 0x7F
_END = 0x0B


def leb(value: int) -> bytes:
    """Unsigned LEB128, the number format of WebAssembly."""
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        if not value:
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def vector(items: list[bytes]) -> bytes:
    return leb(len(items)) + b"".join(items)


def _section(number: int, content: bytes) -> bytes:
    return bytes([number]) + leb(len(content)) + content


def _function_type(parameters: int, results: int) -> bytes:
    return b"\x60" + vector([bytes([_I32])] * parameters) + vector([bytes([_I32])] * results)


def _body(code: bytes) -> bytes:
    content = leb(0) + code + bytes([_END])
    return leb(len(content)) + content


def _constant(value: int) -> bytes:
    assert 0 <= value < 64, "one byte of signed LEB128"
    return bytes([0x41, value])


def crashing_plugin() -> bytes:
    """The module's bytes."""
    # (name, parameters, results, code); the exports that Envoy calls, by the proxy-wasm ABI 0.2.1.
    trap_on_many_headers = (
        bytes([0x20, 1])  # local.get 1: the number of headers
        + _constant(TRAPS_ABOVE_HEADERS)
        + bytes([0x4B])  # i32.gt_u
        + bytes([0x04, 0x40, 0x00, _END])  # if … unreachable … end
        + _constant(0)  # Action::Continue
    )
    functions: list[tuple[str, int, int, bytes]] = [
        ("proxy_abi_version_0_2_1", 0, 0, b""),
        ("malloc", 1, 1, b"\x41\x80\x08"),  # one scratch area at 1024; nothing is ever read from it
        ("proxy_on_context_create", 2, 0, b""),
        ("proxy_on_vm_start", 2, 1, _constant(1)),
        ("proxy_on_configure", 2, 1, _constant(1)),
        ("proxy_on_request_headers", 3, 1, trap_on_many_headers),
    ]
    types = vector([_function_type(parameters, results) for _, parameters, results, _ in functions])
    exports = [leb(len(name)) + name.encode() + b"\x00" + leb(index) for index, (name, *_) in enumerate(functions)]
    exports.append(leb(6) + b"memory" + b"\x02\x00")
    return (
        b"\0asm\x01\0\0\0"
        + _section(1, types)
        + _section(3, vector([leb(index) for index in range(len(functions))]))
        + _section(5, vector([b"\x00\x10"]))  # one memory of sixteen pages
        + _section(7, vector(exports))
        + _section(10, vector([_body(code) for *_, code in functions]))
    )
