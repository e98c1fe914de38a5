"""The main job on real parts: one token, one gate, two services."""

from __future__ import annotations

import json
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness.encoding import b64url_decode
from harness.private_mesh import PASSWORDS, PrivateMesh
from harness.raw import exchange, request_bytes
from harness.refusals import challenged, problem
from harness.tokens import bearer
from mesh.postgres import Postgres
from mesh.secret_files import SecretFiles

# ---- the gate and the bank ---------------------------------------------------------------------------------------------


def test_without_a_token_the_bank_is_closed(mesh: PrivateMesh) -> None:
    document = challenged(mesh.gate.get("/bank/accounts/"))
    assert document["code"] == "token_missing"


def test_a_token_opens_the_bank_for_its_user_only(mesh: PrivateMesh) -> None:
    alice, bob = mesh.as_user("alice"), mesh.as_user("bob")
    hers, his = mesh.account(alice), mesh.account(bob)
    assert hers["owner"] != his["owner"]
    assert isinstance(hers["balance"], int) and hers["currency"] == "EUR"
    assert mesh.gate.get(f"/bank/accounts/{hers['id']}/", headers=alice).json()["id"] == hers["id"]
    problem(mesh.gate.get(f"/bank/accounts/{hers['id']}/", headers=bob), 404)


def test_the_bank_sees_its_own_path_and_the_callers_identity(mesh: PrivateMesh) -> None:
    tokens = mesh.log_in("alice")
    seen = mesh.gate.get("/bank/whoami/?page=1", headers=bearer(tokens["access"])).json()
    claims = json.loads(b64url_decode(tokens["access"].split(".")[1]))
    assert seen["path"] == "/whoami/"
    assert seen["headers"] == {
        "x-user-id": claims["sub"],
        "x-user-name": "alice",
        "x-user-scope": "bank.read bank.write payment.read payment.write",
    }
    assert seen["authorization_present"] is False
    assert seen["request_id"]


@pytest.mark.parametrize(
    "name", ["X-User-Id", "x-user-id", "x_user_id", "X.User.Id", "X_USER_ID", "x-user_id", "x~user~id"]
)
def test_a_forged_identity_changes_nothing_for_the_bank(mesh: PrivateMesh, name: str) -> None:
    alice = mesh.as_user("alice")
    bobs_id = mesh.account(mesh.as_user("bob"))["owner"]
    forged = [(name, bobs_id), ("X-User-Name", "bob"), ("x_user_name", "bob"), *alice.items()]
    accounts = exchange(mesh.ports.gateway, request_bytes("GET", "/bank/accounts/", forged))
    assert accounts is not None and accounts.status_code == 200
    assert json.loads(accounts.content)["accounts"] == [mesh.account(alice)]
    whoami = exchange(mesh.ports.gateway, request_bytes("GET", "/bank/whoami/", forged))
    assert whoami is not None
    seen = json.loads(whoami.content)["headers"]
    assert set(seen) == {"x-user-id", "x-user-name", "x-user-scope"}
    assert seen["x-user-id"] == mesh.account(alice)["owner"] and seen["x-user-name"] == "alice"


def test_the_services_can_not_be_reached_without_the_gate_from_outside(mesh: PrivateMesh) -> None:
    """They believe headers, so they listen on loopback only; the gateway is the only entrance."""
    listening = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, state = line.split()[1], line.split()[3]
        host, port = address.split(":")
        if state == "0A" and int(port, 16) in vars(mesh.ports).values():
            listening.add((bytes.fromhex(host)[::-1], int(port, 16)))
    assert {port for _, port in listening} == set(vars(mesh.ports).values())
    assert {host for host, _ in listening} == {b"\x7f\0\0\x01"}


# ---- money -------------------------------------------------------------------------------------------------------------


