"""What the mesh shows to its operator, and to nobody else: /services/status/, and /metrics/ with Envoy's real admin interface."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from harness.private_mesh import PrivateMesh
from harness.raw import exchange, request_bytes
from harness.refusals import challenged, problem
from harness.waiting import eventually


def series(mesh: PrivateMesh, headers: dict[str, str]) -> dict[str, float]:
    """All that /metrics/ shows of the gate, by name and labels."""
    answer = mesh.gate.get("/metrics/", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    found = re.findall(r"^(gatehouse_[^ ]+) (\S+)$", answer.text, flags=re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_the_operator_sees_refusals_by_reason_and_how_long_things_take(mesh: PrivateMesh) -> None:
    olivia = mesh.as_user("olivia")
    refused = 'gatehouse_refused{gatehouse_reason="token_missing"}'
    before = series(mesh, olivia).get(refused, 0)
    for _ in range(3):
        challenged(mesh.gate.get("/bank/accounts/"))
    eventually(lambda: series(mesh, olivia)[refused] == before + 3, "three refusals are counted")
    shown = series(mesh, olivia)
    assert shown['gatehouse_provider_allowed{gatehouse_provider="gatehouse"}'] > 0
    eventually(lambda: series(mesh, olivia).get("gatehouse_verification_us_count{}", 0) > 0, "verifications are timed")
    text = mesh.gate.get("/metrics/", headers=olivia).text
    assert 'envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="bank"' in text
    assert "envoy_http_downstream_rq_time_bucket" in text


def test_a_head_request_has_no_body(mesh: PrivateMesh) -> None:
    answer = mesh.gate.head("/metrics/", headers=mesh.as_user("olivia"))
    assert (answer.status_code, answer.content) == (200, b"")


def test_nobody_else_sees_it(mesh: PrivateMesh) -> None:
    challenged(mesh.gate.get("/metrics/"))
    answer = mesh.gate.get("/metrics/", headers=mesh.as_user("alice"))
    assert problem(answer, 403, "insufficient_scope")["scope"] == "ops.read"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "target",
    [
        "/metrics/../quitquitquit",
        "/metrics/%2e%2e/quitquitquit",
        "/metrics/..%2fquitquitquit",
        "/metrics//quitquitquit",
        "/metrics/quitquitquit",
        "/metrics/config_dump",
        "/metrics/../config_dump",
        "/metrics/?/../quitquitquit",
        "/config_dump",
        "/quitquitquit",
        "/stats",
    ],
)
def test_the_operator_reaches_nothing_else_of_the_admin_interface(
    mesh: PrivateMesh, method: str, target: str
) -> None:
    olivia = [*mesh.as_user("olivia").items(), ("content-length", "0")]
    answer = exchange(mesh.ports.gateway, request_bytes(method, target, olivia))
    assert answer is not None
    if (method, target) == ("GET", "/metrics/?/../quitquitquit"):
        assert answer.status_code == 200 and b"# TYPE envoy_" in answer.content
    else:
        problem(answer, answer.status_code)
        assert answer.status_code in (400, 404, 405), answer
    admin = httpx.get(f"http://127.0.0.1:{mesh.ports.admin}/ready", trust_env=False, timeout=60)
    assert admin.text.strip() == "LIVE"


def service(mesh: PrivateMesh, headers: dict[str, str], name: str) -> dict[str, Any]:
    """What /services/status/ tells of one service."""
    answer = mesh.gate.get("/services/status/", headers=headers)
    assert answer.status_code == 200, answer.text
    return next(row for row in answer.json()["services"] if row["name"] == name)


def test_the_operator_sees_how_the_services_are(mesh: PrivateMesh) -> None:
    olivia = mesh.as_user("olivia")
    for name in ("bank", "payment", "token"):
        eventually(lambda name=name: service(mesh, olivia, name)["state"] == "up", f"{name} is up")
    assert service(mesh, olivia, "admin")["state"] == "unchecked"
    answer = mesh.gate.get("/services/status/", headers=mesh.as_user("alice"))
    assert problem(answer, 403, "insufficient_scope")["scope"] == "ops.read"
    page = mesh.gate.get("/services/status/", headers={**olivia, "accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8" and "payment" in page.text


def test_a_service_that_was_stopped_is_down_and_up_again_when_it_is_back(mesh: PrivateMesh) -> None:
    olivia = mesh.as_user("olivia")
    before = eventually(
        lambda: row if (row := service(mesh, olivia, "bank"))["state"] == "up" else None, "the bank is up"
    )
    mesh.mesh.stop_part("bank")
    try:
        down = eventually(
            lambda: row if (row := service(mesh, olivia, "bank"))["state"] == "down" else None, "the bank is down"
        )
        assert down["last_error"]["code"] == "no_connection"
        assert down["since"] > before["since"]
        up = 'gatehouse_service_up{gatehouse_service="%s"}'
        eventually(lambda: series(mesh, olivia)[up % "bank"] == 0, "Prometheus is told")
        assert service(mesh, olivia, "token")["state"] == "up"
    finally:
        mesh.mesh.start_part("bank")
    back = eventually(
        lambda: row if (row := service(mesh, olivia, "bank"))["state"] == "up" else None, "the bank is up again"
    )
    assert back["since"] > down["since"] and back["last_error"]["code"] == "no_connection"
    eventually(lambda: series(mesh, olivia)[up % "bank"] == 1, "Prometheus is told")
