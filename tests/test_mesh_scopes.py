"""What the scopes of the demo's users open and what stays closed: asked of the gate, with real tokens."""

from __future__ import annotations

import pytest
from harness.private_mesh import PrivateMesh
from harness.refusals import problem


def test_a_customer_reads_and_transfers(mesh: PrivateMesh) -> None:
    alice, bob = mesh.as_user("alice"), mesh.as_user("bob")
    hers, his = mesh.account(alice), mesh.account(bob)
    assert mesh.transfer(alice, hers["id"], his["id"], 100).status_code == 201
    assert mesh.gate.get("/payment/transfers/", headers=alice).status_code == 200


def test_who_may_only_read_does_not_transfer(mesh: PrivateMesh) -> None:
    olivia, bob = mesh.as_user("olivia"), mesh.as_user("bob")
    hers, his = mesh.account(olivia), mesh.account(bob)
    assert mesh.gate.get("/payment/transfers/", headers=olivia).status_code == 200
    answer = mesh.transfer(olivia, hers["id"], his["id"], 1)
    document = problem(answer, 403, "insufficient_scope")
    # The gate's own answer: the payment service would not have this challenge.
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert document["scope"] == "payment.write"
    assert document["type"] == "urn:gatehouse:problem:insufficient_scope"
    assert mesh.account(olivia)["balance"] == hers["balance"]


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("POST", "/payment/transfers/", "payment.write"),
        ("POST", "/payment/requests/", "payment.write"),
        ("DELETE", "/payment/transfers/", "payment.write"),
        ("OPTIONS", "/payment/transfers/", "payment.write"),
        ("POST", "/bank/accounts/", "bank.write"),
        ("PUT", "/bank/whoami/", "bank.write"),
    ],
)
def test_everything_but_reading_needs_the_right_to_write(mesh: PrivateMesh, method: str, path: str, needed: str) -> None:
    answer = mesh.gate.request(method, path, headers=mesh.as_user("olivia"))
    assert problem(answer, 403, "insufficient_scope")["scope"] == needed


def test_the_operator_has_the_scope_of_operators(mesh: PrivateMesh) -> None:
    seen = mesh.gate.get("/bank/whoami/", headers=mesh.as_user("olivia")).json()
    assert "ops.read" in seen["headers"]["x-user-scope"].split(" ")
    seen = mesh.gate.get("/bank/whoami/", headers=mesh.as_user("alice")).json()
    assert "ops.read" not in seen["headers"]["x-user-scope"].split(" ")
