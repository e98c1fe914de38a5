"""The upstream chosen by who is asking, in a real Envoy: by claim, header, expression and share; and never by the client."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from harness.config import gateway_config, provider
from harness.gate import Gate
from harness.keys import key
from harness.refusals import problem
from harness.tokens import bearer, mint

GOOD = key("ES256")

SERVICES: dict[str, Any] = {
    "plan": {
        "prefix": "/plan/",
        "cluster": "main",
        "upstream": [{"claim_name": "tenant.plan", "values": {"beta": "canary", "gold": "fast"}}],
    },
    "lenient": {
        "prefix": "/lenient/",
        "cluster": "main",
        "upstream": [{"claim_name": "tenant.plan", "values": {"beta": "canary"}, "otherwise": "continue"}],
    },
    "track": {
        "prefix": "/track/",
        "cluster": "main",
        "public": True,
        "upstream": [{"header": "x-track", "values": {"canary": "canary"}, "otherwise": "continue"}],
    },
    "tested": {
        "prefix": "/tested/",
        "cluster": "main",
        "upstream": [{"cel": "claims.groups.exists(g, g == 'testers') && request.method == 'GET'", "cluster": "canary"}],
    },
    "guarded": {
        "prefix": "/guarded/",
        "cluster": "main",
        "authorization": {"cel": "request.path.startsWith('/guarded/' + claims.sub) || 'admin' in claims.groups"},
    },
    "split": {"prefix": "/split/", "cluster": "main", "upstream": [{"percent": 30, "cluster": "canary"}]},
    "wider": {
        "prefix": "/wider/",
        "cluster": "main",
        "upstream": [{"percent": 10, "cluster": "fast"}, {"percent": 30, "cluster": "canary"}],
    },
}


@pytest.fixture(scope="module")
def gate(start_gate: Callable[..., Gate]) -> Gate:
    return start_gate(gateway_config(provider(GOOD), services=SERVICES), upstreams=("main", "canary", "fast"))


@pytest.fixture(autouse=True)
def _clean(gate: Gate) -> None:
    gate.clear()


def chosen(answer: httpx.Response) -> str:
    """Which cluster answered."""
    assert answer.status_code == 200, answer.text
    return answer.headers["x-upstream"]


def caller(**claims: Any) -> dict[str, str]:
    return bearer(mint(GOOD, **claims))


@pytest.mark.parametrize(("plan", "cluster"), [("beta", "canary"), ("gold", "fast")])
def test_a_claim_chooses_the_cluster(gate: Gate, plan: str, cluster: str) -> None:
    assert chosen(gate.get("/plan/", headers=caller(tenant={"plan": plan}))) == cluster


@pytest.mark.parametrize("tenant", [{"plan": "tin"}, {"plan": "canary"}, {"plan": ""}, {"plan": ["beta"]}, {}, "beta"])
def test_a_value_that_is_not_named_is_refused_unless_the_configuration_says_otherwise(gate: Gate, tenant: Any) -> None:
    answer = gate.get("/plan/", headers=caller(tenant=tenant))
    problem(answer, 403, "upstream_unknown")
    gate.nobody_was_contacted()
    assert chosen(gate.get("/lenient/", headers=caller(tenant=tenant))) == "main"


def test_a_header_chooses_among_what_is_named_and_nothing_else(gate: Gate) -> None:
    assert chosen(gate.get("/track/", headers={"x-track": "canary"})) == "canary"
    for value in ("fast", "main", "no-such-cluster", ""):
        assert chosen(gate.get("/track/", headers={"x-track": value})) == "main"


@pytest.mark.parametrize("name", ["x-gatehouse-cluster", "X_Gatehouse_Cluster", "x.gatehouse.cluster"])
def test_a_client_never_names_a_cluster(gate: Gate, name: str) -> None:
    forged = {name: "fast", **caller(tenant={"plan": "beta"})}
    assert chosen(gate.get("/plan/", headers=forged)) == "canary"
    assert chosen(gate.get("/track/", headers={name: "fast"})) == "main"


def test_an_expression_chooses_and_one_without_an_answer_refuses(gate: Gate) -> None:
    tester = caller(groups=["users", "testers"])
    assert chosen(gate.get("/tested/", headers=tester)) == "canary"
    assert chosen(gate.client.post("/tested/", headers=tester)) == "main"
    assert chosen(gate.get("/tested/", headers=caller(groups=["users"]))) == "main"
    gate.clear()
    problem(gate.get("/tested/", headers=caller()), 403, "expression_failed")
    problem(gate.get("/tested/", headers=caller(groups=["x"] * 257)), 403, "expression_failed")
    gate.nobody_was_contacted()


def test_an_expression_allows_and_denies(gate: Gate) -> None:
    assert chosen(gate.get("/guarded/alice/1", headers=caller(sub="alice", groups=[]))) == "main"
    assert chosen(gate.get("/guarded/bob/1", headers=caller(sub="alice", groups=["admin"]))) == "main"
    gate.clear()
    problem(gate.get("/guarded/bob/1", headers=caller(sub="alice", groups=["users"])), 403, "access_denied")
    problem(gate.get("/guarded/bob/1", headers=caller(sub="alice")), 403, "expression_failed")
    gate.nobody_was_contacted()


def test_subjects_split_in_the_configured_share_and_always_the_same_way(gate: Gate) -> None:
    """2,000 subjects at 30 percent: the bound is five standard deviations, which a fair split misses once in 1.7 million."""
    subjects = [f"subject-{number}" for number in range(2000)]
    headers = [caller(sub=subject) for subject in subjects]
    with httpx.Client(base_url=gate.url, trust_env=False, timeout=60, limits=httpx.Limits(max_connections=16)) as client:
        with ThreadPoolExecutor(8) as pool:
            # Over several connections, so that both workers take part.
            first = list(pool.map(lambda each: chosen(client.get("/split/", headers=each)), headers))
            again = list(pool.map(lambda each: chosen(client.get("/split/x?y", headers=each)), headers))
    assert first == again
    share = first.count("canary")
    assert set(first) == {"canary", "main"}
    assert abs(share - 600) < 5 * math.sqrt(2000 * 0.3 * 0.7), share


def test_shares_of_one_list_stand_beside_each_other(gate: Gate) -> None:
    seen = {chosen(gate.get("/wider/", headers=caller(sub=f"subject-{number}"))) for number in range(60)}
    assert seen == {"fast", "canary", "main"}
