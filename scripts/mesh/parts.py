"""The parts of the mesh: how each is started and how one knows that it works."""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import probe
from .certificates import Certificates, ServerFiles
from .postgres import Postgres
from .processes import Account
from .render import render
from .secret_files import SecretFiles
from .settings import Settings


@dataclass(frozen=True)
class Part:
    """One process of the mesh."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    # (port in `Ports`, address that it binds)
    listens: list[tuple[str, str]]
    # None when it works, else what it lacks.
    obstacle: Callable[[], str | None]
    # Files whose content decides how it behaves: a new build restarts the part.
    inputs: list[Path] = field(default_factory=list)
    account: Account | None = None
    patience_seconds: float = 60.0
    # Envoy writes its access log to stdout and its own log to stderr.
    separate_access_log: bool = False

    def fingerprint(self) -> str:
        """Changes when a restart would change anything. A digest: the environment holds passwords."""
        digest = hashlib.sha256()
        for word in (*self.command, *(f"{name}={self.environment[name]}" for name in sorted(self.environment))):
            digest.update(word.encode() + b"\0")
        for path in self.inputs:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


class PartList:
    """Builds the parts for one mesh."""

    def __init__(self, settings: Settings, secrets: SecretFiles, postgres: Postgres) -> None:
        self._settings = settings
        self._secrets = secrets
        self._postgres = postgres

    def postgres(self) -> Part:
        """The database server."""
        return Part(
            name="postgres",
            command=self._postgres.command(),
            environment=self._postgres.environment(),
            listens=[("postgres", "127.0.0.1")],
            obstacle=self._postgres.obstacle,
            account=self._postgres.account,
        )

    def services(self) -> list[Part]:
        """The issuer and the demo services, which start side by side."""
        ports = self._settings.ports
        return [
            Part(
                name="token-issuer",
                command=[str(self._settings.tools.token_issuer), "serve"],
                environment=self.token_issuer_environment("gatehouse_issuer"),
                listens=[("token_issuer", "127.0.0.1")],
                obstacle=lambda: probe.answers(ports.token_issuer, "/health/ready"),
                inputs=[self._settings.tools.token_issuer],
            ),
            self._demo_service("bank", ports.bank),
            self._demo_service("payment", ports.payment),
        ]

    def envoy(self) -> Part:
        """The gateway. Renders its configuration, and renews its certificate."""
        settings = self._settings
        tls = self.tls()
        config = settings.run_dir / "envoy.yaml"
        config.write_text(render(settings.tools.envoy_config.read_text(), settings, tls))
        return Part(
            name="envoy",
            command=[
                str(settings.tools.envoy),
                "-c",
                str(config),
                "--concurrency",
                str(settings.envoy_workers),
                "--log-level",
                settings.envoy_log_level,
                # Several meshes on one machine must not share the memory that hot restart uses.
                "--disable-hot-restart",
                "--file-flush-interval-msec",
                "250",
            ],
            environment=_base_environment(),
            listens=[("gateway", settings.bind), ("gateway_tls", settings.bind), ("admin", "127.0.0.1")],
            obstacle=lambda: self._gateway_obstacle(tls),
            inputs=[config, settings.tools.plugin, tls.certificate],
            separate_access_log=True,
        )

    def tls(self) -> ServerFiles:
        """The gateway's certificate."""
        return Certificates(self._settings.run_dir / "tls").server(datetime.datetime.now(datetime.timezone.utc))

    def token_issuer_environment(self, role: str) -> dict[str, str]:
        """For the service as `gatehouse_issuer`, for migrations as its owner."""
        settings = self._settings
        return {
            **_base_environment(),
            **settings.token_issuer_environment,
            "GATEHOUSE_DATABASE_URL": self._postgres.url(role, "gatehouse_issuer"),
            "GATEHOUSE_LISTEN": f"127.0.0.1:{settings.ports.token_issuer}",
            "GATEHOUSE_ISSUER": settings.issuer,
            "GATEHOUSE_AUDIENCE": settings.audience,
            "GATEHOUSE_KEY_ENCRYPTION_KEY_FILE": str(self._secrets.path("key_encryption_key")),
            "GATEHOUSE_ACCESS_TOKEN_LIFETIME": settings.access_token_lifetime,
            "GATEHOUSE_REFRESH_TOKEN_LIFETIME": settings.refresh_token_lifetime,
            "GATEHOUSE_MEDIA_DIR": str(self._media()),
        }

    def demo_environment(self, role: str, port: int | None = None) -> dict[str, str]:
        """For bank and payment as `gatehouse_demo`, for migrations as its owner."""
        environment = {
            **_base_environment(),
            **self._settings.demo_environment,
            "DEMO_DATABASE_URL": self._postgres.url(role, "gatehouse_demo"),
        }
        if port is not None:
            environment["DEMO_LISTEN"] = f"127.0.0.1:{port}"
        return environment

    def _demo_service(self, name: str, port: int) -> Part:
        return Part(
            name=name,
            command=[str(self._settings.tools.demo), name],
            environment=self.demo_environment("gatehouse_demo", port),
            listens=[(name, "127.0.0.1")],
            obstacle=lambda: probe.answers(port, "/health/"),
            inputs=[self._settings.tools.demo],
        )

    def _gateway_obstacle(self, tls: ServerFiles) -> str | None:
        ports = self._settings.ports
        return (
            probe.answers(ports.admin, "/ready")
            or probe.answers(ports.gateway, "/health/")
            or probe.answers(ports.gateway_tls, "/health/", authority=tls.authority)
        )

    def _media(self) -> Path:
        folder = self._settings.run_dir / "media"
        folder.mkdir(mode=0o755, exist_ok=True)
        return folder


def _base_environment() -> dict[str, str]:
    """What any program needs; nothing else of the caller's environment reaches a part by accident."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ}
