"""A private Postgres server: its data, its account, its databases.

Postgres refuses to run as root. Where the caller is root (containers, CI) the server gets an account without rights of
its own, and folders which that account can reach; an ordinary user's mesh runs as that user.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from .errors import MeshError
from .processes import Account
from .secret_files import SecretFiles
from .settings import Settings

SUPERUSER = "postgres"
# Debian's account for this very purpose, else the one that exists everywhere.
ACCOUNT_CANDIDATES = ("postgres", "nobody")

# Role → the name of its secret and of its variable in databases.sql.
ROLE_SECRETS: Mapping[str, str] = {
    "gatehouse_issuer_owner": "issuer_owner_password",
    "gatehouse_issuer": "issuer_password",
    "gatehouse_demo_owner": "demo_owner_password",
    "gatehouse_demo": "demo_password",
}


class Postgres:
    """Everything about the server except its running process, which the mesh starts like any other part."""

    def __init__(self, settings: Settings, secrets: SecretFiles) -> None:
        self._settings = settings
        self._secrets = secrets
        self.account = _account()
        self._fallback = _fallback_folder(settings.run_dir)
        self.data = self._place_data()
        self._binaries = settings.tools.postgres_bin

    def prepare(self) -> None:
        """Makes the database cluster, if there is none yet."""
        self._binaries = self._reachable_binaries()
        if (self.data / "PG_VERSION").exists():
            return
        # What an interrupted first start left behind can't be used and holds nothing.
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700, parents=True)
        self._give_away(self.data)
        password = self._password_for_initdb()
        command = [
            self._program("initdb"),
            "--pgdata",
            str(self.data),
            "--username",
            SUPERUSER,
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--auth",
            "scram-sha-256",
            "--pwfile",
            str(password),
        ]
        if not self._settings.durable:
            command.append("--no-sync")
        try:
            result = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd="/",
                env=_clean_environment(),
                **Account.popen_arguments(self.account),
            )
        finally:
            password.unlink()
        if result.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise MeshError(
                "initdb could not make the database cluster",
                part="postgres",
                log=(result.stdout + result.stderr).decode(errors="replace"),
            )

    def command(self) -> list[str]:
        """The server in the foreground; loopback only, no socket file (their paths have a length limit)."""
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "100",
        }
        if not self._settings.durable:
            # A test suite opens many small databases at once.
            options |= {"fsync": "off", "full_page_writes": "off", "max_connections": "400"}
        return [
            self._program("postgres"),
            "-D",
            str(self.data),
            "-p",
            str(self._settings.ports.postgres),
            *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
        ]

    def environment(self) -> dict[str, str]:
        """The server's environment."""
        return _clean_environment()

    def obstacle(self) -> str | None:
        """None when the server answers queries, else what it says."""
        result = self._psql(["-c", "SELECT 1"], timeout=10)
        return None if result.returncode == 0 else result.stderr.decode(errors="replace").strip() or "no answer yet"

    def create_databases(self) -> None:
        """Databases, roles and rights, as databases.sql says."""
        # Variables go in as commands on standard input: on the command line every user could read the passwords.
        variables = "".join(f"\\set {secret} '{self._secrets.read(secret)}'\n" for secret in ROLE_SECRETS.values())
        script = (Path(__file__).parent / "databases.sql").read_text()
        result = self._psql(["-f", "-"], stdin=(variables + script).encode(), timeout=60)
        if result.returncode != 0:
            raise MeshError(
                "the databases could not be created",
                part="postgres",
                log=(result.stdout + result.stderr).decode(errors="replace"),
            )

    def url(self, role: str, database: str) -> str:
        """Where a service finds its database."""
        password = quote(self._secrets.read({**ROLE_SECRETS, SUPERUSER: "postgres_password"}[role]), safe="")
        return f"postgres://{role}:{password}@127.0.0.1:{self._settings.ports.postgres}/{database}"

    def wipe(self) -> None:
        """Throws the data away. The server must have been stopped."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self._fallback, ignore_errors=True)

    def _psql(
        self, arguments: Sequence[str], *, stdin: bytes = b"", timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        command = [
            self._program("psql"),
            "--no-psqlrc",
            "--quiet",
            "--no-password",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-p",
            str(self._settings.ports.postgres),
            "-U",
            SUPERUSER,
            "-d",
            "postgres",
            *arguments,
        ]
        environment = {
            **_clean_environment(),
            "PGPASSWORD": self._secrets.read("postgres_password"),
            "PGCONNECT_TIMEOUT": "5",
        }
        try:
            return subprocess.run(command, input=stdin, capture_output=True, env=environment, timeout=timeout, cwd="/")
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, b"", b"no answer in time")

    def _program(self, name: str) -> str:
        return str(self._binaries / name)

    def _give_away(self, folder: Path) -> None:
        if self.account is not None:
            os.chown(folder, self.account.user_id, self.account.group_id)

    def _password_for_initdb(self) -> Path:
        """A file for a moment: initdb reads it as the server's account, which may not read the secrets themselves."""
        file = self.data.with_name("initdb-password")
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(self._secrets.read("postgres_password") + "\n")
        self._give_away(file)
        return file

    def _place_data(self) -> Path:
        """Beside the rest of the mesh; elsewhere when the server's account can't get there (a checkout in /root)."""
        usual = self._settings.run_dir / "postgres"
        if self.account is None or _can(self.account, "-x", self._settings.run_dir):
            return usual
        return self._fallback / "data"

    def _reachable_binaries(self) -> Path:
        """The programs, or a copy of them where the server's account can run them."""
        binaries = self._settings.tools.postgres_bin
        if self.account is None or _can(self.account, "-x", binaries / "postgres"):
            return binaries
        package = binaries.resolve().parent.parent
        copy = self._fallback / "program"
        if not (copy / "complete").exists():
            _own_folder(self._fallback)
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(
                binaries.resolve().parent, copy / package.name / binaries.resolve().parent.name, symlinks=True
            )
            # Wheels keep shared libraries in a folder beside the package, and programs look for them there.
            libraries = package.with_name(package.name + ".libs")
            if libraries.is_dir():
                shutil.copytree(libraries, copy / libraries.name, symlinks=True)
            for path in (copy, *copy.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044 | _executable_bits(path)))
            (copy / "complete").touch()
        return copy / package.name / binaries.resolve().parent.name / "bin"


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    for name in ACCOUNT_CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise MeshError(
        f"Postgres does not run as root, and there is none of the accounts {', '.join(ACCOUNT_CANDIDATES)} to run it as",
        part="postgres",
    )


def _can(account: Account, test: str, path: Path) -> bool:
    """Asks the kernel, as that account: modes alone don't tell (mounts, ACLs, security modules)."""
    return (
        subprocess.run(
            ["/bin/sh", "-c", 'test "$1" "$2"', "sh", test, str(path)],
            cwd="/",
            **Account.popen_arguments(account),
        ).returncode
        == 0
    )


def _fallback_folder(run_dir: Path) -> Path:
    """One for each mesh, the same on every start."""
    digest = hashlib.sha256(str(run_dir).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"gatehouse-postgres-{os.geteuid()}-{digest}"


def _own_folder(folder: Path) -> None:
    """A folder under a world-writable one: used only if nobody else made it."""
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise MeshError(f"{folder} belongs to somebody else; remove it", part="postgres")
    folder.chmod(0o711)


def _executable_bits(path: Path) -> int:
    return 0o011 if path.stat().st_mode & 0o100 else 0


def _clean_environment() -> dict[str, str]:
    """No PG* variable of the caller may redirect what is done here."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
