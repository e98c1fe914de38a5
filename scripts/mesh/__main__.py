"""`python3 -m mesh up|down|status|logs|with-postgres`."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from .errors import MeshError
from .mesh import PART_NAMES, Mesh, Ready
from .settings import Settings, Tools
from .temporary_postgres import temporary_postgres

NATIVE_BY_DEFAULT = "Starting the mesh as plain processes: images for Docker Compose come in a later release (MESH=native says so by hand)."
NO_DOCKER_YET = (
    "MESH=docker: the images for Docker Compose come in a later release. Run it as plain processes: MESH=native make up"
)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 well, 1 failed, 2 wrong use, 3 (status) not everything runs."""
    options = _parser().parse_args(arguments)
    # `timeout`, CI and editors end programs with SIGTERM: what was started must go as it does on Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(options.run(options))
    except MeshError as error:
        part = f"{error.part}: " if error.part else ""
        print(f"mesh: {part}{error}", file=sys.stderr)
        if error.log:
            print(f"--- last lines of {error.part}", *error.log.splitlines(), "---", sep="\n    ", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("mesh: interrupted", file=sys.stderr)
        return 130


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m mesh", description="Runs the mesh on this machine.")
    commands = parser.add_subparsers(required=True, metavar="up|down|status|logs|with-postgres")
    up = commands.add_parser("up", help="start what does not run yet and wait until it works")
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="stop everything; the data stays")
    down.add_argument("--wipe", action="store_true", help="throw databases, secrets and logs away as well")
    down.set_defaults(run=_down)
    status = commands.add_parser("status", help="what runs")
    status.set_defaults(run=_status)
    logs = commands.add_parser("logs", help="what the parts wrote")
    logs.add_argument("part", nargs="?", choices=PART_NAMES, help="only this one")
    logs.add_argument("-n", "--lines", type=int, default=40, help="how many lines of each (40)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on showing what is written")
    logs.set_defaults(run=_logs)
    borrowed = commands.add_parser(
        "with-postgres", help="run a command with a throw-away server; its URL is in GATEHOUSE_TEST_POSTGRES_URL"
    )
    borrowed.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    borrowed.set_defaults(run=_with_postgres)
    return parser


def _up(options: argparse.Namespace) -> int:
    way = os.environ.get("MESH", "")
    if way == "docker":
        print(NO_DOCKER_YET, file=sys.stderr)
        return 2
    if way not in ("", "native"):
        print(f"MESH={way}: native or docker", file=sys.stderr)
        return 2
    if not way:
        print(NATIVE_BY_DEFAULT, flush=True)
    settings = Settings.load()
    ready = Mesh(settings).up()
    print(_instructions(settings, ready), flush=True)
    return 0


def _down(options: argparse.Namespace) -> int:
    stopped = Mesh(Settings.load()).down(wipe=options.wipe)
    print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
    return 0


def _status(options: argparse.Namespace) -> int:
    states = Mesh(Settings.load()).status()
    for name, state in states.items():
        print(f"{name:<14}{state}")
    return 0 if set(states.values()) == {"ready"} else 3


def _logs(options: argparse.Namespace) -> int:
    mesh = Mesh(Settings.load())
    names = [options.part] if options.part else list(PART_NAMES)
    files = [file for name in names for file in mesh.log_files(name)]
    if not files:
        print("no logs: nothing was started yet")
        return 0
    positions: dict[Path, int] = {}
    for file in files:
        content = file.read_bytes()
        positions[file] = len(content)
        _show(file, content.decode(errors="replace").splitlines()[-options.lines :] if options.lines > 0 else [])
    while options.follow:
        time.sleep(0.5)
        for file in files:
            size = file.stat().st_size if file.exists() else 0
            # A restarted part begins its log anew.
            start = positions[file] if size >= positions[file] else 0
            if size > start:
                with file.open("rb") as handle:
                    handle.seek(start)
                    new = handle.read()
                _show(file, new.decode(errors="replace").splitlines())
                size = start + len(new)
            positions[file] = size
    return 0


def _with_postgres(options: argparse.Namespace) -> int:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        print("with-postgres: which command?", file=sys.stderr)
        return 2
    with temporary_postgres(Tools.from_environment(os.environ)) as url:
        try:
            return subprocess.run(command, env={**os.environ, "GATEHOUSE_TEST_POSTGRES_URL": url}).returncode
        except OSError as error:
            raise MeshError(f"{command[0]} can't be started: {error.strerror}") from error


def _show(file: Path, lines: list[str]) -> None:
    for line in lines:
        print(f"{file.stem:<16}| {line}", flush=True)


def _instructions(settings: Settings, ready: Ready) -> str:
    """Commands for a person to paste, one after the other, into any POSIX shell."""
    url, tls_url = ready.gateway_url, ready.gateway_tls_url
    curl_tls = f"curl -s --cacert {shlex.quote(str(ready.authority))}"
    curl = curl_tls if settings.http_redirect else "curl -s"
    takes = f"{tls_url} ({settings.gateway_url} leads there)" if settings.http_redirect else f"{url} and {tls_url}"
    return f"""
Gatehouse is up. It takes requests on {takes}; Envoy's admin: http://127.0.0.1:{settings.ports.admin}.
Users: alice / alice-demo-password, bob / bob-demo-password, olivia / olivia-demo-password (reads, and operates).
`make down` stops it.

1. Get a token:
TOKEN=$({curl} {url}/api/token/ -H 'content-type: application/json' -d '{{"username":"alice","password":"alice-demo-password"}}' | python3 -c 'import json, sys; print(json.load(sys.stdin)["access"])')

2. Ask the bank for alice's accounts:
{curl} {url}/bank/accounts/ -H "authorization: Bearer $TOKEN"

3. Send 1.00 EUR to bob (paste it twice: the money moves once, the key makes it the same transfer):
{curl} {url}/payment/transfers/ -H "authorization: Bearer $TOKEN" -H 'idempotency-key: my-first-transfer' -H 'content-type: application/json' -d '{{"from_account":"{ready.alice_account}","to_account":"{ready.bob_account}","amount":100}}'

4. Ask with TLS, and trust this mesh's own authority for it:
{curl_tls} {tls_url}/bank/accounts/ -H "authorization: Bearer $TOKEN"
"""


if __name__ == "__main__":
    sys.exit(main())
