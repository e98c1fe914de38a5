"""A mesh of the real parts for one test module: on free ports, in a folder of its own, gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from mesh.demo_users import DEMO_USERS
from mesh.mesh import PART_NAMES, Mesh
from mesh.settings import PORT_SETTINGS, Ports, Settings, Tools

from . import logs
from .ports import release_port, reserve_port
from .tokens import bearer

PASSWORDS = {user.name: user.password for user in DEMO_USERS}


class PrivateMesh:
    """A running mesh, and what a user of it does."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.ports = mesh.settings.ports
        self.gate = httpx.Client(
            base_url=f"http://127.0.0.1:{self.ports.gateway}",
            trust_env=False,
            timeout=60,
            limits=httpx.Limits(max_connections=100),
        )
        # The issuer as an operator sees it, past the gate.
        self.issuer = httpx.Client(base_url=f"http://127.0.0.1:{self.ports.token_issuer}", trust_env=False, timeout=60)

    def log_in(self, user: str) -> dict[str, str]:
        """Both tokens."""
        answer = self.gate.post("/api/token/", json={"username": user, "password": PASSWORDS[user]})
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def as_user(self, user: str) -> dict[str, str]:
        """Headers of a user with a fresh token."""
        return bearer(self.log_in(user)["access"])

    def account(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """The caller's only account."""
        answer = self.gate.get("/bank/accounts/", headers=dict(headers))
        assert answer.status_code == 200, (answer.status_code, answer.text)
        (account,) = answer.json()["accounts"]
        return account

    def transfer(
        self, headers: Mapping[str, str], source: str, target: str, amount: int, key: str | None = None
    ) -> httpx.Response:
        """A transfer; a key of its own unless one is given."""
        order = {"from_account": source, "to_account": target, "amount": amount}
        sent = {**headers, "idempotency-key": key or str(uuid.uuid4())}
        return self.gate.post("/payment/transfers/", json=order, headers=sent)

    def close(self) -> None:
        """Ends the clients."""
        self.gate.close()
        self.issuer.close()


@contextmanager
def mesh_folder() -> Iterator[Path]:
    """A folder that Postgres' own account can reach (pytest's are closed to others)."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-mesh-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def free_ports() -> Iterator[Ports]:
    """One for each part."""
    reserved = {part: reserve_port() for part in PORT_SETTINGS}
    try:
        yield Ports(**reserved)
    finally:
        for port in reserved.values():
            release_port(port)


@contextmanager
def private_mesh(tools: Tools, **settings: Any) -> Iterator[PrivateMesh]:
    """Starts a mesh and ends it; its logs are shown with failures."""
    with mesh_folder() as folder, free_ports() as ports:
        chosen = Settings(
            run_dir=folder / "run",
            tools=tools,
            ports=ports,
            bind="127.0.0.1",
            issuer=f"http://localhost:{ports.gateway}",
            durable=False,
            **settings,
        )
        mesh = Mesh(chosen)
        for name in PART_NAMES:
            logs.watch(
                f"{name} of {folder.name}",
                lambda name=name: "\n".join(file.read_text(errors="replace") for file in mesh.log_files(name)),
            )
        try:
            mesh.up()
            running = PrivateMesh(mesh)
            try:
                yield running
            finally:
                running.close()
        finally:
            for name in PART_NAMES:
                logs.forget(f"{name} of {folder.name}")
            mesh.down(wipe=True)


def processes_of(run_dir: Path) -> list[str]:
    """Every process that has to do with a mesh: by its command, its environment or the folder that it works in."""
    found = []
    needle = os.fsencode(run_dir)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                continue
            described = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            described += os.fsencode(os.readlink(entry / "cwd"))
        except OSError:
            continue  # ended meanwhile, or somebody else's
        if needle in described:
            found.append(f"{entry.name} {(entry / 'cmdline').read_bytes()!r}" if entry.exists() else entry.name)
    return found
