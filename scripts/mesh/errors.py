"""The one way in which the mesh reports a failure to a person."""

from __future__ import annotations


class MeshError(Exception):
    """Something that a person has to act on; the text says what and, where it is known, how.

    `part` names the part of the mesh that failed, `log` holds its last lines.
    """

    def __init__(self, message: str, *, part: str | None = None, log: str = "") -> None:
        super().__init__(message)
        self.part = part
        self.log = log
