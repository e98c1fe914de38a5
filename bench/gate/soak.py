"""Memory over millions of requests: `python -m gate.soak --requests 3000000`, as `make soak` calls it.

More tokens than the cache takes go round and round, so that it is full and nearly every request throws one out; some
are forged, and some are no tokens. The process may use no more memory at the end than when the cache had just been
filled.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from harness.keys import new_key
from mesh.settings import Tools

from . import variants
from .load import drive, write_tokens
from .machine import BenchError, Machine, resident_bytes
from .report import MEBIBYTE
from .rounds import complain, say
from .server import Server

# The cache takes 10,000 tokens at most.
TOKENS = 24_000
# Every so many tokens one is forged, and one is none.
FORGED_EVERY, BROKEN_EVERY = 12, 50
SECONDS = 5.0
# A byte that is lost with each of the requests would be more.
MOST_GROWTH = 2 * MEBIBYTE


def soak(envoy: Path, plugin: Path, requests: int) -> None:
    """Offers the load and watches the memory."""
    machine = Machine.here()
    key = new_key("EdDSA")
    variant = variants.GATEHOUSE_DEFAULT
    with tempfile.TemporaryDirectory(prefix="gatehouse-tokens-") as folder:
        tokens = write_tokens(Path(folder) / "soak.txt", key, TOKENS)
        refused = _spoil(tokens)
        with Server(envoy, machine, variants.bootstrap([variant], [key], plugin)) as server:
            before = resident_bytes(server.process.pid)
            say(f"{before / MEBIBYTE:.1f} MiB before the first request")
            done, resident = 0, list[int]()
            while done < requests:
                told = drive(server, machine, variant.name, tokens, SECONDS)
                share = told["refused"] / told["requests"]
                if abs(share - refused) > 0.02:
                    raise BenchError(f"{share:.1%} of the requests were refused instead of {refused:.1%}")
                done += told["requests"]
                if done <= 2 * TOKENS:
                    continue  # The cache is not full yet.
                resident.append(resident_bytes(server.process.pid))
                entries = server.counter("wasmcustom.gatehouse.token_cache.entries")
                say(f"{done:>10,} requests  {resident[-1] / MEBIBYTE:6.1f} MiB  {entries} tokens remembered")
    if len(resident) < 8:
        raise BenchError("too few requests to tell anything; ask for more of them")
    quarter = len(resident) // 4
    early, late = median(resident[:quarter]), median(resident[-quarter:])
    say(
        f"{done:,} requests: {early / MEBIBYTE:.1f} MiB in the first quarter with the cache full, "
        f"{late / MEBIBYTE:.1f} MiB in the last; {max(resident) / MEBIBYTE:.1f} MiB at most"
    )
    if late - early > MOST_GROWTH:
        raise BenchError(f"the memory grew by {(late - early) / MEBIBYTE:.1f} MiB")


def _spoil(path: Path) -> float:
    """Forges and breaks some of the tokens; which part of them is refused now."""
    lines = path.read_text().splitlines()
    refused = 0
    for place, token in enumerate(lines):
        if place % FORGED_EVERY == 0:
            signed, _, signature = token.rpartition(".")
            lines[place] = f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
        elif place % BROKEN_EVERY == 1:
            lines[place] = token[: len(token) // 2]
        else:
            continue
        refused += 1
    path.write_text("".join(f"{line}\n" for line in lines))
    return refused / len(lines)


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="gate.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=3_000_000)
    options = parser.parse_args()
    tools = Tools.from_environment(os.environ)
    try:
        soak(tools.envoy, tools.plugin, options.requests)
    except BenchError as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
