"""Generates requests for a configuration: good ones, and ones with one or two things that are out of the ordinary."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from . import mutations
from .cases import Case, Minted, Request
from .drafts import Draft, Mutation
from .keyring import KeyPair
from .mutations.claims import VALUED
from .places import Sending, put
from .plans import Plan, Provider, Rule, asks_for_several, providers_within
from .rules import CONNECT, with_query

HOUR = 3600
LARGEST_TOKEN = 8192
_SUBJECTS = ("user-1", "user-1", "user-2", "someone", "USER-1", "user-é", "user-")


@dataclass
class RequestGenerator:
    """Draws requests for one configuration."""

    plan: Plan
    rng: Random
    strangers: dict[str, KeyPair]
    now: int = field(default_factory=lambda: int(time.time()))
    _sent: deque[tuple[Minted, frozenset[str]]] = field(default_factory=lambda: deque(maxlen=20))

    def case(self, number: int) -> Case:
        """The next request."""
        rng = self.rng
        rule = rng.choice(self.plan.rules)
        near = bool(rule.near) and rng.random() < 0.12
        sending = Sending(rng, with_query(rng, rng.choice(rule.near if near else rule.matching)))
        if near:
            sending.traits.add("path.near")
        sending.headers += rule.headers
        for provider in self._providers(rule):
            self._add_token(sending, provider)
        self._add_surroundings(sending)
        self._become_tunnel(sending)
        request = Request(sending.method, sending.target(), tuple(sending.headers), sending.body)
        return Case(number, self.plan.configuration, request, frozenset(sending.traits), tuple(sending.tokens))

    def sweep(self, number: int) -> Iterator[Case]:
        """Every mutation with some of the first provider's keys that it goes with."""
        provider = self.plan.providers[0]
        for mutation in mutations.ALL:
            drafts = [self._draft(provider, key) for key in provider.keys]
            fitting = [draft for draft in drafts if mutation.applies(draft)]
            for draft in self.rng.sample(fitting, min(len(fitting), self.plan.sweep)):
                mutation.apply(draft)
                draft.traits.add(mutation.name)
                yield self._plain(number, provider, draft)
                number += 1

    def each_rule(self, number: int) -> Iterator[Case]:
        """Every rule with all that the plan has to ask."""
        for rule in self.plan.rules:
            for bearers in self.plan.bearers:
                sending = Sending(self.rng, rule.matching[0])
                for claims in bearers:
                    provider = self.plan.provider(claims["for"])
                    draft = self._draft(provider, provider.keys[claims["key"]])
                    draft.claims["aud"] = claims["aud"]
                    place = provider.places[0]
                    token = draft.token()
                    sending.headers.append((place.name, place.prefix + token))
                    sending.traits |= draft.traits
                    sending.tokens.append(Minted(provider.name, draft.header, draft.claims, str(place), token))
                request = Request("GET", sending.target(), tuple(sending.headers))
                yield Case(number, self.plan.configuration, request, frozenset(sending.traits), tuple(sending.tokens))
                number += 1

    def _plain(self, number: int, provider: Provider, draft: Draft) -> Case:
        """A request with nothing but a token."""
        token = draft.token()
        if len(token) > LARGEST_TOKEN:
            draft.traits.add("token.above-8-KiB")
        headers = (("host", "gate.example"), ("authorization", f"Bearer {token}"))
        minted = Minted(provider.name, draft.header, draft.claims, str(provider.places[0]), token)
        return Case(number, self.plan.configuration, Request("GET", "/", headers), frozenset(draft.traits), (minted,))

    def _providers(self, rule: Rule) -> list[Provider]:
        """For whom there will be tokens; mostly one that the rule asks for."""
        rng = self.rng
        wanted = [self.plan.provider(name) for name in providers_within(rule.requirement)] or list(self.plan.providers)
        draw = rng.random()
        if draw < 0.08:
            return []
        if draw < 0.35 and asks_for_several(rule.requirement):
            return [self.plan.provider(name) for name in sorted({provider.name for provider in wanted})]
        if draw < 0.80:
            return [rng.choice(wanted)]
        if draw < 0.85:
            return [rng.choice(self.plan.providers)]
        if draw < 0.95:
            return [wanted[0], *wanted[1:]][:2]
        return [rng.choice(self.plan.providers) for _ in range(2)]

    def _add_token(self, sending: Sending, provider: Provider) -> None:
        rng = self.rng
        if sent := [each for each in self._sent if each[0].provider == provider.name]:
            if rng.random() < 0.15:
                self._add_again(sending, provider, *rng.choice(sent))
                return
        draft = self._draft(provider)
        draw = rng.random()
        for _ in range(0 if draw < 0.3 else 1 if draw < 0.93 else 2):
            mutation = self._mutation(draft)
            mutation.apply(draft)
            draft.traits.add(mutation.name)
        token = draft.token()
        place = rng.choice(provider.places)
        if len(token) > LARGEST_TOKEN:
            draft.traits.add("token.above-8-KiB")
        sending.traits |= draft.traits
        minted = Minted(provider.name, draft.header, draft.claims, str(place), token)
        self._sent.append((minted, frozenset(draft.traits)))
        sending.tokens.append(minted)
        put(sending, place, token)

    def _add_again(self, sending: Sending, provider: Provider, minted: Minted, traits: frozenset[str]) -> None:
        """A token that was sent before, and may be remembered."""
        place = self.rng.choice(provider.places)
        sending.traits |= {"token.again", *traits}
        sending.tokens.append(replace(minted, place=str(place)))
        put(sending, place, minted.text)

    def _draft(self, provider: Provider, key: KeyPair | None = None) -> Draft:
        rng = self.rng
        key = key or rng.choice(provider.keys)
        algorithm = key.listed.get("alg") if key.listed.get("alg") in key.algorithms else rng.choice(key.algorithms)
        issuer = provider.issuer or rng.choice(("https://anyone.example", "https://issuer-0.example"))
        claims: dict[str, Any] = {
            "iss": issuer,
            "sub": rng.choice(_SUBJECTS),
            "exp": self.now + 5 * HOUR,
            "iat": self.now - 60,
            "jti": f"{rng.getrandbits(32):x}",
            "scope": "a.read b.write",
            "route": rng.choice(("blue", "green")),
            VALUED: "plain",
        }
        if provider.audiences:
            claims["aud"] = rng.choice(provider.audiences)
        elif rng.random() < 0.5:
            claims["aud"] = rng.choice(("aud-a", ["aud-b", "aud-c/"]))
        header = {"alg": algorithm, "kid": key.key_id, "typ": rng.choice(("JWT", "at+jwt"))}
        draft = Draft(header, claims, key, str(algorithm), rng, self.now, self.strangers[key.kind])
        # The same key may be listed by several providers, with flaws of its own in each of them.
        same = (known for each in self.plan.providers for known in each.keys if known.key_id == key.key_id)
        draft.traits |= key.flaws.union(*(known.flaws for known in same))
        return draft

    def _mutation(self, draft: Draft) -> Mutation:
        while True:
            mutation = self.rng.choices(mutations.ALL, _WEIGHTS)[0]
            if mutation.applies(draft):
                return mutation

    def _add_surroundings(self, sending: Sending) -> None:
        rng = self.rng
        draw = rng.random()
        if draw < 0.04:
            sending.method = "OPTIONS"
            sending.headers += [("origin", "https://app.example"), ("access-control-request-method", "PUT")]
            sending.traits.add("cors.preflight")
        elif draw < 0.06:
            sending.method = "OPTIONS"
            sending.headers += rng.choice(
                (
                    [],
                    [("origin", "https://app.example")],
                    [("origin", ""), ("access-control-request-method", "")],
                    [("access-control-request-method", "PUT")],
                    [("origin", "a"), ("access-control-request-method", "")],
                )
            )
            sending.traits.add("cors.no-preflight")
        elif draw < 0.10:
            sending.method = "POST"
            sending.headers.append(
                ("content-type", rng.choice(("application/grpc", "application/grpc+proto", "application/grpc-web")))
            )
            sending.traits.add("grpc")
        elif draw < 0.20:
            sending.method, sending.body = rng.choice(
                (("POST", "abc"), ("PUT", "x" * 2000), ("HEAD", ""), ("DELETE", ""), ("PATCH", "{}"), ("PURGE", ""))
            )
        if rng.random() < 0.25:
            self._forge(sending)
        if rng.random() < 0.1:
            sending.headers.append(("x-bytes", rng.choice(("\xff\xfe", "caf\xc3\xa9", "\x80", "a\tb", ""))))
            sending.traits.add("header.bytes")
        if rng.random() < 0.3:
            sending.headers.append(("x-tenant", rng.choice(("one", "One", "two", "", "none", "o\xffe"))))
            if rng.random() < 0.2:
                sending.headers.append(("X-Tenant", rng.choice(("two", ""))))
        if rng.random() < 0.1:
            sending.headers.append(("x-number", rng.choice(("5", "10", "abc", "-1", "+5", "05", "4.5", "99999999999999999999", ""))))
        if rng.random() < 0.1:
            sending.headers[0] = (
                "host",
                rng.choice(("gate.example:8080", "GATE.example", "[::1]:80", "a.b", "gate.example.")),
            )
        if rng.random() < 0.05:
            sending.headers.append(("cookie", "theme=dark; lang=en"))
        head = [sending.headers[0]]
        rest = sending.headers[1:]
        rng.shuffle(rest)
        sending.headers = head + rest

    def _become_tunnel(self, sending: Sending) -> None:
        """CONNECT where the path is none, and WebSocket upgrades."""
        if sending.path == CONNECT:
            sending.method, sending.body, sending.parameters = "CONNECT", "", []
            sending.traits.add("connect")
        elif sending.method == "GET" and self.rng.random() < 0.03 and not any(
            name == "connection" for name, _ in sending.headers
        ):
            sending.headers += [
                ("connection", "Upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "AQIDBAUGBwgJCgsMDQ4PEA=="),
            ]
            sending.traits.add("upgrade")

    def _forge(self, sending: Sending) -> None:
        """Copies of headers that some provider maps, as a client would forge them."""
        rng = self.rng
        mapped = sorted(self.plan.configuration.mapped_headers())
        if not mapped:
            return
        for name in rng.sample(mapped, min(len(mapped), rng.choice((1, 1, 2)))):
            spelling = rng.choice(
                (name, name, name, name.upper(), name.title(), name.replace("-", "_"), name.replace("-", "."))
            )
            sending.headers += [(spelling, rng.choice(("forged", "blue", "")))] * rng.choice((1, 1, 2))
            sending.traits.add("forged" if spelling.lower() == name else "forged.other-spelling")
        if rng.random() < 0.1:
            sending.headers.append(("connection", rng.choice(mapped)))
            sending.traits.add("forged.connection")


_WEIGHTS = [mutation.weight for mutation in mutations.ALL]
