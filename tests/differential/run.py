"""A whole run: configurations and requests from a seed, compared and counted."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from mesh.settings import Tools

from .bootstrap import NATIVE, OURS, Tamper, untouched
from .cases import Case
from .configs import ConfigGenerator
from .lab import Lab, open_lab
from .plans import Plan
from .requests import RequestGenerator
from .sweep import sweep_plans
from .verdicts import Verdicts

THOROUGH = 10_000
"""From so many cases on, every mutation is sent with a key of every kind."""
NUMBERS_PER_CONFIGURATION = 100_000
"""A case's number is its configuration's, times this, and its own."""


def drawn_seed(environment: Mapping[str, str] = os.environ) -> int:
    """`GATEHOUSE_SEED`, or else one that nobody knows yet."""
    return int(environment.get("GATEHOUSE_SEED", secrets.randbelow(1 << 32)))


@dataclass(frozen=True)
class Settings:
    """What decides a run, but for the time of day."""

    seed: int
    cases: int
    per_configuration: int = 400
    sweep: bool = True
    """Whether every mutation is sent by itself before requests are drawn."""

    @staticmethod
    def from_environment(
        environment: Mapping[str, str] = os.environ, *, seed: int | None = None, cases: int = 20_000
    ) -> Settings:
        """`GATEHOUSE_SEED` and `GATEHOUSE_CASES` go before what the caller would like."""
        chosen = drawn_seed(environment) if seed is None else seed
        return Settings(int(environment.get("GATEHOUSE_SEED", chosen)), int(environment.get("GATEHOUSE_CASES", cases)))

    @property
    def configurations(self) -> int:
        """How many are drawn."""
        return max(4, self.cases // self.per_configuration)


@dataclass
class Script:
    """The configurations of a run and the requests to each, all from the seed."""

    settings: Settings
    plans: list[Plan] = field(init=False)
    generator: ConfigGenerator = field(init=False)
    now: int = field(default_factory=lambda: int(time.time()))

    def __post_init__(self) -> None:
        self.generator = ConfigGenerator(Random(self.settings.seed))
        drawn = [self.generator.plan(f"c{index}") for index in range(self.settings.configurations)]
        sweeps = sweep_plans(self.generator, thorough=self.settings.cases >= THOROUGH) if self.settings.sweep else []
        self.plans = [*drawn, *sweeps]

    def cases(self, index: int) -> Iterator[Case]:
        """The requests to one configuration, without end."""
        plan = self.plans[index]
        rng = Random(f"{self.settings.seed}/{plan.configuration.name}")
        requests = RequestGenerator(plan, rng, self.generator.strangers, self.now)
        number = index * NUMBERS_PER_CONFIGURATION
        if plan.sweep:
            yield from requests.sweep(number)
            return
        if plan.bearers:
            yield from requests.each_rule(number)
            return
        while True:
            yield requests.case(number)
            number += 1

    def all_cases(self, usable: list[int]) -> Iterator[Case]:
        """The sweep first, then as many from each drawn configuration as it takes."""
        sweeps = [index for index in usable if self.plans[index].is_sweep]
        drawn = [index for index in usable if not self.plans[index].is_sweep]
        left = self.settings.cases
        for index in sweeps:
            for case in self.cases(index):
                yield case
                left -= 1
                if left == 0:
                    return
        share, more = divmod(left, len(drawn))
        for position, index in enumerate(drawn):
            source = self.cases(index)
            for _ in range(share + (position < more)):
                yield next(source)


@dataclass
class Result:
    """What a run showed."""

    settings: Settings
    verdicts: Verdicts
    refused: dict[str, str]
    seconds: float
    log: str

    @property
    def passed(self) -> bool:
        """Whether everything was as it should be."""
        return not (self.verdicts.failures or self.refused or self.crashes())

    def crashes(self) -> list[str]:
        """Lines of Envoy's log that tell of a plugin that fell over."""
        return [line for line in self.log.splitlines() if "panicked" in line or "Function: proxy_on" in line]


async def run(settings: Settings, tools: Tools, *, tamper: Tamper = untouched) -> tuple[Result, Script]:
    """Compares. What a tampered configuration changes has to show."""
    script = Script(settings)
    verdicts = Verdicts()
    began = time.monotonic()
    async with open_lab(tools, [plan.configuration for plan in script.plans], tamper=tamper) as lab:
        usable = [index for index, plan in enumerate(script.plans) if _is_usable(lab, plan)]
        if usable:
            await lab.compare_all(script.all_cases(usable), verdicts.add)
        result = Result(settings, verdicts, dict(lab.refused), time.monotonic() - began, lab.envoy.log_text())
    return result, script


def _is_usable(lab: Lab, plan: Plan) -> bool:
    return all(lab.takes(side, plan.configuration) for side in (NATIVE, OURS))