def test_a_transfer_moves_money_once_however_often_it_is_repeated(mesh: PrivateMesh) -> None:
    alice, bob = mesh.as_user("alice"), mesh.as_user("bob")
    hers, his = mesh.account(alice), mesh.account(bob)
    key = str(uuid.uuid4())
    first = mesh.transfer(alice, hers["id"], his["id"], 1234, key)
    assert first.status_code == 201, first.text
    with ThreadPoolExecutor(10) as pool:
        repeats = list(pool.map(lambda _: mesh.transfer(alice, hers["id"], his["id"], 1234, key), range(30)))
    for repeat in repeats:
        assert repeat.status_code in (200, 201), repeat.text
        assert repeat.json() == first.json()
    assert mesh.account(alice)["balance"] == hers["balance"] - 1234
    assert mesh.account(bob)["balance"] == his["balance"] + 1234


def test_thirty_first_tries_at_once_are_one_transfer(mesh: PrivateMesh) -> None:
    alice, bob = mesh.as_user("alice"), mesh.as_user("bob")
    hers, his = mesh.account(alice), mesh.account(bob)
    key = str(uuid.uuid4())
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: mesh.transfer(alice, hers["id"], his["id"], 10, key), range(30)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.text for answer in answers}) == 1
    assert mesh.account(alice)["balance"] == hers["balance"] - 10


def test_a_key_for_another_transfer_is_refused(mesh: PrivateMesh) -> None:
    alice, bob = mesh.as_user("alice"), mesh.as_user("bob")
    hers, his = mesh.account(alice), mesh.account(bob)
    key = str(uuid.uuid4())
    assert mesh.transfer(alice, hers["id"], his["id"], 10, key).status_code == 201
    other = mesh.transfer(alice, hers["id"], his["id"], 11, key)
    assert other.status_code in (409, 422)
    problem(other, other.status_code)
    assert mesh.account(alice)["balance"] == hers["balance"] - 10


def test_the_same_money_is_never_spent_twice(mesh: PrivateMesh) -> None:
    alice, bob = mesh.as_user("alice"), mesh.as_user("bob")
    hers, his = mesh.account(alice), mesh.account(bob)
    part = his["balance"] // 3 + 1
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: mesh.transfer(bob, his["id"], hers["id"], part), range(12)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, *[409] * 10]
    assert mesh.account(bob)["balance"] == his["balance"] - 2 * part >= 0
    assert mesh.account(alice)["balance"] == hers["balance"] + 2 * part
    # Give it back: the other tests need him solvent.
    assert mesh.transfer(alice, hers["id"], his["id"], 2 * part).status_code == 201


def test_nobody_spends_from_an_account_of_another(mesh: PrivateMesh) -> None:
    alice, bob = mesh.as_user("alice"), mesh.as_user("bob")
    hers, his = mesh.account(alice), mesh.account(bob)
    answer = mesh.transfer(bob, hers["id"], his["id"], 10)
    assert answer.status_code in (403, 404), answer.text
    problem(answer, answer.status_code)
    assert mesh.account(alice)["balance"] == hers["balance"]


def test_a_payment_request_is_paid_or_declined_by_the_one_who_is_asked(mesh: PrivateMesh) -> None:
    alice, bob = mesh.as_user("alice"), mesh.as_user("bob")
    hers, his = mesh.account(alice), mesh.account(bob)

    def ask(amount: int) -> str:
        order = {"payer": his["owner"], "to_account": hers["id"], "amount": amount, "reference": "lunch"}
        answer = mesh.gate.post("/payment/requests/", json=order, headers=alice)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    paid, declined = ask(700), ask(800)
    incoming = {request["id"] for request in mesh.gate.get("/payment/requests/", headers=bob).json()["requests"]}
    assert {paid, declined} <= incoming
    accepted_by_asker = mesh.gate.post(f"/payment/requests/{paid}/accept/", headers=alice)
    assert accepted_by_asker.status_code in (403, 404)
    accepted = mesh.gate.post(f"/payment/requests/{paid}/accept/", headers=bob)
    assert accepted.status_code == 200, accepted.text
    assert mesh.gate.post(f"/payment/requests/{declined}/decline/", headers=bob).status_code == 200
    problem(mesh.gate.post(f"/payment/requests/{declined}/accept/", headers=bob), 409)
    again = mesh.gate.post(f"/payment/requests/{paid}/accept/", headers=bob)
    assert again.json()["transfer"] == accepted.json()["transfer"], "accepted twice, paid once"
    assert mesh.account(alice)["balance"] == hers["balance"] + 700
    assert mesh.account(bob)["balance"] == his["balance"] - 700


