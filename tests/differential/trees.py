"""Trees of requirements."""

from __future__ import annotations

from random import Random

from .features import supported
from .plans import Requirement

AUDIENCES = (
    "aud-a",
    "aud-b",
    "https://api.example",
    "https://api.example/",
    "http://other.example/v1/",
    "api.example",
    "aud-c/",
)


class Trees:
    """Draws requirements."""

    def __init__(self, rng: Random, providers: list[str], *, allowances: bool) -> None:
        self._rng = rng
        self._providers = providers
        self._allowances = allowances

    def draw(self, depth: int = 0) -> Requirement:
        """A requirement, seldom deeper than two."""
        rng = self._rng
        group = depth < 3 and rng.random() < (0.5 if depth == 0 else 0.2)
        if group:
            form = rng.choice(("requires_any", "requires_any", "requires_all"))
            return {form: {"requirements": [self.draw(depth + 1) for _ in range(rng.choice((2, 2, 3)))]}}
        draw = rng.random()
        if self._allowances and draw < 0.15:
            return {"allow_missing": {}}
        if self._allowances and draw < 0.27:
            return {"allow_missing_or_failed": {}}
        if self._allowances and supported("extract_only_without_validation") and draw < 0.33:
            name = rng.choice((None, None, "X-Status", "-"))
            return {"extract_only_without_validation": {"verification_status_header": name} if name else {}}
        name = rng.choice(self._providers)
        if draw < 0.45:
            return {
                "provider_and_audiences": {
                    "provider_name": name,
                    "audiences": rng.sample(AUDIENCES, rng.choice((1, 2))),
                }
            }
        return {"provider_name": name}


    def draw_contested(self) -> Requirement:
        """A requirement of the first two providers, which are of one issuer: what the first has refused may be asked
        for once more, beside or behind it. Not always: else any.
        """
        rng = self._rng
        if rng.random() < 0.5:
            return self.draw()
        first, second = rng.sample(self._providers[:2], 2)
        return rng.choice(shapes(first, second, rng.choice(self._providers)))


def shapes(first: str, second: str, third: str) -> tuple[Requirement, ...]:
    """Requirements in which the first two providers may be asked for the same token."""
    one, two, three = ({"provider_name": name} for name in (first, second, third))
    return (
        _any(one, two),
        _any(_all(one, three), two),
        _any(_all(three, one), two),
        _all(_any(one, two), three),
        _all(_any(one, two), two),
        _all(two, _any(one, two)),
        _any(_all(_any(one, two), three), two),
        _any(_all(one, three), _all(two, three)),
        _all(_any(_all(one, three), two), three),
        _all(_any(_all(one, three), two), two),
        _any(_all(one, three), _any(three, two)),
        _any(_any(_all(one, three), three), two),
    )


def _any(*parts: Requirement) -> Requirement:
    return {"requires_any": {"requirements": list(parts)}}


def _all(*parts: Requirement) -> Requirement:
    return {"requires_all": {"requirements": list(parts)}}
