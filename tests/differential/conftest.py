"""What these tests need of the build: Envoy and the plugin, no services."""

from __future__ import annotations

import os

import pytest
from mesh.settings import Tools


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