# ---- tokens ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/token/", "/api/auth/token/", "/auth/api/token/", "/auth/api/auth/token/"])
def test_a_token_can_be_had_by_json_and_by_form_at_every_address(mesh: PrivateMesh, path: str) -> None:
    user = {"username": "alice", "password": PASSWORDS["alice"]}
    for answer in (mesh.gate.post(path, json=user), mesh.gate.post(path, data=user)):
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"access", "refresh"}
        assert mesh.gate.get("/bank/accounts/", headers=bearer(answer.json()["access"])).status_code == 200


def test_a_wrong_password_and_an_unknown_user_look_the_same(mesh: PrivateMesh) -> None:
    wrong = mesh.gate.post("/api/token/", json={"username": "alice", "password": "not-her-password"})
    unknown = mesh.gate.post("/api/token/", json={"username": "mallory", "password": "not-her-password"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["detail"] == "No active account found with the given credentials"


def test_a_refresh_token_gives_a_new_access_token_and_is_spent(mesh: PrivateMesh) -> None:
    refresh = mesh.log_in("alice")["refresh"]
    answer = mesh.gate.post("/api/token/refresh/", json={"refresh": refresh})
    assert answer.status_code == 200, answer.text
    assert mesh.gate.get("/bank/accounts/", headers=bearer(answer.json()["access"])).status_code == 200
    assert mesh.gate.post("/api/token/refresh/", json={"refresh": refresh}).status_code == 401


def test_a_refresh_token_is_no_access_token(mesh: PrivateMesh) -> None:
    refresh = mesh.log_in("alice")["refresh"]
    for path in ("/bank/accounts/", "/payment/transfers/", "/admin/"):
        answer = mesh.gate.get(path, headers=bearer(refresh))
        # Its audience is wrong too (403); that it is no access token is what helps its bearer.
        assert problem(answer, 401)["code"] == "token_type_not_allowed"


def test_an_access_token_is_no_refresh_token(mesh: PrivateMesh) -> None:
    access = mesh.log_in("alice")["access"]
    assert mesh.gate.post("/api/token/refresh/", json={"refresh": access}).status_code == 401


def test_the_published_keys_hold_nothing_private(mesh: PrivateMesh) -> None:
    for path in ("/.well-known/jwks.json", "/auth/.well-known/jwks.json"):
        answer = mesh.gate.get(path)
        assert answer.status_code == 200
        for key in answer.json()["keys"]:
            assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


# ---- the other routes --------------------------------------------------------------------------------------------------


def test_health_answers_at_the_gate(mesh: PrivateMesh) -> None:
    assert mesh.gate.get("/health/").json() == {"status": "ok"}


def test_an_unknown_path_is_a_404_problem_for_callers_and_401_for_strangers(mesh: PrivateMesh) -> None:
    for path in ("/", "/nowhere/", "/bankrupt/", "/api/", "/health/ready", "/health/live"):
        challenged(mesh.gate.get(path))
        problem(mesh.gate.get(path, headers=mesh.as_user("alice")), 404)


def test_the_console_is_protected_and_not_there_yet(mesh: PrivateMesh) -> None:
    challenged(mesh.gate.get("/admin/"))
    assert mesh.gate.get("/admin/", headers=mesh.as_user("alice")).status_code == 404


def test_media_is_protected_and_static_is_public(mesh: PrivateMesh) -> None:
    (mesh.mesh.settings.run_dir / "media" / "note.txt").write_text("hello")
    challenged(mesh.gate.get("/media/note.txt"))
    assert mesh.gate.get("/media/note.txt", headers=mesh.as_user("alice")).text == "hello"
    assert mesh.gate.get("/static/nothing-here.css").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/auth/health/ready",
        "/auth/metrics",
        "/auth/../metrics",
        "/auth/..%2fmetrics",
        "/api/token/../../metrics",
        "/static/../metrics",
        "/.well-known/../health/ready",
    ],
)
def test_the_issuers_inside_can_not_be_reached_through_its_public_paths(mesh: PrivateMesh, path: str) -> None:
    answer = exchange(mesh.ports.gateway, request_bytes("GET", path))
    assert answer is not None and answer.status_code in (400, 401, 404), answer
    assert b"ready" not in answer.content and b"# TYPE" not in answer.content


