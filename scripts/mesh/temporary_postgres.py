"""A Postgres server that lives as long as one command: for test suites that need a real one."""

from __future__ import annotations

import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import MeshError
from .parts import PartList
from .postgres import SUPERUSER, Postgres
from .processes import ProcessTable
from .secret_files import SecretFiles
from .settings import Ports, Settings, Tools

PATIENCE_SECONDS = 60.0


@contextmanager
def temporary_postgres(tools: Tools) -> Iterator[str]:
    """The superuser's URL of a server on a free port; server and data are gone afterwards."""
    tools.check_postgres()
    with tempfile.TemporaryDirectory(prefix="gatehouse-postgres-") as folder:
        run_dir = Path(folder)
        # Postgres' own account has to get to its data.
        run_dir.chmod(0o711)
        settings = Settings(run_dir=run_dir, tools=tools, ports=Ports(postgres=_free_port()), durable=False)
        secrets = SecretFiles(run_dir / "secrets")
        postgres = Postgres(settings, secrets)
        processes = ProcessTable(run_dir / "parts")
        log = run_dir / "postgres.log"
        try:
            postgres.prepare()
            part = PartList(settings, secrets, postgres).postgres()
            processes.start(
                part.name,
                part.command,
                environment=part.environment,
                stdout=log,
                stderr=log,
                fingerprint="",
                account=part.account,
            )
            deadline = time.monotonic() + PATIENCE_SECONDS
            while (obstacle := part.obstacle()) is not None:
                if processes.find(part.name) is None or time.monotonic() > deadline:
                    raise MeshError(obstacle, part=part.name, log=log.read_text(errors="replace"))
                time.sleep(0.05)
            yield postgres.url(SUPERUSER, "postgres")
        finally:
            processes.stop("postgres", with_signal=signal.SIGINT)
            postgres.wipe()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
