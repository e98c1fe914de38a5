"""The table of deliberate differences, and the page that tells users about them."""

from __future__ import annotations

import re

from mesh.settings import ROOT

from .deviations import TABLE

PAGE = ROOT / "docs" / "differences.md"


def test_every_entry_has_a_name_of_its_own_and_says_what_and_why() -> None:
    assert len({entry.slug for entry in TABLE}) == len(TABLE)
    for entry in TABLE:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.slug)
        assert entry.native and entry.ours and entry.why, entry.slug


def test_every_entry_has_its_row_on_the_page() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    missing = [entry.slug for entry in TABLE if not any(f"`{entry.slug}`" in row for row in rows)]
    assert not missing, f"{PAGE.name} has no row with these ids: {missing}"
