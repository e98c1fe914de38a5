"""Configurations, as far as one can tell by whether the filters take them."""

from __future__ import annotations

import asyncio
import copy

import pytest
from mesh.settings import ROOT, Tools

from .bootstrap import NATIVE, OURS
from .cases import Configuration
from .deviations.configurations import CONFIGURATIONS, plain
from .features import FEATURES
from .lab import open_lab

REFUSALS = {refusal.name: refusal for deviation in CONFIGURATIONS for refusal in deviation.refusals}


async def _complaints(tools: Tools, configurations: list[Configuration]) -> dict[str, str]:
    async with open_lab(tools, configurations) as lab:
        return lab.refused


@pytest.fixture(scope="module")
def complaints(tools: Tools) -> dict[str, str]:
    """What is wrong with which listener; those without a complaint stand."""
    messages = {"plain": plain()}
    for name, change in [
        *((f"feature-{feature.name}", feature.probe) for feature in FEATURES.values()),
        *((name, refusal.change) for name, refusal in REFUSALS.items()),
    ]:
        messages[name] = copy.deepcopy(messages["plain"])
        change(messages[name])
    configurations = [Configuration(name, message) for name, message in messages.items()]
    return asyncio.run(_complaints(tools, configurations))


def test_the_plain_configuration_is_taken_by_both(complaints: dict[str, str]) -> None:
    assert not {f"{side}/plain" for side in (NATIVE, OURS)} & complaints.keys()


@pytest.mark.parametrize("name", FEATURES)
def test_the_table_of_features_says_what_ours_takes(complaints: dict[str, str], name: str) -> None:
    """A feature that begins to work has to be switched on, so that it is compared."""
    assert f"{NATIVE}/feature-{name}" not in complaints, complaints
    complaint = complaints.get(f"{OURS}/feature-{name}")
    if FEATURES[name].supported:
        assert complaint is None
    else:
        assert complaint is not None, f"ours takes {name} now: switch it on in features.py"
        assert "is not supported" in complaint or name == "claim_path", complaint


@pytest.mark.parametrize("name", REFUSALS)
def test_ours_refuses_on_purpose_and_says_why(complaints: dict[str, str], name: str) -> None:
    assert f"{NATIVE}/{name}" not in complaints, complaints
    assert REFUSALS[name].complaint in complaints.get(f"{OURS}/{name}", "(taken)")


def test_every_reason_to_refuse_a_configuration_has_its_row_on_the_page() -> None:
    rows = [line for line in (ROOT / "docs" / "differences.md").read_text().splitlines() if line.startswith("|")]
    assert not [entry.slug for entry in CONFIGURATIONS if not any(f"`{entry.slug}`" in row for row in rows)]
