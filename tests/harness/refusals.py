"""What every refusal looks like (RFC 9457, RFC 6750), checked in one place."""

from __future__ import annotations

import json
from typing import Any, Protocol

PROBLEM = "application/problem+json"


class Response(Protocol):
    """What httpx' and the raw client's answers share."""

    status_code: int
    headers: Any
    content: bytes


def problem(response: Response | None, status: int, code: str | None = None) -> dict[str, Any]:
    """The problem document of a refusal, after checking that it is one."""
    assert response is not None, "the connection ended without an answer"
    shown = f"{response.status_code} {dict(response.headers)} {response.content[:500]!r}"
    assert response.status_code == status, shown
    assert response.headers.get("content-type") == PROBLEM, shown
    assert response.headers.get("cache-control") == "no-store", shown
    document = json.loads(response.content)
    assert document["status"] == status, shown
    for member in ("type", "title", "code"):
        assert isinstance(document[member], str) and document[member], shown
    if code is not None:
        assert document["code"] == code, shown
    return document


def unauthorized(response: Response | None) -> dict[str, Any]:
    """401 for a token that is not accepted."""
    document = problem(response, 401)
    challenge = response.headers.get("www-authenticate", "") if response else ""
    assert challenge.startswith("Bearer "), challenge
    assert 'error="invalid_token"' in challenge, challenge
    return document


def challenged(response: Response | None) -> dict[str, Any]:
    """401 for a caller without a token: the bare challenge of RFC 6750, section 3.1, without an error code."""
    document = problem(response, 401)
    challenge = response.headers.get("www-authenticate", "") if response else ""
    assert challenge.startswith("Bearer "), challenge
    assert "error" not in challenge, challenge
    return document
