"""Runs the differential test by hand.

python -m differential run [--cases N] [--seed S]   compare; GATEHOUSE_SEED and GATEHOUSE_CASES do the same
python -m differential case SEED NUMBER [--small]   one case of a run once more, with fresh tokens
python -m differential replay FILE [--small]        a case that a failing run wrote down
python -m differential table                        the table of deliberate differences, in Markdown
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from itertools import islice
from pathlib import Path

from mesh.settings import ROOT, Tools

from .cases import Case
from .deviations import as_markdown
from .features import FEATURES
from .lab import open_lab
from .reduce import reduced
from .report import load, save, shown
from .run import NUMBERS_PER_CONFIGURATION, Result, Script, Settings, run
from .verdicts import Unexplained, judge

SHOWN = 5
LISTED = 40
FOLDER = ROOT / ".gatehouse" / "differential"


def main() -> int:
    """The exit status."""
    arguments = _arguments()
    tools = Tools.from_environment(os.environ)
    match arguments.command:
        case "run":
            settings = Settings.from_environment(seed=arguments.seed, cases=arguments.cases)
            return asyncio.run(_run(settings, tools))
        case "case":
            script = Script(
                Settings(
                    arguments.seed, (arguments.number // NUMBERS_PER_CONFIGURATION + 1) * Settings.per_configuration
                )
            )
            return asyncio.run(_once(tools, _case_of(script, arguments.number), small=arguments.small))
        case "replay":
            return asyncio.run(_once(tools, load(arguments.file), small=arguments.small))
    print(as_markdown())
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m differential", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("--cases", type=int, default=20_000)
    running.add_argument("--seed", type=int)
    once = commands.add_parser("case")
    once.add_argument("seed", type=int)
    once.add_argument("number", type=int)
    again = commands.add_parser("replay")
    again.add_argument("file", type=Path)
    for parser_of_one in (once, again):
        parser_of_one.add_argument("--small", action="store_true", help="look for a smaller case that shows the same")
    commands.add_parser("table")
    return parser.parse_args()


async def _run(settings: Settings, tools: Tools) -> int:
    print(f"seed {settings.seed} (GATEHOUSE_SEED={settings.seed} repeats this run), {settings.cases} cases")
    missing = [feature.name for feature in FEATURES.values() if not feature.supported]
    print(f"not generated, because ours does not take it: {', '.join(missing) or 'nothing'}", flush=True)
    result, _ = await run(settings, tools)
    print(f"{result.seconds:.0f} s")
    await tell(result, tools)
    return 0 if result.passed else 1


async def tell(result: Result, tools: Tools) -> None:
    """The numbers, and what failed in its smallest form."""
    print(result.verdicts.summary())
    for listener, why in result.refused.items():
        print(f"refused: {listener}: {why}")
    for line in result.crashes():
        print(f"crashed: {line}")
    print(
        "\n".join(
            f"case {found.outcome.case.number}: {', '.join(sorted(found.outcome.case.traits))}: {found.differences[0]}"
            for found in result.verdicts.worst()[:LISTED]
        )
    )
    for found in distinct(result.verdicts.worst())[:SHOWN]:
        smallest = await reduced(tools, found)
        print(f"\n{shown(smallest)}\n(python -m differential replay {save(smallest, FOLDER)})", flush=True)


def distinct(failures: list[Unexplained]) -> list[Unexplained]:
    """One of each sort: what differs, and what the rule asks for."""
    found: dict[object, Unexplained] = {}
    for each in failures:
        traits = frozenset(trait.split(".")[0] for trait in each.outcome.case.traits)
        found.setdefault((frozenset(kind for kind, _ in each.signature), traits), each)
    return list(found.values())


def _case_of(script: Script, number: int) -> Case:
    index, position = divmod(number, NUMBERS_PER_CONFIGURATION)
    return next(islice(script.cases(index), position, None))


async def _once(tools: Tools, case: Case, *, small: bool) -> int:
    async with open_lab(tools, [case.configuration]) as lab:
        if lab.refused:
            print(lab.refused)
            return 1
        outcome = await lab.compare(case)
    slugs, left = judge(outcome)
    print(shown(await reduced(tools, left) if left and small else left or Unexplained(outcome, ())))
    print(f"accepted: {', '.join(sorted(slugs)) or 'nothing'}; " + ("NOT explained" if left else "all explained"))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
