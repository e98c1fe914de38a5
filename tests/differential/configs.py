"""Generates configurations: providers, rules and trees of requirements."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from .bootstrap import KEYS
from .cases import Configuration
from .features import supported
from .keyring import KeyPair, new_pair
from .mutations.claims import VALUED
from .plans import DEFAULT_PLACES, Place, Plan, Provider, Requirement, Rule
from .rules import generate_rule, string_matcher

KINDS = ("P-256", "P-256", "P-256", "Ed25519", "Ed25519", "oct", "oct", "P-384", "P-521", "RSA", "RSA")
AUDIENCES = (
    "aud-a",
    "aud-b",
    "https://api.example",
    "https://api.example/",
    "http://other.example/v1/",
    "api.example",
    "aud-c/",
)
MAPPED_CLAIMS = (
    ("sub", "sub"),
    ("value", VALUED),
    ("value", VALUED),
    ("deep", f"{VALUED}.deep.er"),
    ("scope", "scope"),
    ("route", "route"),
    ("iss", "iss"),
    ("exp", "exp"),
    ("aud", "aud"),
    ("nothing", "nothing"),
    ("deepest", f"{VALUED}.deep.er.a"),
)


UNUSABLE = {"jwk.use-enc", "jwk.key-ops-sign", "jwk.wrong-alg", "jwk.small-rsa"}
"""Flaws for which ours leaves a key out."""


class ConfigGenerator:
    """Draws configurations. All of them share one set of keys, because RSA keys are dear."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._pool = [new_pair(kind, rng) for kind in KINDS]
        self._small_rsa = new_pair("RSA", rng, size=1024)
        self._short_secret = new_pair("oct", rng, size=128)
        self.strangers = {kind: new_pair(kind, rng) for kind in dict.fromkeys(KINDS)}

    def one_of_each(self) -> list[KeyPair]:
        """A key of each kind, listed as it should be."""
        found = {key.kind: key for key in reversed(self._pool)}
        return [
            key if "alg" in key.listed else replace(key, listed={**key.listed, "alg": key.algorithms[0]})
            for key in found.values()
        ]

    def plan(self, name: str) -> Plan:
        """The next configuration."""
        rng = self._rng
        # Which of two providers of one issuer an allowance asks is a matter of hashing to the native filter, so issuers
        # are shared in configurations without allowances only.
        shared = rng.random() < 0.15
        providers = self._providers(shared=shared)
        names = [provider.name for provider in providers]
        tree = Trees(rng, names, allowances=not shared)
        named = {f"named-{index}": tree.draw() for index in range(2)}
        rules = [generate_rule(rng, index, tree.draw, named) for index in range(rng.randint(6, 12))]
        if rng.random() < 0.3:
            rules.append(catch_all(tree.draw() if rng.random() < 0.8 else None))
        message: dict[str, Any] = {
            "providers": {provider.name: provider.message for provider in providers},
            "rules": [rule.message for rule in rules],
            "requirement_map": named,
            "bypass_cors_preflight": rng.random() < 0.5,
            "strip_failure_response": rng.random() < 0.15,
        }
        if rng.random() < 0.3:
            message["stat_prefix"] = f"s{rng.randrange(100)}"
        key_sets = {provider.published: provider.key_set() for provider in providers if provider.published}
        return Plan(Configuration(name, message, key_sets), tuple(providers), tuple(rules))

    def _providers(self, *, shared: bool) -> list[Provider]:
        rng = self._rng
        count = rng.randint(2, 4)
        issuers = [f"https://issuer-{index}.example" for index in range(count)]
        if rng.random() < 0.3:
            issuers[0] += "/"
        if rng.random() < 0.3:
            issuers[rng.randrange(count)] = ""
        if shared:
            issuers[1] = issuers[0]
        return [self._provider(f"p{index}", issuer, index) for index, issuer in enumerate(issuers)]

    def _provider(self, name: str, issuer: str, index: int) -> Provider:
        rng = self._rng
        keys = self._keys()
        audiences = tuple(rng.sample(AUDIENCES, rng.choice((0, 0, 1, 1, 2, 3))))
        places, fields = self._places(index)
        message: dict[str, Any] = dict(fields)
        if issuer:
            message["issuer"] = issuer
        if audiences:
            message["audiences"] = list(audiences)
        if rng.random() < 0.4:
            message["forward"] = True
        if rng.random() < 0.4:
            message["forward_payload_header"] = rng.choice((f"x-payload-{index}", "x-payload", "X-Payload"))
            message["pad_forward_payload_header"] = rng.random() < 0.5
        if rng.random() < 0.3:
            message["require_expiration"] = True
        if rng.random() < 0.2:
            message["max_lifetime"] = rng.choice(("86400s", "172800s", "36000.5s"))
        if rng.random() < 0.3:
            message["clock_skew_seconds"] = rng.choice((1, 30, 36_000, 7 * 3600))
        if rng.random() < 0.2:
            message["clear_route_cache"] = True
        if supported("subjects") and rng.random() < 0.25:
            message["subjects"] = string_matcher(
                rng,
                ("user-1", "user-", "-1", "USER-1", "ser", "nobody", "é", "some"),
                ("user-[0-9]", "user-.", "(?i)USER-1", ".*", "user-.*", r"[a-z]+-\d", "some(one)?", "[^-]*"),
            )
        if supported("jwt_cache_config") and rng.random() < 0.3:
            message["jwt_cache_config"] = rng.choice(({}, {"jwt_cache_size": 500}, {"jwt_max_token_size": 2000}))
        mapped = self._mapped_claims(index)
        if mapped:
            message["claim_to_headers"] = mapped
        published = f"/{rng.getrandbits(64):x}/jwks.json" if rng.random() < 0.2 else ""
        if all(key.kind == "oct" or key.flaws & UNUSABLE for key in keys):
            published = ""  # To ours, a published set without another key is none.
        if published:
            # No key set in one place is in another: what is wrong with a remote one is not wrong with a local one.
            keys = tuple(key.with_listing("jwk.remote-secret") if key.kind == "oct" else key for key in keys)
        provider = Provider(name, issuer, keys, audiences, places, message, published)
        if published:
            uri = {"uri": f"http://keys.example{published}", "cluster": KEYS, "timeout": "10s"}
            # Fetched before the listener stands: while the native filter has no keys, it judges the requirements of a rule
            # side by side, and what comes of it depends on which answer is first.
            message["remote_jwks"] = {
                "http_uri": uri,
                "cache_duration": "3600s",
                "async_fetch": {"fast_listener": False},
            }
        else:
            message["local_jwks"] = {"inline_string": provider.key_set()}
        return provider

    def _mapped_claims(self, index: int) -> list[dict[str, Any]]:
        rng = self._rng
        if rng.random() < 0.1:
            return []
        found: dict[str, str] = {}
        for header, claim in rng.sample(MAPPED_CLAIMS, rng.randint(2, 6)):
            own = header != "route" and rng.random() < 0.5
            found[f"x-claim-{header}-{index}" if own else f"x-claim-{header}"] = claim
        return [{"header_name": header, **self._claim(claim)} for header, claim in found.items()]

    def _claim(self, name: str) -> dict[str, Any]:
        """How a claim is named: with dots, or as a path, whose names may hold dots themselves."""
        if supported("claim_path") and self._rng.random() < 0.3:
            path = self._rng.choice((name.split("."), [name]))
            return {"claim_path": [{"key": key} for key in path]}
        return {"claim_name": name}

    def _places(self, index: int) -> tuple[tuple[Place, ...], dict[str, Any]]:
        rng = self._rng
        if rng.random() < 0.5:
            return DEFAULT_PLACES, {}
        places: list[Place] = []
        fields: dict[str, Any] = {}
        kinds = ("header", "param", "cookie") if supported("from_cookies") else ("header", "param")
        for kind in rng.sample(kinds, rng.randint(1, len(kinds))):
            if kind == "header":
                drawn = [self._header_place(index) for _ in range(rng.choice((1, 1, 2)))]
                fields["from_headers"] = [
                    {"name": place.name, **({"value_prefix": place.prefix} if place.prefix else {})} for place in drawn
                ]
            else:
                drawn = [Place(kind, rng.choice((f"jwt{index}", "jwt", "access_token")))]
                fields["from_params" if kind == "param" else "from_cookies"] = [place.name for place in drawn]
            places.extend(drawn)
        # Ours takes a place that is named twice for a mistake.
        if len({(place.kind, place.name.lower(), place.prefix) for place in places}) < len(places):
            return self._places(index)
        return tuple(places), fields

    def _header_place(self, index: int) -> Place:
        return self._rng.choice(
            (
                Place("header", "authorization", "Bearer "),
                Place("header", "Authorization", "Bearer "),
                Place("header", "x-token", "Token "),
                Place("header", f"x-token-{index}", ""),
                Place("header", "x-jwt-assertion", ""),
                Place("header", "x-token", "v="),
                Place("header", "authorization", ""),
                Place("header", "authorization", "Bearer"),
            )
        )

    def _keys(self) -> tuple[KeyPair, ...]:
        rng = self._rng
        chosen = rng.sample(self._pool, rng.randint(1, 4))
        keys = [chosen[0], *(self._listed(key) for key in chosen[1:])]
        if rng.random() < 0.15:
            keys.append(self._small_rsa.with_listing("jwk.small-rsa", alg="RS256"))
        if rng.random() < 0.15:
            keys.append(self._short_secret.with_listing("jwk.short-secret", alg="HS256"))
        rng.shuffle(keys)
        return tuple(keys)

    def _listed(self, key: KeyPair) -> KeyPair:
        """A key as issuers list them, for better or worse."""
        rng = self._rng
        if "alg" not in key.listed and rng.random() < 0.5:
            key = key.with_listing("jwk.alg", alg=rng.choice(key.algorithms))
        draw = rng.random()
        if draw < 0.12:
            return key.with_listing("jwk.no-kid", "kid")
        if draw < 0.24:
            return key.with_listing("jwk.no-alg", "alg")
        if draw < 0.28:
            return key.with_listing("jwk.use-enc", use="enc")
        if draw < 0.32:
            return key.with_listing("jwk.key-ops-sign", "use", key_ops=["sign"])
        if draw < 0.36:
            return key.with_listing("jwk.key-ops-verify", "use", key_ops=["verify"])
        if draw < 0.40:
            return key.with_listing("jwk.no-use", "use")
        if draw < 0.43:
            return key.with_listing("jwk.wrong-alg", alg=rng.choice(("RSA-OAEP", "ES256K", "none", "A128KW")))
        return key


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
            name = rng.choice((None, None, "X-Status"))
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


def catch_all(requirement: Requirement | None) -> Rule:
    """A last rule for everything."""
    message: dict[str, Any] = {"match": {"prefix": "/"}}
    if requirement is not None:
        message["requires"] = requirement
    return Rule(message, requirement, ("/", "/anything", "/r99/x?y=1"), ())
