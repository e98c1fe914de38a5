"""`make up` and `make down` as a person meets them: what they print, what they leave, how they fail."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from harness.private_mesh import free_ports, mesh_folder, processes_of
from harness.waiting import eventually
from mesh.settings import PORT_SETTINGS, ROOT, Ports, Tools


class Commands:
    """The command line, pointed at a folder and ports of its own."""

    def __init__(self, tools: Tools, run_dir: Path, ports: Ports) -> None:
        self.run_dir = run_dir
        self.ports = ports
        self.environment: dict[str, str] = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("GATEHOUSE_", "DEMO_", "MESH"))
            },
            **{setting: str(getattr(ports, part)) for part, setting in PORT_SETTINGS.items()},
            "PYTHONPATH": str(ROOT / "scripts"),
            "GATEHOUSE_RUN_DIR": str(run_dir),
            "GATEHOUSE_BIND": "127.0.0.1",
            "GATEHOUSE_ENVOY": str(tools.envoy),
            "GATEHOUSE_POSTGRES_BIN": str(tools.postgres_bin),
            "GATEHOUSE_TOKEN_ISSUER": str(tools.token_issuer),
            "GATEHOUSE_DEMO": str(tools.demo),
            "GATEHOUSE_PLUGIN": str(tools.plugin),
        }

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """One command, its output through a pipe as `make up | tee` would have it."""
        return subprocess.run(
            [sys.executable, "-m", "mesh", *arguments],
            env={**self.environment, **changes},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def pids(self) -> Mapping[str, int]:
        """The recorded processes."""
        files = (self.run_dir / "parts").glob("*.json")
        return {file.stem: json.loads(file.read_text())["pid"] for file in files}

    def leaves_nothing(self) -> None:
        """No process, no port."""
        assert processes_of(self.run_dir) == []
        for part in PORT_SETTINGS:
            with socket.socket() as client:
                assert client.connect_ex(("127.0.0.1", getattr(self.ports, part))) != 0, f"{part} still listens"


@pytest.fixture
def commands(tools: Tools) -> Iterator[Commands]:
    with mesh_folder() as folder, free_ports() as ports:
        made = Commands(tools, folder / "run", ports)
        try:
            yield made
        finally:
            made.run("down", "--wipe")


def paste(text: str, environment: Mapping[str, str]) -> str:
    """What a shell makes of the printed commands, all in one go."""
    result = subprocess.run(
        ["sh", "-eu"], input=text, env=dict(environment), capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def printed_commands(output: str) -> list[str]:
    """The lines after the numbered ones."""
    lines = output.splitlines()
    return [lines[number + 1] for number, line in enumerate(lines) if line[:2] in ("1.", "2.", "3.", "4.")]


def test_up_prints_commands_that_work_when_pasted_and_down_leaves_nothing(commands: Commands) -> None:
    up = commands.run("up")
    assert up.returncode == 0, up.stdout + up.stderr
    assert "plain processes" in up.stdout, "it says which way it takes"
    assert up.stderr == ""
    for part in ("postgres", "token-issuer", "bank", "payment", "envoy"):
        assert f"{part} is ready" in up.stdout

    token, accounts, transfer, with_tls = printed_commands(up.stdout)
    pasted = [token, f"{accounts}; echo", f"{transfer}; echo", f"{transfer}; echo", f"{accounts}; echo", with_tls]
    shown = paste("\n".join(pasted), commands.environment)
    before, first, second, after, by_tls = (json.loads(line) for line in shown.splitlines())
    assert by_tls == after and f"https://localhost:{commands.ports.gateway_tls}/" in with_tls
    assert first == second and first["amount"] == 100
    assert after["accounts"][0]["balance"] == before["accounts"][0]["balance"] - 100, "pasted twice, moved once"

    pids = commands.pids()
    again = commands.run("up")
    assert again.returncode == 0 and "already running" in again.stdout
    assert printed_commands(again.stdout) == [token, accounts, transfer, with_tls]
    assert commands.pids() == pids, "nothing was restarted"

    status = commands.run("status")
    assert status.returncode == 0 and status.stdout.count("ready") == 5, status.stdout
    logs = commands.run("logs", "envoy", "-n", "50")
    assert logs.returncode == 0 and "/payment/transfers/" in logs.stdout

    down = commands.run("down")
    assert down.returncode == 0 and "stopped: envoy, payment, bank, token-issuer, postgres" in down.stdout
    commands.leaves_nothing()
    assert commands.run("status").returncode == 3
    assert "nothing was running" in commands.run("down").stdout

    # The data stayed; the transfer's key is still spent.
    assert commands.run("up").returncode == 0
    shown = paste(f"{token}\n{transfer}\necho\n{accounts}", commands.environment)
    repeated, kept = (json.loads(line) for line in shown.splitlines())
    assert repeated == first and kept == after
    assert commands.run("down", "--wipe").returncode == 0
    commands.leaves_nothing()
    assert not commands.run_dir.exists()


def test_http_can_be_told_to_lead_to_https(commands: Commands) -> None:
    up = commands.run("up", GATEHOUSE_HTTP_REDIRECT="on")
    assert up.returncode == 0, up.stdout + up.stderr
    token, accounts, _, with_tls = printed_commands(up.stdout)
    assert "http://" not in token + accounts
    first, second = paste(f"{token}\n{accounts}; echo\n{with_tls}", commands.environment).splitlines()
    assert json.loads(first) == json.loads(second) and json.loads(first)["accounts"]
    location = 'curl -s -o /dev/null -w "%{http_code} %{redirect_url}" '
    led = paste(f"{location} http://localhost:{commands.ports.gateway}/bank/accounts/", commands.environment)
    assert led == f"308 https://localhost:{commands.ports.gateway_tls}/bank/accounts/"
    refused = commands.run("up", GATEHOUSE_HTTP_REDIRECT="perhaps")
    assert refused.returncode == 1 and "neither on nor off" in refused.stderr


def test_a_certificate_that_was_renewed_is_served_by_a_new_envoy(commands: Commands) -> None:
    assert commands.run("up").returncode == 0
    before = commands.pids()
    # As if it had been about to expire.
    (commands.run_dir / "tls" / "gateway.crt").unlink()
    up = commands.run("up")
    assert up.returncode == 0 and "envoy changed" in up.stdout
    assert {name for name, pid in commands.pids().items() if pid != before[name]} == {"envoy"}


def test_a_port_in_use_is_named_with_the_setting_that_changes_it(commands: Commands) -> None:
    with (
        socket.create_server(("127.0.0.1", commands.ports.gateway)),
        socket.create_server(("127.0.0.1", commands.ports.gateway_tls)),
        socket.create_server(("127.0.0.1", commands.ports.bank)),
    ):
        up = commands.run("up")
    assert up.returncode == 1
    for part in ("gateway", "gateway_tls", "bank"):
        assert f"port {getattr(commands.ports, part)} is in use" in up.stderr
        assert f"{PORT_SETTINGS[part]}=" in up.stderr
    commands.leaves_nothing()


def test_a_part_that_does_not_start_is_named_with_its_last_words_and_the_rest_is_stopped(
    commands: Commands, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.wasm"
    broken.write_bytes(b"no plugin at all")
    up = commands.run("up", GATEHOUSE_PLUGIN=str(broken))
    assert up.returncode == 1
    assert "mesh: envoy:" in up.stderr
    assert "last lines of envoy" in up.stderr and "Wasm" in up.stderr
    commands.leaves_nothing()


def test_missing_artefacts_are_listed_with_the_commands_that_make_them(commands: Commands, tmp_path: Path) -> None:
    up = commands.run("up", GATEHOUSE_PLUGIN=str(tmp_path / "x.wasm"), GATEHOUSE_DEMO=str(tmp_path / "demo"))
    assert up.returncode == 1
    assert "make filter" in up.stderr and "make services" in up.stderr and "make setup" not in up.stderr
    assert not commands.run_dir.exists()


def test_docker_is_refused_plainly_until_there_are_images(commands: Commands) -> None:
    up = commands.run("up", MESH="docker")
    assert up.returncode == 2
    assert "MESH=native" in up.stderr
    assert commands.run("up", MESH="podman").returncode == 2
    assert not commands.run_dir.exists()


def test_a_new_build_restarts_what_it_changes_and_nothing_else(commands: Commands) -> None:
    assert commands.run("up").returncode == 0
    before = commands.pids()
    up = commands.run("up", GATEHOUSE_LOG="debug")
    assert up.returncode == 0 and "token-issuer changed" in up.stdout
    after = commands.pids()
    assert {name for name in after if after[name] != before[name]} == {"token-issuer"}


def test_an_interrupted_start_leaves_nothing(commands: Commands) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            [sys.executable, "-m", "mesh", "up"],
            env=commands.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        eventually(lambda: "postgres" in commands.pids(), "the start is under way")
        process.send_signal(number)
        output = process.communicate(timeout=120)[0]
        # It may just have been finished; a person then has a running mesh and `down`.
        assert process.returncode in (130, 0), output
        commands.run("down")
        commands.leaves_nothing()


def test_down_never_ends_a_process_that_only_has_the_recorded_id(commands: Commands) -> None:
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        parts = commands.run_dir / "parts"
        parts.mkdir(parents=True)
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        for name, record in {
            "envoy": {"pid": stranger.pid, "started": 1, "boot": boot, "fingerprint": "x"},
            "bank": {"pid": 2**22 - 1, "started": 1, "boot": boot, "fingerprint": "x"},
        }.items():
            (parts / f"{name}.json").write_text(json.dumps(record))
        (parts / "payment.json").write_text('{"pid": 1')
        down = commands.run("down")
        assert down.returncode == 0 and "nothing was running" in down.stdout
        time.sleep(0.2)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_with_postgres_lends_a_server_and_passes_the_exit_code_on(commands: Commands, tools: Tools) -> None:
    query = f'"{tools.postgres_bin}/psql" "$GATEHOUSE_TEST_POSTGRES_URL" -tAc "SELECT 6 * 7"; exit 7'
    result = commands.run("with-postgres", "--", "sh", "-c", query)
    assert (result.returncode, result.stdout.strip()) == (7, "42"), result.stderr


def test_postgres_starts_from_a_checkout_that_others_can_not_enter(
    commands: Commands, tools: Tools, tmp_path: Path
) -> None:
    """A checkout in /root: the server runs as another user there, who can reach neither its programs nor its data."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = tools.postgres_bin.resolve().parent.parent
    for folder in (tools.postgres_bin.resolve().parent, package.with_name(package.name + ".libs")):
        if folder.is_dir():
            shutil.copytree(folder, closed / folder.relative_to(package.parent), symlinks=True)
    binaries = closed / tools.postgres_bin.resolve().relative_to(package.parent)
    result = commands.run(
        "with-postgres",
        "--",
        "sh",
        "-c",
        f'"{tools.postgres_bin}/psql" "$GATEHOUSE_TEST_POSTGRES_URL" -tAc "SELECT 6 * 7"',
        GATEHOUSE_POSTGRES_BIN=str(binaries),
        TMPDIR=str(closed),
    )
    assert (result.returncode, result.stdout.strip()) == (0, "42"), result.stderr
