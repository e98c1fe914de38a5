"""Keys that are found by their issuer: its metadata are asked where the keys are, and believed only as far as they may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from harness.config import discovering_provider, gateway_of_providers
from harness.fetching import ask, await_keys, passes, statuses
from harness.gate import Gate
from harness.jwks_server import JwksServer
from harness.keys import Key, key_set, new_key
from harness.refusals import problem
from harness.tokens import mint
from harness.waiting import eventually

FIRST = new_key("ES256", "first")
SECOND = new_key("ES256", "second")
THIRD = new_key("ES256", "third")
HOST = "http://issuer.example:8080"
FAST = {"cache_duration": "1s", "metadata_cache_duration": "1s"}


@dataclass(frozen=True)
class Issuers:
    """One gate that discovers many issuers, one way to be discovered each; and the servers that they share."""

    gate: Gate
    server: JwksServer
    elsewhere: JwksServer

    def log_has(self, name: str, *parts: str) -> bool:
        """Whether one line about a provider says all of this."""
        lines = self.gate.envoy.log_text().splitlines()
        return any(f"provider {name}: " in line and all(part in line for part in parts) for line in lines)


DISCOVERY = {
    "plain": {},
    "oauth": {},
    "chosen": {"metadata": "oauth-authorization-server"},
    "moving": FAST,
    "follower": {"cache_duration": "3600s"},
    "wrong": FAST,
    "foreign": FAST,
    "html": FAST,
    "silent": FAST,
    "elsewhere": {"jwks_cluster": "elsewhere", "jwks_authority": "keys.example"},
    "redirected": FAST,
}
# The issuer and the address that metadata name, and what the log says of them.
NOT_BELIEVED = {
    "wrong": (f"{HOST}/wrong/", f"{HOST}/first", f"its issuer is not exactly {HOST}/wrong"),
    "foreign": (None, "http://elsewhere.example/first", "its jwks_uri is at elsewhere.example, not at issuer.example:8080"),
    "silent": (None, "", "it has no jwks_uri"),
}


@pytest.fixture(scope="module")
def issuers(start_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]) -> Issuers:
    server, elsewhere = start_jwks_server(), start_jwks_server(FIRST)
    # What has no document of its own is not there.
    server.serve_raw(b"{}", status=404)
    config = gateway_of_providers(
        {name: discovering_provider(f"{HOST}/{name}") for name in DISCOVERY},
        discovery={name: {"cluster": "issuer", **fields} for name, fields in DISCOVERY.items()},
        keys={"unknown_key_cooldown": "1s"},
    )
    for target, keys in {"/first": FIRST, "/second": SECOND, "/rotating": FIRST}.items():
        server.serve_at(target, key_set(keys))
    described = {
        "plain": "/first",
        "chosen": "/second",
        "moving": "/first",
        "follower": "/first",
        "html": "/rotating",
    }
    for name, target in described.items():
        describe(server, name, HOST + target)
    for name in ("oauth", "chosen"):
        document = {"issuer": f"{HOST}/{name}", "jwks_uri": f"{HOST}/first"}
        server.serve_at(f"/.well-known/oauth-authorization-server/{name}", document)
    describe(server, "elsewhere", "http://keys.example/anything?version=1")
    for name, (issuer, target, _) in NOT_BELIEVED.items():
        describe(server, name, target, issuer=issuer)
    server.serve_at("/redirected/.well-known/openid-configuration", "", status=302)
    gate = start_gate(config, clusters={"issuer": server.port, "elsewhere": elsewhere.port})
    return Issuers(gate, server, elsewhere)


def describe(server: JwksServer, name: str, keys: str, *, issuer: str | None = None) -> None:
    """Publishes an issuer's metadata where OpenID Connect has them."""
    document = {"issuer": issuer or f"{HOST}/{name}", "jwks_uri": keys, "token_endpoint": f"{HOST}/token"}
    server.serve_at(f"/{name}/.well-known/openid-configuration", document)


def token(name: str, key: Key = FIRST) -> str:
    return mint(key, iss=f"{HOST}/{name}")


