"""Counts what came of a run: agreement, accepted differences by their entry, and the ones that nobody meant."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .cases import Outcome
from .compare import Difference, Kind, differences
from .deviations import TABLE, explanation

KEPT = 200
"""So many unexplained outcomes are kept for the report; all are counted."""


@dataclass(frozen=True)
class Unexplained:
    """An outcome that differs in things that no entry of the table covers."""

    outcome: Outcome
    differences: tuple[Difference, ...]

    @property
    def signature(self) -> frozenset[tuple[Kind, str]]:
        """What has to stay the same for a smaller case to show the same."""
        return frozenset((difference.kind, difference.name) for difference in self.differences)


def judge(outcome: Outcome) -> tuple[set[str], Unexplained | None]:
    """The slugs of the entries that explain an outcome, and what is left over."""
    slugs, left = set(), []
    for difference in differences(outcome):
        entry = explanation(outcome.case, difference)
        if entry is None:
            left.append(difference)
        else:
            slugs.add(entry.slug)
    return slugs, Unexplained(outcome, tuple(left)) if left else None


@dataclass
class Verdicts:
    """The tally of a run."""

    compared: int = 0
    agreed: int = 0
    forwarded_by_both: int = 0
    refused_by_both: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    traits: Counter[str] = field(default_factory=Counter)
    failed: set[int] = field(default_factory=set)
    """The numbers of the cases with unexplained differences."""
    kinds: Counter[Kind] = field(default_factory=Counter)
    unexplained: list[Unexplained] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Counts one comparison."""
        slugs, left = judge(outcome)
        self.compared += 1
        self.traits.update(outcome.case.traits)
        self.accepted.update(slugs)
        self.agreed += not slugs and left is None
        self.forwarded_by_both += outcome.native.forwarded and outcome.ours.forwarded
        self.refused_by_both += not outcome.native.forwarded and not outcome.ours.forwarded
        if left is not None:
            self.failed.add(outcome.case.number)
            self.kinds.update({difference.kind for difference in left.differences})
            # The worst come first into the report, wherever they come in the run.
            if len(self.unexplained) < KEPT or _is_looser(left):
                self.unexplained.append(left)

    @property
    def failures(self) -> int:
        """How many cases differ in what no entry explains."""
        return len(self.failed)

    def worst(self) -> list[Unexplained]:
        """The unexplained outcomes, those that let something through before the others, the simplest first."""
        return sorted(
            self.unexplained,
            key=lambda each: (
                not _is_looser(each),
                len(each.outcome.case.traits),
                len(each.outcome.case.tokens),
                each.outcome.case.number,
            ),
        )

    def summary(self) -> str:
        """The numbers, for people."""
        lines = [
            f"{self.compared} comparisons: {self.agreed} agree in everything, "
            f"{self.forwarded_by_both} are forwarded by both, {self.refused_by_both} refused by both",
            "accepted differences, in so many comparisons:",
            *(f"  {self.accepted[entry.slug]:6} {entry.slug}" for entry in TABLE),
        ]
        if self.failures:
            lines.append(f"{self.failures} comparisons differ and no entry of the table explains it:")
            lines += [f"  {count:6} {kind.name.lower()}: {kind.value}" for kind, count in self.kinds.most_common()]
        return "\n".join(lines)


def _is_looser(each: Unexplained) -> bool:
    return any(difference.kind is Kind.LOOSER for difference in each.differences)
