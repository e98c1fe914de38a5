"""Secrets of a mesh: made at its first start, kept in files that only their owner may read.

Nothing secret has a default value, so that no two installations share one.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path


class SecretFiles:
    """A folder with one secret in each file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """The file of a 32-byte secret (hexadecimal), which is made if it does not exist yet."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / name
        try:
            # O_EXCL: two starts at once agree on one secret; the mode holds from the first byte on.
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return file
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_hex(32) + "\n")
        return file

    def read(self, name: str) -> str:
        """The secret itself."""
        return self.path(name).read_text().strip()
