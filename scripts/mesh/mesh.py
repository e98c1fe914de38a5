"""The mesh as one thing: up, down, what runs."""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import probe
from .demo_users import ALICE, BOB, DEMO_USERS, DemoUser
from .errors import MeshError
from .parts import Part, PartList
from .postgres import Postgres
from .processes import ProcessTable, Record
from .secret_files import SecretFiles
from .settings import PORT_SETTINGS, Settings

# In the order of starting; stopping goes the other way round.
PART_NAMES = ("postgres", "token-issuer", "bank", "payment", "envoy")
POLL_SECONDS = 0.1
SAY_WHAT_IS_MISSING_EVERY_SECONDS = 5.0
LOG_LINES_SHOWN = 25

# SIGINT is Postgres' fast shutdown (end the sessions, write everything); SIGTERM would wait for clients.
STOP_SIGNALS: Mapping[str, signal.Signals] = {"postgres": signal.SIGINT}


@dataclass(frozen=True)
class Ready:
    """What a person needs to try a mesh that runs."""

    gateway_url: str
    gateway_tls_url: str
    # The authority that signed its certificate.
    authority: Path
    alice_account: str
    bob_account: str


class Mesh:
    """One mesh: the one of this checkout, or a private one of a test."""

    def __init__(self, settings: Settings, say: Callable[[str], None] | None = None) -> None:
        self.settings = settings
        self._say = say if say is not None else lambda line: print(line, flush=True)
        self._processes = ProcessTable(settings.run_dir / "parts")
        self._logs = settings.run_dir / "logs"
        self._began = time.monotonic()

    # ---- what a person asks for --------------------------------------------------------------------------------------

    def up(self) -> Ready:
        """Starts what does not run yet and waits until all of it works."""
        self.settings.tools.check()
        self._prepare_run_dir()
        with self._lock():
            self._began = time.monotonic()
            started: list[str] = []
            try:
                self._start_all(started)
                return self._try_it()
            except BaseException:
                if started:
                    self._tell(f"stopping what was started: {', '.join(started)}")
                    self._stop(started)
                raise

    def down(self, *, wipe: bool = False) -> list[str]:
        """Stops everything; gives the names of what ran. The data stays unless `wipe`."""
        run_dir = self.settings.run_dir
        if not run_dir.exists():
            return []
        with self._lock():
            stopped = self._stop(PART_NAMES)
            if wipe:
                Postgres(self.settings, self._secrets()).wipe()
                # The lock file is in it too: what is left for a waiting second command is an empty place.
                shutil.rmtree(run_dir, ignore_errors=True)
        return stopped

    def status(self) -> dict[str, str]:
        """For each part: 'ready', 'not running', or what it lacks."""
        if not self.settings.run_dir.exists():
            return {name: "not running" for name in PART_NAMES}
        states: dict[str, str] = {}
        for name in PART_NAMES:
            if self._processes.find(name) is None:
                states[name] = "not running"
            else:
                states[name] = self._part(name).obstacle() or "ready"
        return states

    def log_files(self, name: str) -> list[Path]:
        """Where a part writes."""
        return [path for path in (self._log(name), self._access_log(name)) if path.exists()]

    # ---- one part at a time (tests stop and start single parts) ------------------------------------------------------

    def stop_part(self, name: str) -> None:
        """Stops one part and leaves the others alone."""
        self._stop([name])

    def start_part(self, name: str) -> None:
        """Starts one part again and waits for it."""
        part = self._part(name)
        self._start(part)
        self._wait(part)

    def pids(self) -> dict[str, int]:
        """The processes that run."""
        found = {name: self._processes.find(name) for name in PART_NAMES}
        return {name: record.pid for name, record in found.items() if record is not None}

    # ---- starting ----------------------------------------------------------------------------------------------------

    def _start_all(self, started: list[str]) -> None:
        secrets = self._secrets()
        postgres = Postgres(self.settings, secrets)
        parts = PartList(self.settings, secrets, postgres)
        if self._processes.find("postgres") is None:
            self._check_ports(["postgres"])
            first_time = not (postgres.data / "PG_VERSION").exists()
            self._tell("making the database cluster" if first_time else "starting postgres")
            postgres.prepare()
        else:
            postgres.prepare()
        server, services, gateway = parts.postgres(), parts.services(), parts.envoy()
        wanted = [part for part in (server, *services, gateway) if self._is_wanted(part)]
        if not wanted:
            self._tell("everything is already running")
            return
        # Every port before any start: a person with several ports in use learns of all of them at once.
        self._check_ports([port for part in wanted for port, _ in part.listens if port != "postgres"])
        if server in wanted:
            self._bring_up([server], started)
        if any(part in wanted for part in (server, *services)):
            self._prepare_databases(postgres, parts)
        self._bring_up([part for part in services if part in wanted], started)
        if gateway in wanted:
            self._bring_up([gateway], started)

    def _is_wanted(self, part: Part) -> bool:
        """Whether it has to be started; a part that would run differently now is stopped first."""
        record = self._processes.find(part.name)
        if record is None:
            return True
        if record.fingerprint == part.fingerprint():
            return False
        self._tell(f"{part.name} changed since it was started, starting it again")
        self._stop([part.name])
        return True

    def _bring_up(self, parts: Sequence[Part], started: list[str]) -> None:
        for part in parts:
            started.append(part.name)
            self._start(part)
        for part in parts:
            self._wait(part)

    def _start(self, part: Part) -> Record:
        log = self._log(part.name)
        try:
            return self._processes.start(
                part.name,
                part.command,
                environment=part.environment,
                fingerprint=part.fingerprint(),
                stdout=self._access_log(part.name) if part.separate_access_log else log,
                stderr=log,
                account=part.account,
            )
        except OSError as error:
            raise MeshError(f"{part.command[0]} can't be started: {error.strerror}", part=part.name) from error

    def _wait(self, part: Part) -> None:
        deadline = time.monotonic() + part.patience_seconds
        next_word = time.monotonic() + SAY_WHAT_IS_MISSING_EVERY_SECONDS
        while True:
            obstacle = part.obstacle()
            if self._processes.find(part.name) is None:
                raise MeshError("it ended while it was starting", part=part.name, log=self._log_end(part.name))
            if obstacle is None:
                where = " and ".join(
                    f"{address}:{getattr(self.settings.ports, port)}" for port, address in part.listens
                )
                self._tell(f"{part.name} is ready on {where}")
                return
            if time.monotonic() > deadline:
                raise MeshError(
                    f"it is not ready after {part.patience_seconds:.0f} s: {obstacle}",
                    part=part.name,
                    log=self._log_end(part.name),
                )
            if time.monotonic() > next_word:
                self._tell(f"waiting for {part.name}: {obstacle}")
                next_word += SAY_WHAT_IS_MISSING_EVERY_SECONDS
            time.sleep(POLL_SECONDS)

    def _check_ports(self, names: Sequence[str]) -> None:
        obstacles = []
        for name in names:
            port = getattr(self.settings.ports, name)
            address = self.settings.bind if name in ("gateway", "gateway_tls") else "127.0.0.1"
            obstacle = probe.port_obstacle(address, port)
            if obstacle is not None:
                setting = PORT_SETTINGS[name]
                obstacles.append(f"port {port} {obstacle}; another one: {setting}={port + 1000} make up (or in .env)")
        if obstacles:
            raise MeshError("\n  ".join(obstacles))

    # ---- databases and users -----------------------------------------------------------------------------------------

    def _prepare_databases(self, postgres: Postgres, parts: PartList) -> None:
        postgres.create_databases()
        tools = self.settings.tools
        self._run(
            "token-issuer", [tools.token_issuer, "migrate"], parts.token_issuer_environment("gatehouse_issuer_owner")
        )
        self._run("bank", [tools.demo, "migrate"], parts.demo_environment("gatehouse_demo_owner"))
        self._tell("the databases are ready")
        for user in DEMO_USERS:
            self._seed(user, parts)
        self._tell(f"the users are ready: {', '.join(user.name for user in DEMO_USERS)}")

    def _seed(self, user: DemoUser, parts: PartList) -> None:
        created = self._run(
            "token-issuer",
            [
                self.settings.tools.token_issuer,
                "users",
                "create",
                user.name,
                "--password-stdin",
                "--if-absent",
                "--scope",
                user.scope,
            ],
            parts.token_issuer_environment("gatehouse_issuer"),
            stdin=user.password,
        )
        try:
            user_id = str(json.loads(created.splitlines()[-1])["id"])
        except (IndexError, ValueError, KeyError, TypeError) as error:
            raise MeshError(
                f"`users create {user.name}` did not answer with a user", part="token-issuer", log=created
            ) from error
        self._run(
            "bank",
            [
                self.settings.tools.demo,
                "seed",
                "--owner",
                user_id,
                "--name",
                user.name,
                "--balance",
                str(user.opening_balance),
                "--currency",
                user.currency,
            ],
            parts.demo_environment("gatehouse_demo"),
        )

    def _run(self, part: str, command: Sequence[Path | str], environment: Mapping[str, str], *, stdin: str = "") -> str:
        """A command that does one thing and ends; gives what it printed."""
        words = [str(word) for word in command]
        try:
            result = subprocess.run(
                words, input=stdin, env=dict(environment), cwd="/", capture_output=True, text=True, timeout=120
            )
        except subprocess.TimeoutExpired as error:
            raise MeshError(f"`{' '.join(words[1:])}` did not end within 120 s", part=part) from error
        if result.returncode != 0:
            raise MeshError(
                f"`{' '.join(words[1:])}` failed with exit code {result.returncode}",
                part=part,
                log=_last_lines(result.stdout + result.stderr),
            )
        return result.stdout

    # ---- the first requests ------------------------------------------------------------------------------------------

    def _try_it(self) -> Ready:
        """Logs in and asks the bank, through the gate: only then is the whole chain (keys included) known to work."""
        secrets = self._secrets()
        tls = PartList(self.settings, secrets, Postgres(self.settings, secrets)).tls()
        accounts = {user.name: self._first_account(user, tls.authority) for user in (ALICE, BOB)}
        self._tell("a token from the issuer opens the bank through the gate")
        return Ready(
            gateway_url=self.settings.gateway_tls_url if self.settings.http_redirect else self.settings.gateway_url,
            gateway_tls_url=self.settings.gateway_tls_url,
            authority=tls.authority,
            alice_account=accounts[ALICE.name],
            bob_account=accounts[BOB.name],
        )

    def _first_account(self, user: DemoUser, authority: Path) -> str:
        deadline = time.monotonic() + 60.0
        obstacle = ""
        while time.monotonic() < deadline:
            port = self.settings.ports.gateway_tls
            login = probe.request(
                port,
                "/api/token/",
                method="POST",
                body={"username": user.name, "password": user.password},
                authority=authority,
            )
            found = login.json() if login is not None else None
            if login is None or login.status != 200 or not isinstance(found, dict):
                obstacle = _describe("POST /api/token/", login)
                if login is not None and login.status == 401:
                    break
            else:
                headers = {"authorization": f"Bearer {found['access']}"}
                accounts = probe.request(port, "/bank/accounts/", headers=headers, authority=authority)
                document = accounts.json() if accounts is not None else None
                if accounts is not None and accounts.status == 200 and isinstance(document, dict):
                    return str(document["accounts"][0]["id"])
                obstacle = _describe("GET /bank/accounts/", accounts)
            time.sleep(POLL_SECONDS)
        raise MeshError(
            f"everything runs, but {user.name} does not get through the gate: {obstacle}",
            part="envoy",
            log=self._log_end("envoy"),
        )

    # ---- small things ------------------------------------------------------------------------------------------------

    def _part(self, name: str) -> Part:
        secrets = self._secrets()
        postgres = Postgres(self.settings, secrets)
        postgres.prepare()
        parts = PartList(self.settings, secrets, postgres)
        return {part.name: part for part in (parts.postgres(), *parts.services(), parts.envoy())}[name]

    def _stop(self, names: Sequence[str]) -> list[str]:
        stopped = []
        for name in sorted(names, key=PART_NAMES.index, reverse=True):
            if self._processes.stop(name, with_signal=STOP_SIGNALS.get(name, signal.SIGTERM)):
                stopped.append(name)
        return stopped

    def _prepare_run_dir(self) -> None:
        run_dir = self.settings.run_dir
        run_dir.mkdir(parents=True, exist_ok=True)
        # Others may pass through it (Postgres' account has its data there) but not look around.
        run_dir.chmod(0o711)
        self._logs.mkdir(mode=0o700, exist_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Two commands at once would start everything twice."""
        with open(self.settings.run_dir / "lock", "w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._tell("another `up` or `down` is at work, waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _secrets(self) -> SecretFiles:
        return SecretFiles(self.settings.run_dir / "secrets")

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _access_log(self, name: str) -> Path:
        return self._logs / f"{name}.access.log"

    def _log_end(self, name: str) -> str:
        try:
            return _last_lines(self._log(name).read_text(errors="replace"))
        except FileNotFoundError:
            return ""

    def _tell(self, text: str) -> None:
        self._say(f"  [{time.monotonic() - self._began:5.1f} s] {text}")


def _last_lines(text: str) -> str:
    return "\n".join(text.splitlines()[-LOG_LINES_SHOWN:])


def _describe(what: str, answer: probe.Answer | None) -> str:
    if answer is None:
        return f"{what}: no answer"
    return f"{what} answers {answer.status} {answer.body[:300].decode(errors='replace')}"
