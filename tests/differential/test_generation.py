"""The same seed makes the same run, in another process too."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

from .run import Script, Settings

SEED = 5


def digest() -> str:
    """Of all that is drawn. Tokens themselves hold the time of day, and RSA-PSS draws its own salt."""
    script = Script(Settings(SEED, 2000))
    digest = hashlib.sha256()
    for case in script.all_cases(list(range(len(script.plans)))):
        names = [name for name, _ in case.request.headers]
        digest.update(repr((case.number, sorted(case.traits), case.request.method, names)).encode())
    for plan in script.plans:
        digest.update(repr(plan.configuration.message).encode())
    return digest.hexdigest()


def test_a_seed_stands_for_a_run_whatever_the_process() -> None:
    program = "from differential.test_generation import digest; print(digest())"
    elsewhere = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert elsewhere == [digest()] * 2


def test_another_seed_stands_for_another_run() -> None:
    messages = [[plan.configuration.message for plan in Script(Settings(seed, 400)).plans] for seed in (1, 2)]
    assert messages[0] != messages[1]
