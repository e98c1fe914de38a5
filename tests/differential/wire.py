"""The client in front of both filters and the upstream behind them, in one event loop: HTTP/1.1 over kept connections,
read byte by byte, because no library sends what these tests have to send.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from .cases import CASE_HEADER, Answer, Arrived, Headers, Request

PATIENCE_SECONDS = 120.0
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-upstream: 1\r\n\r\n"
_LIMIT = 1 << 22


class Upstream:
    """Answers everything with 200 and writes down what came, by case number."""

    def __init__(self) -> None:
        self.arrived: dict[int, list[Arrived]] = defaultdict(list)
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listens on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LIMIT, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends it."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (head := await _head(reader)) is not None:
                start, headers = head
                method, target, _ = start.split(" ", 2)
                number = next((value for name, value in headers if name == CASE_HEADER), "-1")
                if method != "CONNECT":
                    await _body(reader, headers)
                self.arrived[int(number)].append(Arrived(method, target, headers))
                writer.write(_ANSWER)
                if method == "CONNECT":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


class KeyServer:
    """Serves key sets, each at a path of its own."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        self._documents = documents
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listens on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends it."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (head := await _head(reader)) is not None:
                document = self._documents.get(head[0].split(" ")[1])
                status = "404 Not Found" if document is None else "200 OK"
                body = (document or "").encode()
                writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


class Client:
    """One connection to a listener, renewed when it has to be."""

    def __init__(self, port: int, upstream: Upstream) -> None:
        self._port = port
        self._upstream = upstream
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: Request, number: int) -> Answer:
        """Sends a request and waits for its answer and for what the upstream got of it."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._exchange(request.wire(number), to_head=request.method == "HEAD")
        except (ConnectionError, asyncio.IncompleteReadError):
            answer = None
        if answer is None:
            self.close()
            answer = (0, (), "")
        status, headers, body = answer
        # What was asked to become a tunnel may be one now.
        is_tunnel = request.method == "CONNECT" or bool(request.values("upgrade"))
        if is_tunnel or any(name.lower() == "connection" and value.lower() == "close" for name, value in headers):
            self.close()
        return Answer(status, headers, body, tuple(self._upstream.arrived.pop(number, ())))

    def close(self) -> None:
        """Ends the connection; the next exchange begins a new one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, data: bytes, *, to_head: bool) -> tuple[int, Headers, str] | None:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=_LIMIT)
        reader, writer = self._streams
        writer.write(data)
        head = await _head(reader)
        if head is None:
            return None
        start, headers = head
        status = int(start.split(" ", 2)[1])
        body = b"" if to_head or status in (101, 204, 304) else await _body(reader, headers)
        return status, headers, body.decode("latin-1")


async def _head(reader: asyncio.StreamReader) -> tuple[str, Headers] | None:
    """Start line and headers; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    start, *lines = head[:-4].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return start, tuple((name, value.strip(" \t")) for name, _, value in pairs)


async def _body(reader: asyncio.StreamReader, headers: Headers) -> bytes:
    named = {name.lower(): value for name, value in headers}
    if named.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
        return body
    return await reader.readexactly(int(named.get("content-length", "0")))
