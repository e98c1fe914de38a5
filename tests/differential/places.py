"""Puts tokens into requests: in the place that a provider looks at, in every spelling that people and attackers use."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from .cases import Minted
from .plans import Place


@dataclass
class Sending:
    """A request in the making."""

    rng: Random
    path: str
    method: str = "GET"
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("host", "gate.example")])
    body: str = ""
    traits: set[str] = field(default_factory=set)
    tokens: list[Minted] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    """What goes into the query, before or behind what is there."""

    def target(self) -> str:
        """Path and query."""
        path, _, query = self.path.partition("?")
        pairs = [*query.split("&"), *self.parameters] if query else list(self.parameters)
        if len(pairs) > 1:
            self.rng.shuffle(pairs)
        return path + ("?" + "&".join(pairs) if pairs else "?" if self.path.endswith("?") else "")


# Spellings of a header's value, with the trait that they have. `{p}` is the prefix, `{t}` the token.
_BEARER = (
    ("Bearer {t}", ""),
    ("bearer {t}", "scheme.other-case"),
    ("BEARER {t}", "scheme.other-case"),
    ("Bearer  {t}", "scheme.blanks"),
    ("Bearer\t{t}", "scheme.tab"),
    ("Bearer{t}", "scheme.no-blank"),
    ("xBearer {t}", "scheme.not-first"),
    ("Basic YTpi, Bearer {t}", "scheme.not-first"),
    ("Basic YTpi", "scheme.basic"),
    ("Basic {t}", "scheme.basic"),
    ("DPoP {t}", "scheme.basic"),
    ("Bearer", "scheme.empty"),
    ("Bearer ", "scheme.empty"),
    ("", "scheme.empty"),
    ("{t}", "scheme.none"),
    ("Bearer ;{t}", "scheme.skipped"),
    ("Bearer ={t}", "scheme.skipped"),
    ("Bearer , {t}", "scheme.skipped"),
    ("bearer", "scheme.empty"),
    ("Bearer bearer {t}", "scheme.twice"),
    ("Bearer Bearer {t}", "scheme.twice"),
    ("Token {t}", "scheme.basic"),
)
_PREFIXED = (
    ("{p}{t}", ""),
    ("{p} {t}", "prefix.blank"),
    ("{P}{t}", "prefix.other-case"),
    ("{t}", "prefix.none"),
    ("x {p}{t}", "prefix.not-first"),
    ("{p}", "prefix.empty"),
    ("{p};", "prefix.empty"),
    ("{p};{t}", "prefix.skipped"),
    ("", "prefix.empty"),
)
_PLAIN = (
    ("{t}", ""),
    ("Bearer {t}", "plain.scheme"),
    ("", "plain.empty"),
    (" {t}", "plain.blank"),
    ("x {t}", "plain.scheme"),
)


def put(sending: Sending, place: Place, token: str) -> None:
    """Puts a token into its place; twice, or somewhere else, now and then."""
    rng = sending.rng
    if rng.random() < 0.06:
        _put_again(sending, place, token)
    if place.kind == "header":
        _put_header(sending, place, token)
    elif place.kind == "param":
        _put_parameter(sending, place, token)
    else:
        _put_cookie(sending, place, token)


def _put_again(sending: Sending, place: Place, token: str) -> None:
    """Another token of the same kind in the same place, or a credential of another kind."""
    rng = sending.rng
    other = rng.choice((token, token[:-8] + "AAAAAAAA", "x.y.z", ""))
    sending.traits.add("token.repeated")
    if place.kind == "header":
        sending.headers.append((place.name, rng.choice((place.prefix + other, "Basic YTpi"))))
    elif place.kind == "param":
        sending.parameters.append(f"{place.name}={other}")
    else:
        sending.headers.append(("cookie", f"{place.name}={other}"))


def _put_header(sending: Sending, place: Place, token: str) -> None:
    rng = sending.rng
    forms = _BEARER if place.prefix == "Bearer " else _PREFIXED if place.prefix else _PLAIN
    form, trait = forms[0] if rng.random() < 0.8 else rng.choice(forms)
    if trait:
        sending.traits.add(trait)
    value = form.replace("{p}", place.prefix).replace("{P}", place.prefix.swapcase()).replace("{t}", token)
    name = place.name if rng.random() < 0.9 else place.name.upper()
    sending.headers.append((name, value))


def _put_parameter(sending: Sending, place: Place, token: str) -> None:
    # A token with bytes that no target may hold could only come percent-encoded.
    plain = all(33 <= ord(letter) < 127 and letter not in "#&" for letter in token)
    encoded = token if plain else "".join(f"%{byte:02x}" for byte in token.encode("latin-1"))
    rng = sending.rng
    forms = (
        (f"{place.name}={encoded}", ""),
        (place.name, "param.empty"),
        (f"{place.name}=", "param.empty"),
        (f"{place.name.upper()}={encoded}", "param.other-case"),
        (place.name.replace("t", "%74") + f"={encoded}", "param.encoded-name"),
        (f"{place.name}={encoded.replace('.', '%2E')}", "param.encoded-value"),
        (f"{place.name}=%20{encoded}", "param.blank"),
        (f"{place.name}={encoded};x=1", "param.text-behind"),
        (f"x{place.name}={encoded}", "param.other-name"),
        (f"{place.name}=={encoded}", "param.text-before"),
        (f"{place.name}={encoded}%00", "param.nul"),
    )
    form, trait = forms[0] if rng.random() < 0.75 else rng.choice(forms)
    if trait:
        sending.traits.add(trait)
    sending.traits.add("param")
    sending.parameters.append(form)


def _put_cookie(sending: Sending, place: Place, token: str) -> None:
    rng = sending.rng
    name = place.name
    forms = (
        (f"{name}={token}", ""),
        (f"theme=dark; {name}={token}; lang=en", "cookie.others"),
        (f"{name}={token};lang=en", "cookie.others"),
        (f'{name}="{token}"', "cookie.quoted"),
        (f"{name}=", "cookie.empty"),
        (name, "cookie.no-value"),
        (f"{name.upper()}={token}", "cookie.other-case"),
        (f"a=b, {name}={token}", "cookie.comma"),
        (f" {name} = {token}", "cookie.blanks"),
        (f"x{name}={token}", "cookie.other-name"),
        (f"{name}={token}; {name}=x.y.z", "cookie.twice"),
        (f"{name}=x.y.z; {name}={token}", "cookie.twice"),
        (f'{name}="{token}', "cookie.half-quoted"),
        (f"{name}={token.replace('.', '%2e')}", "cookie.encoded"),
    )
    form, trait = forms[0] if rng.random() < 0.6 else rng.choice(forms)
    if trait:
        sending.traits.add(trait)
    sending.traits.add("cookie")
    sending.headers.append(("cookie", form))
