"""The measurement: every case in turn, round after round, so that what else the machine does meets all of them."""

from __future__ import annotations

import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.keys import Key, new_key

from . import variants
from .load import Sample, offer, write_all_tokens
from .machine import BenchError, Machine, cpu_nanoseconds, resident_bytes, version_of_envoy
from .server import Server
from .variants import Variant

ALGORITHMS = ("RS256", "ES256", "EdDSA")
# Twenty times the entries of a cache: it can remember a small part at most, whichever it keeps.
COLD_TOKENS = 20_000
HOT_TOKENS = 16
WARM_UP_SECONDS = 2.0


@dataclass(frozen=True)
class Case:
    """One bar of the report."""

    temperature: str
    algorithm: str
    variant: Variant

    @property
    def name(self) -> str:
        """For the record."""
        return f"{self.temperature} {self.algorithm} {self.variant.name}"


BASE = Case("hot", "RS256", variants.NONE)
FLOOR = Case("hot", "RS256", variants.FLOOR)
COLD = (variants.NATIVE, variants.GATEHOUSE, variants.GATEHOUSE_ALONE, variants.GATEHOUSE_CACHED)
HOT = (variants.NATIVE_CACHED, variants.GATEHOUSE_CACHED)
CASES = (
    BASE,
    FLOOR,
    *(Case("cold", algorithm, variant) for algorithm in ALGORITHMS for variant in COLD),
    *(Case("hot", algorithm, variant) for algorithm in ALGORITHMS for variant in HOT),
)


@dataclass(frozen=True)
class Start:
    """An Envoy with one filter, before the first request."""

    seconds: float
    cpu_seconds: float
    resident_bytes: int
    bytes_of_a_further_worker: float


@dataclass
class Measured:
    """Everything that was measured in one run."""

    machine: str
    envoy: str
    date: str
    rounds: int
    seconds: float
    plugin_bytes: int
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    # For each variant that is started alone.
    starts: dict[str, Start] = field(default_factory=dict)
    # Which part of the cold tokens a cache knew all the same.
    known_cold_tokens: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For the record."""
        samples = {name: [sample.as_dict() for sample in all_of] for name, all_of in self.samples.items()}
        starts = {name: asdict(start) for name, start in self.starts.items()}
        return {**vars(self), "samples": samples, "starts": starts}


def measure(envoy: Path, plugin: Path, rounds: int, seconds: float) -> Measured:
    """Measures, and tells how far it is."""
    machine = Machine.here()
    measured = Measured(
        machine=machine.name,
        envoy=version_of_envoy(envoy),
        date=time.strftime("%Y-%m-%d"),
        rounds=rounds,
        seconds=seconds,
        plugin_bytes=plugin.stat().st_size,
    )
    total = len(CASES) * (rounds * seconds + WARM_UP_SECONDS) + 60
    say(f"{len(CASES)} cases, {rounds} rounds of {seconds:g} s: about {total / 60:.0f} minutes on {machine.name}")
    with tempfile.TemporaryDirectory(prefix="gatehouse-tokens-") as folder:
        say(f"signing {COLD_TOKENS} tokens for each of {', '.join(ALGORITHMS)}")
        keys = [new_key(algorithm) for algorithm in ALGORITHMS]
        tokens = write_all_tokens(Path(folder), keys, {"cold": COLD_TOKENS, "hot": HOT_TOKENS})
        config = variants.bootstrap(variants.ALL, keys, plugin)
        with Server(envoy, machine, config) as server:
            _check_that_all_verify(server, tokens)
            _run(server, machine, tokens, measured)
        measured.starts = _starts(envoy, machine, keys, plugin)
    return measured


def say(line: str) -> None:
    """Progress, at once."""
    print(line, flush=True)


def _run(server: Server, machine: Machine, tokens: dict[tuple[str, str], Path], measured: Measured) -> None:
    def once(case: Case, seconds: float) -> Sample:
        return offer(server, machine, case.variant.name, tokens[case.algorithm, case.temperature], seconds)

    say("warming up: V8 compiles again what runs often")
    for case in CASES:
        once(case, WARM_UP_SECONDS)
    # Long enough to go round all of them, or it would be no wonder that none came twice.
    before = _judgements(server)
    once(Case("cold", "EdDSA", variants.GATEHOUSE_CACHED), 2 * WARM_UP_SECONDS + measured.seconds)
    known, unknown = (after - old for after, old in zip(_judgements(server), before, strict=True))
    measured.known_cold_tokens = known / max(1, known + unknown)
    for number in range(1, measured.rounds + 1):
        # Every second round runs backwards, so that no case always follows the same other one.
        for case in CASES if number % 2 else reversed(CASES):
            sample = once(case, measured.seconds)
            measured.samples.setdefault(case.name, []).append(sample)
            rate, spent = sample.requests_per_second, sample.cpu_microseconds
            title = f"{case.temperature} {case.algorithm} {case.variant.title}"
            say(f"  {number}/{measured.rounds}  {title:<42} {rate:>8.0f} requests/s {spent:>7.1f} us of CPU each")


def _judgements(server: Server) -> tuple[int, int]:
    """How many tokens a cache of ours knew so far, and how many it did not. Written once a second."""
    time.sleep(1.1)
    hits, misses = (server.counter(f"wasmcustom.gatehouse.jwt_cache_{name}") for name in ("hit", "miss"))
    return hits, misses


def _check_that_all_verify(server: Server, tokens: dict[tuple[str, str], Path]) -> None:
    """A filter that lets everything pass would be the fastest."""
    for variant in variants.ALL:
        expected = 200 if variant in (variants.NONE, variants.FLOOR) else 401
        for algorithm in ALGORITHMS:
            good = tokens[algorithm, "hot"].read_text().splitlines()[0]
            signed, _, signature = good.rpartition(".")
            forged = f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
            for token, status in ((good, 200), (forged, expected)):
                seen = _status(server.ports[variant.name], token)
                if seen != status:
                    raise BenchError(f"{variant.title} answers {seen} instead of {status} with {algorithm}")


def _status(port: int, token: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _starts(envoy: Path, machine: Machine, keys: Iterable[Key], plugin: Path) -> dict[str, Start]:
    """Each filter in an Envoy of its own: how long that takes to start, and what a further worker takes."""
    say("start times and memory")
    starts = {}
    few, many = 1, 5
    for variant in (variants.NONE, variants.NATIVE, variants.GATEHOUSE):
        config = variants.bootstrap([variant], keys, plugin)
        times, spent, resident = list[float](), list[int](), dict[int, int]()
        for workers in (few, many, few):
            with Server(envoy, machine, config, workers=workers) as server:
                resident[workers] = resident_bytes(server.process.pid)
                if workers == few:
                    spent.append(cpu_nanoseconds(server.process.pid))
                    times.append(server.seconds_to_start)
        further = (resident[many] - resident[few]) / (many - few)
        starts[variant.name] = Start(min(times), min(spent) / 1e9, resident[few], further)
    return starts


def complain(error: BenchError) -> int:
    """Says what is wrong, for a person."""
    print(f"bench: {error}", file=sys.stderr)
    return 1
