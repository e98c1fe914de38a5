"""Parts of the mesh stop and come back; nothing else is touched meanwhile."""

from __future__ import annotations

import os
import signal

from harness.private_mesh import PASSWORDS, PrivateMesh
from harness.refusals import problem
from harness.tokens import bearer
from harness.waiting import eventually

LOGIN = {"username": "alice", "password": PASSWORDS["alice"]}


def test_with_the_issuer_stopped_tokens_issued_before_still_pass(mesh: PrivateMesh) -> None:
    alice = mesh.as_user("alice")
    others = {name: pid for name, pid in mesh.mesh.pids().items() if name != "token-issuer"}
    mesh.mesh.stop_part("token-issuer")
    try:
        for _ in range(50):
            assert mesh.gate.get("/bank/accounts/", headers=alice).status_code == 200
        answer = mesh.gate.post("/api/token/", json=LOGIN)
        problem(answer, 503, "upstream_unavailable")
        assert answer.headers["retry-after"]
        assert mesh.gate.get("/health/").status_code == 200
    finally:
        mesh.mesh.start_part("token-issuer")
    eventually(lambda: mesh.gate.post("/api/token/", json=LOGIN).status_code == 200, "the issuer answers again")
    assert {name: pid for name, pid in mesh.mesh.pids().items() if name != "token-issuer"} == others


def test_tokens_of_before_and_after_an_issuers_restart_pass(mesh: PrivateMesh) -> None:
    before = mesh.as_user("alice")
    mesh.mesh.stop_part("token-issuer")
    mesh.mesh.start_part("token-issuer")
    after = eventually(lambda: mesh.as_user("alice"), "the issuer answers again")
    for headers in (before, after):
        assert mesh.gate.get("/bank/accounts/", headers=headers).status_code == 200


def test_a_gate_that_starts_without_the_issuer_says_503_and_recovers_by_itself(mesh: PrivateMesh) -> None:
    alice = mesh.as_user("alice")
    mesh.mesh.stop_part("envoy")
    mesh.mesh.stop_part("token-issuer")
    try:
        mesh.mesh.start_part("envoy")
        answer = mesh.gate.get("/bank/accounts/", headers=alice)
        problem(answer, 503, "keys_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    finally:
        mesh.mesh.start_part("token-issuer")
    eventually(
        lambda: mesh.gate.get("/bank/accounts/", headers=alice).status_code == 200, "the gate has fetched the keys"
    )


def test_with_postgres_stopped_the_issuer_says_so_and_recovers_by_itself(mesh: PrivateMesh) -> None:
    tokens = mesh.log_in("alice")
    alice = bearer(tokens["access"])
    others = {name: pid for name, pid in mesh.mesh.pids().items() if name != "postgres"}
    mesh.mesh.stop_part("postgres")
    try:
        for attempt in (
            lambda: mesh.gate.post("/api/token/", json=LOGIN),
            lambda: mesh.gate.post("/api/token/refresh/", json={"refresh": tokens["refresh"]}),
        ):
            answer = attempt()
            assert answer.status_code == 503, (answer.status_code, answer.text)
            assert "access" not in answer.json()
        ready = mesh.issuer.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["checks"]["database"]["status"] != "ok", ready.text
        assert mesh.issuer.get("/health/live").status_code == 200
        assert mesh.gate.get("/.well-known/jwks.json").status_code == 200, "the keys are in memory"
        # The gate still lets her through; the bank is what says no.
        assert mesh.gate.get("/bank/whoami/", headers=alice).status_code == 200
        problem(mesh.gate.get("/bank/accounts/", headers=alice), 503)
        assert mesh.mesh.status()["postgres"] == "not running"
        assert "database" in mesh.mesh.status()["token-issuer"]
    finally:
        mesh.mesh.start_part("postgres")
    eventually(lambda: mesh.issuer.get("/health/ready").status_code == 200, "the issuer is ready again")
    eventually(lambda: mesh.gate.post("/api/token/", json=LOGIN).status_code == 200, "logging in works again")
    eventually(lambda: mesh.gate.get("/bank/accounts/", headers=alice).status_code == 200, "the bank works again")
    assert mesh.gate.post("/api/token/refresh/", json={"refresh": tokens["refresh"]}).status_code == 200
    assert {name: pid for name, pid in mesh.mesh.pids().items() if name != "postgres"} == others, "nobody was restarted"


def test_postgres_killed_in_the_middle_of_work_loses_nothing(mesh: PrivateMesh) -> None:
    alice, bob = mesh.as_user("alice"), mesh.as_user("bob")
    hers, his = mesh.account(alice), mesh.account(bob)
    assert mesh.transfer(alice, hers["id"], his["id"], 77).status_code == 201
    # The postmaster alone, with SIGKILL's cousin that takes its children along: a crash, not a shutdown.
    os.kill(mesh.mesh.pids()["postgres"], signal.SIGQUIT)
    eventually(lambda: "postgres" not in mesh.mesh.pids(), "postgres is down")
    mesh.mesh.start_part("postgres")
    eventually(lambda: mesh.gate.get("/bank/accounts/", headers=alice).status_code == 200, "the bank works again")
    assert mesh.account(alice)["balance"] == hers["balance"] - 77
    assert mesh.account(bob)["balance"] == his["balance"] + 77


def test_a_part_that_died_is_the_only_one_that_up_starts_again(mesh: PrivateMesh) -> None:
    before = mesh.mesh.pids()
    os.kill(before["bank"], signal.SIGKILL)
    eventually(lambda: "bank" not in mesh.mesh.pids(), "the bank is dead")
    answer = mesh.gate.get("/bank/accounts/", headers=mesh.as_user("alice"))
    problem(answer, 503, "upstream_unavailable")
    mesh.mesh.up()
    after = mesh.mesh.pids()
    assert after["bank"] != before["bank"]
    assert {name: pid for name, pid in after.items() if name != "bank"} == {
        name: pid for name, pid in before.items() if name != "bank"
    }
    assert mesh.gate.get("/bank/accounts/", headers=mesh.as_user("alice")).status_code == 200
