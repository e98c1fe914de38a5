"""Is a part ready? Small HTTP and port checks that never go through a proxy of the environment."""

from __future__ import annotations

import errno
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def request(
    port: int,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: object = None,
    timeout: float = 10.0,
    authority: Path | None = None,
) -> Answer | None:
    """One request to 127.0.0.1; a body is sent as JSON. None when nobody answers.

    With an `authority` by TLS, and only to a server whose certificate it signed.
    """
    if authority is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    else:
        context = ssl.create_default_context(cafile=str(authority))
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=context)
    sent = dict(headers or {})
    content = None
    if body is not None:
        content = json.dumps(body).encode()
        sent["content-type"] = "application/json"
    try:
        connection.request(method, path, body=content, headers=sent)
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def answers(port: int, path: str, *, authority: Path | None = None) -> str | None:
    """None when GET gives 200, else what is missing, for people."""
    answer = request(port, path, timeout=5.0, authority=authority)
    if answer is None:
        return "no answer yet"
    if answer.status != 200:
        shown = answer.body[:80].decode(errors="replace").strip()
        return f"{path} answers {answer.status} {shown}".rstrip()
    return None


def port_obstacle(address: str, port: int) -> str | None:
    """Why no server could listen there now; None when one could.

    Asked before starting anything: Envoy shares ports (SO_REUSEPORT), so that two of them on one port would not even
    notice each other.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "is in use by another program"
            return f"can't be used: {error.strerror}"
    return None
