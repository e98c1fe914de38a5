"""What these tests need of the build: Envoy and the plugin, no services."""

from __future__ import annotations

import os

import pytest
from mesh.settings import Tools

from .run import Result


COMPARED = pytest.StashKey[list[Result]]()
"""The runs of this session, for its last lines."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was compared, and how to do it again."""
    for result in config.stash.get(COMPARED, []):
        terminalreporter.write_line(
            f"compared {result.verdicts.compared} requests in {result.seconds:.0f} s "
            f"(GATEHOUSE_SEED={result.settings.seed}): {result.verdicts.failures} differ without being meant to"
        )


@pytest.fixture(scope="session")
def tools() -> Tools:
    """What is under test. A missing artefact is a failure, never a skipped test."""
    found = Tools.from_environment(os.environ)
    missing = [
        f"{path}: {remedy}"
        for path, remedy in ((found.envoy, "make setup"), (found.plugin, "make filter"))
        if not path.exists()
    ]
    assert not missing, missing
    return found