def path(name: str) -> str:
    return f"/service/{name}/"


def test_an_issuer_alone_is_enough_to_find_its_keys(issuers: Issuers) -> None:
    await_keys(issuers.gate, token("plain"), path("plain"))
    assert statuses(issuers.gate, token("plain", SECOND), path("plain")) == {401}
    request = next(each for each in issuers.server.requests if each.target == "/first")
    assert request.one("host") == "issuer.example:8080"
    assert request.one("accept-encoding") == "identity"


def test_the_metadata_of_rfc_8414_are_asked_for_where_there_are_none_of_openid_connect(issuers: Issuers) -> None:
    await_keys(issuers.gate, token("oauth"), path("oauth"))


def test_the_kind_of_metadata_can_be_chosen_and_then_the_other_is_never_asked_for(issuers: Issuers) -> None:
    await_keys(issuers.gate, token("chosen"), path("chosen"))
    assert issuers.server.fetches_of("/chosen/.well-known/openid-configuration") == 0


def test_keys_on_another_host_are_fetched_where_the_configuration_allows_it(issuers: Issuers) -> None:
    await_keys(issuers.gate, token("elsewhere"), path("elsewhere"))
    request = issuers.elsewhere.requests[-1]
    assert (request.target, request.one("host")) == ("/anything?version=1", "keys.example")


def test_a_key_set_that_moves_is_followed_without_any_token_asking_for_it(issuers: Issuers) -> None:
    await_keys(issuers.gate, token("moving"), path("moving"))
    describe(issuers.server, "moving", f"{HOST}/second")
    eventually(lambda: statuses(issuers.gate, token("moving"), path("moving")) == {401}, "the old keys are gone")
    assert passes(issuers.gate, token("moving", SECOND), path("moving"))


def test_an_unknown_key_has_the_metadata_read_again_long_before_their_time(issuers: Issuers) -> None:
    await_keys(issuers.gate, token("follower"), path("follower"))
    describe(issuers.server, "follower", f"{HOST}/second")
    await_keys(issuers.gate, token("follower", SECOND), path("follower"))


def test_metadata_that_break_later_leave_the_address_as_it_was(issuers: Issuers) -> None:
    await_keys(issuers.gate, token("html"), path("html"))
    issuers.server.serve_at("/html/.well-known/openid-configuration", "<html>login</html>")
    eventually(
        lambda: issuers.log_has("html", "no JSON object of issuer metadata", "the address that was found before"),
        "the log says that the metadata are no good",
    )
    # The keys themselves go on to be refreshed.
    issuers.server.serve_at("/rotating", key_set(THIRD))
    await_keys(issuers.gate, token("html", THIRD), path("html"))


@pytest.mark.parametrize("name", NOT_BELIEVED)
def test_metadata_are_not_believed_if_they_are(issuers: Issuers, name: str) -> None:
    eventually(lambda: issuers.log_has(name, NOT_BELIEVED[name][2], "there are no keys"), "the log says why")
    problem(ask(issuers.gate, token(name), path(name)), 503, "keys_unavailable")


def test_metadata_that_redirect_are_not_followed(issuers: Issuers) -> None:
    eventually(lambda: issuers.log_has("redirected", "status 302 instead of 200"), "the log says why")
    problem(ask(issuers.gate, token("redirected"), path("redirected")), 503, "keys_unavailable")


def test_metadata_that_are_mended_are_believed(issuers: Issuers) -> None:
    for name in (*NOT_BELIEVED, "redirected"):
        describe(issuers.server, name, f"{HOST}/first")
    for name in (*NOT_BELIEVED, "redirected"):
        await_keys(issuers.gate, token(name), path(name))


def test_nobody_but_the_named_clusters_was_asked_and_no_worker_died(issuers: Issuers) -> None:
    asked = {request.one("host") for request in issuers.server.requests}
    assert asked == {"issuer.example:8080"}
    assert {request.one("host") for request in issuers.elsewhere.requests} == {"keys.example"}
    assert "failed: Uncaught" not in issuers.gate.envoy.log_text()