def test_every_part_writes_its_log_and_no_token_is_in_any(mesh: PrivateMesh) -> None:
    tokens = mesh.log_in("alice")
    mesh.gate.get("/bank/accounts/", headers=bearer(tokens["access"]))
    mesh.gate.post("/api/token/refresh/", json={"refresh": tokens["refresh"]})
    for file in (mesh.mesh.settings.run_dir / "logs").iterdir():
        text = file.read_text(errors="replace")
        for token in tokens.values():
            assert token not in text and token.split(".")[2] not in text, file
        for password in PASSWORDS.values():
            assert password not in text, file


# ---- how it stands on the machine --------------------------------------------------------------------------------------


def test_secrets_are_readable_by_their_owner_only(mesh: PrivateMesh) -> None:
    folder = mesh.mesh.settings.run_dir / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    tls = mesh.mesh.settings.run_dir / "tls"
    assert tls.stat().st_mode & 0o777 == 0o700
    files = [*folder.iterdir(), *tls.iterdir()]
    assert len(files) >= 10
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert len({file.read_text() for file in files}) == len(files)


def test_no_secret_is_on_a_command_line(mesh: PrivateMesh) -> None:
    secrets = [file.read_text().strip() for file in (mesh.mesh.settings.run_dir / "secrets").iterdir()]
    for pid in mesh.mesh.pids().values():
        command = Path(f"/proc/{pid}/cmdline").read_text()
        assert not [secret for secret in secrets if secret in command]


def test_postgres_never_runs_as_root(mesh: PrivateMesh) -> None:
    status = Path(f"/proc/{mesh.mesh.pids()['postgres']}/status").read_text()
    user_ids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    assert "0" not in user_ids


@pytest.mark.parametrize(
    ("role", "database", "sql", "allowed"),
    [
        ("gatehouse_issuer", "gatehouse_issuer", "SELECT count(*) FROM users", True),
        ("gatehouse_issuer", "gatehouse_issuer", "CREATE TABLE intruder (id int)", False),
        ("gatehouse_issuer", "gatehouse_issuer", "DROP TABLE users", False),
        ("gatehouse_demo", "gatehouse_demo", "CREATE TABLE intruder (id int)", False),
        ("gatehouse_demo", "gatehouse_issuer", "SELECT 1", False),
        ("gatehouse_issuer", "gatehouse_demo", "SELECT 1", False),
    ],
)
def test_a_service_may_change_rows_but_not_the_schema_nor_anothers_database(
    mesh: PrivateMesh, role: str, database: str, sql: str, allowed: bool
) -> None:
    settings = mesh.mesh.settings
    url = Postgres(settings, SecretFiles(settings.run_dir / "secrets")).url(role, database)
    result = subprocess.run([str(settings.tools.postgres_bin / "psql"), url, "-c", sql], capture_output=True, text=True)
    assert (result.returncode == 0) is allowed, result.stderr
