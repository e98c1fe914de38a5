"""Whether the differential test notices anything: ours gets another configuration than the native filter, in a
different way for each of the generated ones, and each has to show.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any

import pytest
from mesh.settings import Tools

from .bootstrap import Tamper
from .cases import Configuration
from .run import NUMBERS_PER_CONFIGURATION, Result, Settings, run

Message = dict[str, Any]


def _in_every_provider(**fields: Any) -> Callable[[Message], None]:
    def change(message: Message) -> None:
        for provider in message["providers"].values():
            for name, value in fields.items():
                if value is None:
                    provider.pop(name, None)
                else:
                    provider[name] = value

    return change


def _require_nothing(message: Message) -> None:
    for rule in message["rules"]:
        rule.pop("requires", None)
        rule.pop("requirement_name", None)


def _forget_the_first_rule(message: Message) -> None:
    message["rules"].pop(0)


def _forgive(message: Message) -> None:
    for rule in message["rules"]:
        if "requires" in rule:
            rule["requires"] = {"allow_missing_or_failed": {}}


def _other_case(message: Message) -> None:
    for rule in message["rules"]:
        rule["match"]["case_sensitive"] = not rule["match"].get("case_sensitive", True)


def _flip(name: str) -> Callable[[Message], None]:
    return lambda message: message.update({name: not message.get(name, False)})


def _swap_forwarding(message: Message) -> None:
    for provider in message["providers"].values():
        provider["forward"] = not provider.get("forward", False)


TAMPERINGS: dict[str, Callable[[Message], None]] = {
    "no audiences": _in_every_provider(audiences=None),
    "another audience": _in_every_provider(audiences=["nobody"]),
    "no issuer": _in_every_provider(issuer=None),
    "a skew of a day": _in_every_provider(clock_skew_seconds=86_400),
    "no claims to headers": _in_every_provider(claim_to_headers=None),
    "a short lifetime": _in_every_provider(max_lifetime="3600s"),
    "another payload header": _in_every_provider(forward_payload_header="x-other-payload"),
    "no requirement": _require_nothing,
    "one rule less": _forget_the_first_rule,
    "all is forgiven": _forgive,
    "the other case": _other_case,
    "preflights the other way round": _flip("bypass_cors_preflight"),
    "answers the other way round": _flip("strip_failure_response"),
    "forwarding the other way round": _swap_forwarding,
}


CONFIGURATIONS = 10 * len(TAMPERINGS)
EACH = 80


def _tamper() -> Tamper:
    """Each way is gone for several configurations: not every way shows with every one of them."""
    ways = list(TAMPERINGS.values())

    def change(configuration: Configuration) -> Message:
        message = copy.deepcopy(configuration.message)
        if configuration.name.startswith("c"):
            ways[int(configuration.name.removeprefix("c")) % len(ways)](message)
        return message

    return change


@pytest.fixture(scope="module")
def result(tools: Tools) -> Result:
    settings = Settings(seed=7, cases=EACH * CONFIGURATIONS, per_configuration=EACH, sweep=False)
    return asyncio.run(run(settings, tools, tamper=_tamper()))[0]


@pytest.mark.parametrize(("index", "way"), list(enumerate(TAMPERINGS)))
def test_a_filter_that_is_configured_otherwise_is_noticed(result: Result, index: int, way: str) -> None:
    noticed = {number // NUMBERS_PER_CONFIGURATION % len(TAMPERINGS) for number in result.verdicts.failed}
    assert index in noticed, f"{way}: nobody noticed"
