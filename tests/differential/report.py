"""Shows failures so that they can be understood and repeated."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .cases import Case, Configuration, Minted, Request
from .verdicts import Unexplained

_JWT = re.compile(r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")


def shown(found: Unexplained) -> str:
    """A failure in full: configuration, request, both answers, and the tokens in readable form."""
    case = found.outcome.case
    request = case.request
    lines = [
        f"case {case.number}: {', '.join(sorted(case.traits)) or 'nothing out of the ordinary'}",
        *(f"  {difference}" for difference in found.differences),
        "configuration:",
        _indented(json.dumps(_abbreviated(case.configuration.message), indent=1)),
        "request:",
        f"  {request.method} {request.target}",
        *(f"    {name}: {value}" for name, value in request.headers),
    ]
    for text in _JWT.findall("\n".join([request.target, *(value for _, value in request.headers)])):
        lines += ["  in which there is the token", *(f"    {part}" for part in _readable(text))]
    lines += ["native:", _indented(str(found.outcome.native)), "ours:", _indented(str(found.outcome.ours))]
    return "\n".join(lines)


def save(found: Unexplained, folder: Path) -> Path:
    """Writes a case down, for `replay`."""
    folder.mkdir(parents=True, exist_ok=True)
    case = found.outcome.case
    file = folder / f"case-{case.number}.json"
    file.write_text(
        json.dumps(
            {
                "number": case.number,
                "message": case.configuration.message,
                "key_sets": dict(case.configuration.key_sets),
                "request": asdict(case.request),
                "traits": sorted(case.traits),
                "tokens": [asdict(token) for token in case.tokens],
            },
            indent=2,
        )
    )
    return file


def load(file: Path) -> Case:
    """Reads it again. Its tokens expire hours after they were made."""
    saved: dict[str, Any] = json.loads(file.read_text())
    request = saved["request"]
    headers = tuple((name, value) for name, value in request["headers"])
    return Case(
        saved["number"],
        Configuration("replayed", saved["message"], saved["key_sets"]),
        Request(request["method"], request["target"], headers, request["body"]),
        frozenset(saved["traits"]),
        tuple(Minted(**token) for token in saved["tokens"]),
    )


def _abbreviated(message: dict[str, Any]) -> dict[str, Any]:
    """Without the keys' numbers; the file has them."""

    def provider(fields: dict[str, Any]) -> dict[str, Any]:
        local = fields.get("local_jwks", {}).get("inline_string")
        if local is None:
            return fields
        told = ("kty", "crv", "kid", "alg", "use", "key_ops")
        keys = [{name: value for name, value in key.items() if name in told} for key in json.loads(local)["keys"]]
        return {**fields, "local_jwks": " ".join(json.dumps(key) for key in keys)}

    return {**message, "providers": {name: provider(fields) for name, fields in message["providers"].items()}}


def _readable(token: str) -> list[str]:
    shown_parts = []
    for part in token.split(".")[:2]:
        try:
            shown_parts.append(
                base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8", "backslashreplace")
            )
        except ValueError:
            shown_parts.append(f"(not base64url) {part}")
    return shown_parts


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
