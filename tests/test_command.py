"""The command `gatehouse` against a running Envoy: what it explains is what happens, and what it checks is what starts."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.gate import Gate
from harness.jwks_server import JwksServer
from harness.keys import key, key_set, new_key
from harness.tokens import ISSUER, NEVER, SUBJECT, mint
from harness.waiting import eventually
from mesh.settings import Tools

GOOD = key("RS256")
STRANGER = new_key("RS256", GOOD.key_id)
UNKNOWN = new_key("RS256", "nobody-published-it")
NOW = int(time.time())

REQUESTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "good": ("GET", "/bank/accounts/?page=2", {"authorization": f"Bearer {mint(GOOD)}"}),
    "missing": ("GET", "/bank/accounts/", {}),
    "basic": ("GET", "/bank/accounts/", {"authorization": "Basic YTpi"}),
    "malformed": ("GET", "/bank/accounts/", {"authorization": "Bearer abc"}),
    "expired": ("GET", "/bank/accounts/", {"authorization": f"Bearer {mint(GOOD, exp=NOW - 600)}"}),
    "early": ("GET", "/bank/accounts/", {"authorization": f"Bearer {mint(GOOD, nbf=NOW + 600)}"}),
    "endless": ("GET", "/bank/accounts/", {"authorization": f"Bearer {mint(GOOD, exp=NEVER)}"}),
    "audience": ("GET", "/bank/accounts/", {"authorization": f"Bearer {mint(GOOD, aud='elsewhere')}"}),
    "issuer": ("GET", "/bank/accounts/", {"authorization": f"Bearer {mint(GOOD, iss=ISSUER + '/')}"}),
    "refresh": ("GET", "/bank/accounts/", {"authorization": f"Bearer {mint(GOOD, token_type='refresh')}"}),
    "forged": ("GET", "/bank/accounts/", {"authorization": f"Bearer {mint(STRANGER)}"}),
    "unknown key": ("GET", "/bank/accounts/", {"authorization": f"Bearer {mint(UNKNOWN)}"}),
    "no scope": ("GET", "/bank/accounts/", {"authorization": f"Bearer {mint(GOOD, scope='other')}"}),
    "elsewhere": ("GET", "/nowhere/", {"authorization": f"Bearer {mint(GOOD)}"}),
    "ambiguous": ("GET", "/bank/;/x", {"authorization": f"Bearer {mint(GOOD)}"}),
    "health": ("GET", "/health/", {}),
}


@pytest.fixture(scope="module")
def gate(start_shipped_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]) -> Iterator[Gate]:
    """The Envoy of envoy.yaml, warm."""
    started = start_shipped_gate(start_jwks_server(GOOD), issuer=ISSUER)
    _, path, headers = REQUESTS["good"]
    eventually(lambda: started.get(path, headers=headers).status_code == 200, "the keys have been fetched")
    yield started


def run(tools: Tools, *arguments: str) -> tuple[int, str]:
    """Exit status and output of the command."""
    assert tools.command.exists(), "the command is missing: make services"
    done = subprocess.run([str(tools.command), *arguments], capture_output=True, text=True, timeout=60)
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout


def explained(tools: Tools, gate: Gate, folder: Path, name: str) -> tuple[int, dict[str, Any]]:
    """What the command makes of a request, with the very configuration that Envoy runs."""
    method, path, headers = REQUESTS[name]
    request = folder / "request.http"
    lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{gate.port}"]
    lines += [f"{header}: {value}" for header, value in headers.items()]
    request.write_text("\r\n".join([*lines, "", ""]))
    keys = folder / "jwks.json"
    keys.write_text(json.dumps(key_set(GOOD)))
    status, output = run(
        tools,
        *("explain", "--config", str(gate.envoy.config_file), "--request", str(request)),
        *("--jwks", str(keys), "--format", "json"),
    )
    return status, json.loads(output)


@pytest.mark.parametrize("name", REQUESTS)
def test_the_command_explains_what_happens_in_envoy(gate: Gate, tools: Tools, tmp_path: Path, name: str) -> None:
    method, path, headers = REQUESTS[name]
    gate.clear()
    answer = gate.client.request(method, path, headers=headers)
    status, story = explained(tools, gate, tmp_path, name)
    if name == "good":
        assert (answer.status_code, status, story["outcome"]) == (200, 0, "passes")
        seen = gate.upstream("bank").requests[-1]
        told = {header["name"]: header["value"] for header in story["answer"]["set"]}
        assert told["x-gatehouse-cluster"] == "bank" and told[":path"] == "/accounts/?…"
        assert seen.target == "/accounts/?page=2" and told["x-user-id"] == SUBJECT
    elif name == "health":
        assert (answer.status_code, status, story["answer"]["status"]) == (200, 0, 200)
    else:
        gate.nobody_was_contacted()
        assert (status, story["outcome"]) == (1, "refused")
        assert (answer.status_code, answer.json()["code"]) == (story["answer"]["status"], story["answer"]["code"])
        assert answer.headers.get("www-authenticate") == story["answer"].get("challenge")


def test_what_envoy_runs_checks_clean(gate: Gate, tools: Tools) -> None:
    status, output = run(tools, "check", str(gate.envoy.config_file))
    assert status == 0, output
    assert output.startswith("ok: ") and output.count("\n") == 1
