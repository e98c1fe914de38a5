"""Generates configurations: providers, rules and trees of requirements."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from .bootstrap import KEYS
from .cases import Configuration
from .features import supported
from .keyring import KeyPair, malformed_pairs, new_pair
from .mutations.claims import VALUED
from .plans import DEFAULT_PLACES, Place, Plan, Provider, Requirement, Rule
from .rules import generate_rule, string_matcher
from .trees import AUDIENCES, Trees

KINDS = ("P-256", "P-256", "P-256", "Ed25519", "Ed25519", "oct", "oct", "P-384", "P-521", "RSA", "RSA")
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


UNUSABLE = {"jwk.use-enc", "jwk.key-ops-sign", "jwk.wrong-alg", "jwk.small-rsa", "jwk.malformed", "jwk.short-coordinate"}
"""Flaws for which ours leaves a key out."""
PLACE_FIELDS = ("from_headers", "from_params", "from_cookies")


class ConfigGenerator:
    """Draws configurations. All of them share one set of keys, because RSA keys are dear."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._pool = [new_pair(kind, rng) for kind in KINDS]
        self._small_rsa = new_pair("RSA", rng, size=1024)
        self._short_secret = new_pair("oct", rng, size=128)
        self._malformed = malformed_pairs(rng)
        self.strangers = {kind: new_pair(kind, rng) for kind in dict.fromkeys(KINDS)}

    def one_of_each(self) -> list[KeyPair]:
        """A key of each kind, listed as it should be."""
        found = {key.kind: key for key in reversed(self._pool)}
        probabilistic = next(key for key in self._pool if key.kind == "RSA" and key != found["RSA"])
        return [
            *(
                key if "alg" in key.listed else replace(key, listed={**key.listed, "alg": key.algorithms[0]})
                for key in found.values()
            ),
            replace(probabilistic, listed={**probabilistic.listed, "alg": "PS256"}),
        ]

    def plan(self, name: str) -> Plan:
        """The next configuration."""
        rng = self._rng
        # Which of two providers of one issuer an allowance asks is a matter of hashing to the native filter, so issuers
        # are shared in configurations without allowances only.
        shared = rng.random() < 0.2
        providers = self._providers(shared=shared)
        names = [provider.name for provider in providers]
        tree = Trees(rng, names, allowances=not shared)
        draw = tree.draw_contested if shared else tree.draw
        named = {f"named-{index}": draw() for index in range(2)}
        rules = [generate_rule(rng, index, draw, named) for index in range(rng.randint(6, 12))]
        if rng.random() < 0.3:
            rules.append(catch_all(draw() if rng.random() < 0.8 else None))
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
        chosen: tuple[Rule, ...] = ()
        if rng.random() < 0.3:
            chosen = tuple(chosen_by_state(state, draw()) for state in STATES)
            message["filter_state_rules"] = {
                "name": STATE_OBJECT,
                "requires": {state: rule.requirement for state, rule in zip(STATES, chosen, strict=True)},
            }
        return Plan(Configuration(name, message, key_sets), tuple(providers), (*rules, *chosen))

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
        first = self._provider("p0", issuers[0], 0)
        # A provider that may accept what the first one of its issuer does not.
        second = self._provider("p1", issuers[1], 1, first if shared and rng.random() < 0.7 else None)
        others = [self._provider(f"p{index}", issuer, index) for index, issuer in enumerate(issuers) if index > 1]
        return [first, second, *others]

    def _provider(self, name: str, issuer: str, index: int, twin: Provider | None = None) -> Provider:
        rng = self._rng
        if twin is None:
            keys = self._keys()
            audiences = tuple(rng.sample(AUDIENCES, rng.choice((0, 0, 1, 1, 2, 3))))
            places, fields = self._places(index)
        else:
            ids = {key.key_id for key in twin.keys}
            keys = tuple(key for key in self._pool if key.key_id in ids)
            audiences = tuple(sorted({similar(rng, audience) for audience in twin.audiences}))
            places, fields = twin.places, {name: twin.message[name] for name in PLACE_FIELDS if name in twin.message}
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
            keys = tuple(_in_public(key) for key in keys)
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
            if rng.random() < 0.5:
                message["remote_jwks"]["retry_policy"] = rng.choice(
                    (
                        {"num_retries": 3},
                        {"retry_back_off": {"base_interval": "0.1s", "max_interval": "2s"}, "num_retries": 1},
                        {"retry_back_off": {"base_interval": "0.01s"}},
                    )
                )
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
        if rng.random() < 0.3:
            keys += rng.sample(self._malformed, rng.choice((1, 2, 3)))
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


def _in_public(key: KeyPair) -> KeyPair:
    if key.kind == "oct":
        return key.with_listing("jwk.remote-secret")
    return key.with_listing("jwk.remote-private") if "jwk.private-part" in key.flaws else key


def similar(rng: Random, audience: str) -> str:
    """One that the native filter takes for the same, or the same."""
    bare = audience.removeprefix("https://").removeprefix("http://").removesuffix("/")
    return rng.choice((audience, "https://" + bare, "http://" + bare + "/", bare, bare + "/"))


STATE_OBJECT = "tenant"
"""What an earlier filter notes, from `x-state`, for `filter_state_rules`."""
STATES = ("gold", "silver")


def chosen_by_state(state: str, requirement: Requirement) -> Rule:
    """What is asked for where no rule matches and this was noted."""
    return Rule({}, requirement, ("/state", "/state/x"), ("/", "/rx"), (("x-state", state),))


def catch_all(requirement: Requirement | None) -> Rule:
    """A last rule for everything."""
    message: dict[str, Any] = {"match": {"prefix": "/"}}
    if requirement is not None:
        message["requires"] = requirement
    return Rule(message, requirement, ("/", "/anything", "/r99/x?y=1"), ())
