"""What operators see: counters, gauges and labels in Envoy's statistics, and who asked in its access log."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from harness.config import gateway_config, provider
from harness.fetching import StartPair, ask, await_keys
from harness.gate import Gate
from harness.jwks_server import JwksServer
from harness.keys import key, new_key
from harness.tokens import ISSUER, NEVER, SUBJECT, bearer, mint
from harness.waiting import eventually

GOOD = key("RS256")
STRANGER = new_key("RS256", GOOD.key_id)
NEW = new_key("ES256", "new")


@pytest.fixture(scope="module")
def gate(start_shipped_gate: Callable[..., Gate], start_jwks_server: Callable[..., JwksServer]) -> Gate:
    """The Envoy of envoy.yaml, warm."""
    started = start_shipped_gate(start_jwks_server(GOOD), issuer=ISSUER)
    eventually(
        lambda: started.get("/bank/", headers=bearer(mint(GOOD))).status_code == 200, "the keys have been fetched"
    )
    return started


def prometheus(gate: Gate) -> dict[str, float]:
    """All series of the gate's, by name and labels."""
    text = httpx.get(f"http://127.0.0.1:{gate.envoy.admin_port}/stats/prometheus", trust_env=False, timeout=60).text
    found = re.findall(r"^(gatehouse_[^ ]+) (\S+)$", text, flags=re.MULTILINE)
    return {name: float(value) for name, value in found}


def logged(gate: Gate, answer: httpx.Response) -> dict[str, Any]:
    """The access log's line about a request."""
    request_id = answer.headers["x-request-id"]
    return eventually(
        lambda: next((line for line in gate.envoy.access_log() if line.get("request_id") == request_id), None),
        "the request is logged",
    )


def test_provider_and_reason_are_labels_in_prometheus(gate: Gate) -> None:
    """The access log tells the same: what it has a line for is counted."""
    who = 'gatehouse_provider="gatehouse"'
    for token in (mint(GOOD), mint(GOOD), mint(STRANGER), mint(GOOD, exp=1)):
        gate.get("/bank/", headers=bearer(token))
    logged(gate, gate.get("/bank/"))

    def agree() -> bool:
        shown = prometheus(gate)
        refusals = [line["refusal"] for line in gate.envoy.access_log()]
        allowed, denied = refusals.count(None), len(refusals) - refusals.count(None)
        expected = {
            "gatehouse_allowed{}": allowed,
            "gatehouse_denied{}": denied,
            f"gatehouse_provider_allowed{{{who}}}": allowed,
            f"gatehouse_provider_denied{{{who}}}": denied,
        }
        for reason in ("token_expired", "signature_invalid", "token_missing"):
            count = refusals.count(reason)
            assert count > 0
            expected[f'gatehouse_refused{{gatehouse_reason="{reason}"}}'] = count
            expected[f'gatehouse_provider_refused{{{who},gatehouse_reason="{reason}"}}'] = count
        assert {name: shown.get(name) for name in expected} == expected
        return True

    eventually(agree, "what was logged is counted")
    shown = prometheus(gate)
    assert shown['gatehouse_refused{gatehouse_reason="service_unknown"}'] == 0
    assert f'gatehouse_provider_refused{{{who},gatehouse_reason="service_unknown"}}' not in shown
    assert shown[f"gatehouse_provider_keys_last_fetch_failed{{{who}}}"] == 0
    assert shown[f"gatehouse_provider_jwks_fetch_success{{{who}}}"] >= 1
    assert f"gatehouse_provider_keys_age_seconds{{{who}}}" in shown
    eventually(
        lambda: prometheus(gate).get("gatehouse_verification_us_count{}", 0) >= 2, "the time of verifications is shown"
    )


def test_the_access_log_says_who_asked(gate: Gate) -> None:
    answer = gate.get("/bank/", headers=bearer(mint(GOOD, azp="web-app")))
    line = logged(gate, answer)
    assert (line["subject"], line["issuer"]) == (SUBJECT, ISSUER)
    assert (line["oauth_client"], line["key_id"]) == ("web-app", GOOD.key_id)
    assert line["refusal"] is None


