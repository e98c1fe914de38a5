"""The deliberate differences between the two filters: the only ones that are accepted, each counted and shown.

`docs/differences.md` has a row for each, under the same slug.
"""

from __future__ import annotations

from ..cases import Case
from ..compare import Difference, Kind
from .answers import ANSWERS
from .deviation import Deviation
from .forwarding import FORWARDING
from .places import PLACES
from .tokens import TOKENS

# In this order: the first that explains a difference is the one that is counted.
TABLE: tuple[Deviation, ...] = (*ANSWERS, *FORWARDING, *PLACES, *TOKENS)


def explanation(case: Case, difference: Difference) -> Deviation | None:
    """The entry that a difference is due to. Few explain that ours forwards what native does not."""
    for deviation in TABLE:
        if difference.kind is Kind.LOOSER and not deviation.looser:
            continue
        if deviation.covers(case, difference):
            return deviation
    return None


def as_markdown() -> str:
    """The table for the documentation."""
    rows = [
        f"| `{entry.slug}` | {entry.native} | {entry.ours} | {entry.why} |"
        for entry in sorted(TABLE, key=lambda entry: entry.slug)
    ]
    return "\n".join(["| id | native `jwt_authn` | Gatehouse | why |", "|---|---|---|---|", *rows])


__all__ = ["TABLE", "Deviation", "as_markdown", "explanation"]
