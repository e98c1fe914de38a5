"""The command line: `python -m gate --rounds 5 --seconds 4`, as `make bench` calls it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from mesh.settings import ROOT, Tools

from .machine import BenchError
from .report import markdown, plot
from .rounds import complain, measure, say

BEGIN, END = "<!-- make bench writes from here -->", "<!-- to here -->"


def main() -> int:
    """Measures, and writes the report."""
    parser = argparse.ArgumentParser(prog="gate", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--plot", type=Path, default=ROOT / "docs" / "performance.svg")
    parser.add_argument("--record", type=Path, default=ROOT / ".gatehouse" / "bench.json")
    options = parser.parse_args()
    tools = Tools.from_environment(os.environ)
    try:
        measured = measure(tools.envoy, tools.plugin, options.rounds, options.seconds)
    except BenchError as error:
        return complain(error)
    options.record.write_text(json.dumps(measured.as_dict(), indent=1))
    table = markdown(measured)
    page = options.page.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    options.page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")
    options.plot.write_text(plot(measured))
    say(f"\n{table}\n\nwritten: {options.page}, {options.plot}; every sample: {options.record}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