@pytest.mark.parametrize("times", [1, 2])
def test_no_claim_breaks_the_access_log(gate: Gate, times: int) -> None:
    """The second time, the token is remembered."""
    token = mint(GOOD, sub='José "}\u2028', client_id="a b", azp=NEVER)
    for _ in range(times):
        line = logged(gate, gate.get("/bank/", headers=bearer(token)))
        assert line["subject"] == "UTF-8''Jos%C3%A9%20%22%7D%E2%80%A8"
        assert line["oauth_client"] == "a b"


def test_a_refused_caller_is_not_named(gate: Gate) -> None:
    line = logged(gate, gate.get("/bank/", headers=bearer(mint(GOOD, exp=1))))
    assert line["refusal"] == "token_expired"
    assert {line[name] for name in ("subject", "issuer", "oauth_client", "key_id")} == {None}


def test_providers_of_odd_names_have_statistics_of_their_own(start_gate: Callable[..., Gate]) -> None:
    names = {"a.b": "a_b", "a b": "a_b_", "https://é.example/\n": "https_____example__"}
    config = gateway_config(provider(GOOD))
    config["providers"] = {
        name: provider(GOOD, issuer=f"https://{number}.example") for number, name in enumerate(names)
    }
    config["rules"] = [
        {"match": {"prefix": f"/service/{number}"}, "requires": {"provider_name": name}}
        for number, name in enumerate(names)
    ]
    del config["token_profiles"]
    gate = start_gate(config)
    for number in range(len(names)):
        for _ in range(number + 1):
            token = mint(GOOD, iss=f"https://{number}.example")
            assert gate.get(f"/service/{number}", headers=bearer(token)).status_code == 200
    shown = {
        f"wasmcustom.gatehouse.provider.{name}.allowed": number for number, name in enumerate(sorted(names.values()), 1)
    }
    eventually(lambda: sorted(gate.envoy.counters(r"provider.*\.allowed$")) == sorted(shown), "all are shown")
    eventually(
        lambda: sorted(gate.envoy.counters(r"provider.*\.allowed$").values()) == [1, 2, 3], "each has its own count"
    )


def test_what_is_shown_of_keys_follows_their_server(start_pair: StartPair) -> None:
    gate, server = start_pair(NEW, cache_duration="1s")
    await_keys(gate, mint(NEW))

    def shown(name: str) -> int | None:
        name = f"wasmcustom.gatehouse.provider.issuer.{name}"
        return gate.envoy.counters("provider.issuer").get(name)

    eventually(lambda: shown("keys_last_fetch_failed") == 0, "fetches succeed")
    eventually(lambda: (shown("jwks_fetch_success") or 0) > 0, "they are counted")
    server.break_off()
    eventually(lambda: shown("keys_last_fetch_failed") == 1, "a fetch failed")
    eventually(lambda: (shown("keys_age_seconds") or 0) >= 3, "the keys grow old")
    eventually(lambda: (shown("jwks_fetch_failed") or 0) > 0, "failures are counted")
    assert ask(gate, mint(NEW)).status_code == 200
    server.serve_keys(NEW)
    eventually(lambda: shown("keys_last_fetch_failed") == 0, "it has recovered")
    eventually(lambda: (shown("keys_age_seconds") or 0) < 3, "the keys are new")


def test_a_native_configuration_names_nobody(start_gate: Callable[..., Gate]) -> None:
    """Without our section no property is written: a log that asks for it shows nothing."""
    log = {
        "name": "envoy.access_loggers.stdout",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {
                "json_format": {
                    "subject": "%FILTER_STATE(wasm.gatehouse.subject:PLAIN)%",
                    "refusal": "%FILTER_STATE(wasm.gatehouse.refusal:PLAIN)%",
                }
            },
        },
    }
    config = {
        "providers": {"issuer": provider(GOOD)},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
    }
    gate = start_gate(config, connection_manager={"access_log": [log]})
    # Without services nobody chose a cluster, so the first is Envoy's own 503.
    assert gate.get("/", headers=bearer(mint(GOOD))).status_code == 503
    assert gate.get("/", headers=bearer(mint(STRANGER))).status_code == 401
    expected = [{"subject": None, "refusal": None}, {"subject": None, "refusal": "signature_invalid"}]
    eventually(lambda: gate.envoy.access_log() == expected, "both requests are logged")
