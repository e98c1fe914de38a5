"""Takes two answers apart into the things in which they differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from .cases import Answer, Outcome


class Kind(Enum):
    """In what two answers differ."""

    LOOSER = "ours forwards what the native filter refuses"
    NATIVE_FAILS = "ours forwards what the native filter makes a request of that Envoy can't send (503)"
    STRICTER = "ours refuses what the native filter forwards"
    STATUS = "both refuse, with another status"
    CHALLENGE = "both refuse, with another challenge"
    TARGET = "both forward, with another path or query"
    HEADER = "both forward, with another header"
    BROKEN = "one of them ends the connection without an answer, or the upstream heard of a refused request"


@dataclass(frozen=True)
class Difference:
    """One thing in which two answers differ. `name` is that of the header, or of the challenge's parameter."""

    kind: Kind
    native: tuple[str, ...]
    ours: tuple[str, ...]
    name: str = ""

    def __str__(self) -> str:
        about = f" {self.name}" if self.name else ""
        return f"{self.kind.name}{about}: native {list(self.native)}, ours {list(self.ours)}"


def differences(outcome: Outcome) -> list[Difference]:
    """All of them; an empty list is agreement."""
    native, ours = outcome.native, outcome.ours
    broken = [answer for answer in (native, ours) if _is_broken(answer)]
    if broken and not (native.status == ours.status == 0):
        return [Difference(Kind.BROKEN, (_state(native),), (_state(ours),))]
    if native.forwarded and ours.forwarded:
        return _as_they_arrived(native, ours)
    if native.forwarded != ours.forwarded:
        kind = Kind.STRICTER if native.forwarded else Kind.NATIVE_FAILS if _status(native) in _FAILURES else Kind.LOOSER
        return [Difference(kind, (_state(native),), (_state(ours),))]
    found = _challenges(native.values("www-authenticate"), ours.values("www-authenticate"))
    if _status(native) != _status(ours):
        found.append(Difference(Kind.STATUS, _status(native), _status(ours)))
    return found


_PARAMETER = re.compile(r'(?:^Bearer |, )([a-z_]+)="([^"]*)"')


def _challenges(native: list[str], ours: list[str]) -> list[Difference]:
    """By parameter, where both are one Bearer challenge each."""
    if native == ours:
        return []
    one, other = (_parameters(challenges) for challenges in (native, ours))
    if one is None or other is None:
        return [Difference(Kind.CHALLENGE, tuple(native), tuple(ours))]
    return [
        Difference(Kind.CHALLENGE, _present(one.get(name)), _present(other.get(name)), name)
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]


def _parameters(challenges: list[str]) -> dict[str, str] | None:
    if len(challenges) != 1 or not challenges[0].startswith("Bearer "):
        return None
    # The native filter escapes nothing in its realm, so this is how far a realm can be read.
    return dict(_PARAMETER.findall(challenges[0])) or None


def _present(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _as_they_arrived(native: Answer, ours: Answer) -> list[Difference]:
    one, other = native.arrived[0], ours.arrived[0]
    found = []
    if (one.method, one.target) != (other.method, other.target):
        found.append(Difference(Kind.TARGET, (one.method, one.target), (other.method, other.target)))
    headers = one.multiset(), other.multiset()
    for name in sorted(headers[0].keys() | headers[1].keys()):
        values = tuple(headers[0].get(name, ())), tuple(headers[1].get(name, ()))
        if values[0] != values[1]:
            found.append(Difference(Kind.HEADER, *values, name=name))
    return found


def _is_broken(answer: Answer) -> bool:
    return answer.status == 0 or len(answer.arrived) != (1 if answer.forwarded else 0)


_FAILURES = (("503",), ("200", "14"))


def _status(answer: Answer) -> tuple[str, ...]:
    """With gRPC's, where that is what the caller reads."""
    return (str(answer.status), *answer.values("grpc-status"))


def _state(answer: Answer) -> str:
    if answer.status == 0:
        return "no answer"
    state = "forwarded" if answer.forwarded else " ".join(_status(answer))
    return state if not _is_broken(answer) else f"{state}, upstream asked {len(answer.arrived)} times"
