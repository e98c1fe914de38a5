"""The OpenAPI documents of all services, compared with what the services do behind the gate: each operation is asked as it
says, and asked wrongly, and every answer must be one that the document knows, of the form that it gives."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from harness.openapi import METHODS, Document
from harness.private_mesh import PASSWORDS, PrivateMesh
from harness.refusals import problem

# Where a service's document is, seen from a client.
DOCUMENTS = {"bank": "/bank/openapi.json", "payment": "/payment/openapi.json", "issuer": "/auth/openapi.json"}
PAGES = {"bank": "/bank/docs/", "payment": "/payment/docs/", "issuer": "/auth/docs/"}


@pytest.fixture(scope="module")
def documents(mesh: PrivateMesh) -> dict[str, Document]:
    """Read without a token."""
    found = {}
    for name, path in DOCUMENTS.items():
        answer = mesh.gate.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["content-type"] == "application/json", path
        found[name] = Document(answer.json())
    return found


class People:
    """Who asks, and what there is to ask for."""

    def __init__(self, mesh: PrivateMesh) -> None:
        self.mesh = mesh
        self.alice, self.bob, self.olivia = (mesh.as_user(name) for name in ("alice", "bob", "olivia"))
        self.hers, self.his = mesh.account(self.alice), mesh.account(self.bob)

    def order(self) -> dict[str, Any]:
        """A transfer of Alice's."""
        return {"from_account": self.hers["id"], "to_account": self.his["id"], "amount": 1, "reference": "Walk"}

    def ask_of(self, payer: Mapping[str, Any], account: Mapping[str, Any]) -> dict[str, Any]:
        """A payment request."""
        return {"payer": payer["owner"], "to_account": account["id"], "amount": 1}

    def transfer(self) -> str:
        """The id of a new transfer of Alice's."""
        answer = self.mesh.transfer(self.alice, self.hers["id"], self.his["id"], 1)
        return answer.json()["id"]

    def request_of(self, asker: Mapping[str, str], order: Mapping[str, Any]) -> str:
        """The id of a new payment request."""
        answer = self.mesh.gate.post("/payment/requests/", json=dict(order), headers=dict(asker))
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]


@pytest.fixture(scope="module")
def people(mesh: PrivateMesh) -> People:
    """Alice, Bob and Olivia."""
    return People(mesh)


def keyed() -> dict[str, str]:
    """A fresh idempotency key."""
    return {"idempotency-key": str(uuid.uuid4())}


# How each operation succeeds: the id in its path, and what is sent. An operation that is missing here fails the tests.
SUCCESSES: dict[str, Callable[[People], dict[str, Any]]] = {
    "listAccounts": lambda people: {"params": {"limit": 1}},
    "showAccount": lambda people: {"id": people.hers["id"]},
    "listTransactions": lambda people: {"id": people.hers["id"], "params": {"limit": 3}},
    "showWhoami": lambda people: {},
    "showHealth": lambda people: {},
    "createTransfer": lambda people: {"json": people.order(), "headers": keyed()},
    "listTransfers": lambda people: {"params": {"direction": "outgoing", "limit": 1}},
    "showTransfer": lambda people: {"id": people.transfer()},
    "createPaymentRequest": lambda people: {"json": people.ask_of(people.his, people.hers), "headers": keyed()},
    "listPaymentRequests": lambda people: {"params": {"direction": "incoming"}},
    "showPaymentRequest": lambda people: {"id": people.request_of(people.alice, people.ask_of(people.his, people.hers))},
    "acceptPaymentRequest": lambda people: {
        "id": people.request_of(people.bob, people.ask_of(people.hers, people.his)),
        "json": {"from_account": people.hers["id"]},
    },
    "declinePaymentRequest": lambda people: {
        "id": people.request_of(people.bob, people.ask_of(people.hers, people.his))
    },
    "cancelPaymentRequest": lambda people: {
        "id": people.request_of(people.alice, people.ask_of(people.his, people.hers))
    },
    "obtainTokens": lambda people: {"json": {"username": "alice", "password": PASSWORDS["alice"]}},
    "obtainTokensToo": lambda people: {"data": {"username": "alice", "password": PASSWORDS["alice"]}},
    "refreshTokens": lambda people: {"json": {"refresh": people.mesh.log_in("alice")["refresh"]}},
    "publishKeys": lambda people: {},
}


def operations(documents: dict[str, Document]) -> Iterator[tuple[Document, str, str, dict[str, Any]]]:
    """Each with its document, path and method."""
    for document in documents.values():
        for path, method, operation in document.operations():
            yield document, path, method, operation


def ask(
    mesh: PrivateMesh, document: Document, path: str, method: str, caller: Mapping[str, str], **sent: Any
) -> httpx.Response:
    """Asks through the gate."""
    headers = {**caller, **sent.pop("headers", {})}
    full = document.server + path.replace("{id}", str(sent.pop("id", uuid.uuid4())))
    return mesh.gate.request(method, full, headers=headers, **sent)


def test_every_operation_that_is_described_works_and_answers_as_described(
    mesh: PrivateMesh, people: People, documents: dict[str, Document]
) -> None:
    known = set()
    for document, path, method, operation in operations(documents):
        name = operation["operationId"]
        known.add(name)
        answer = ask(mesh, document, path, method, people.alice, **SUCCESSES[name](people))
        assert answer.is_success, (name, answer.status_code, answer.text)
        document.check(operation, answer)
    assert known == set(SUCCESSES)


# No body that is too large: a service that refuses it unread may close the connection before Envoy has its answer, and 503 is
# right then as well. The services' own tests have 413.
WRONG: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no JSON": {"content": b"{", "headers": {"content-type": "application/json"}},
    "no object": {"json": [1]},
    "wrong fields": {"json": {"nobody": "knows"}, "headers": {"idempotency-key": "wrong-fields"}},
    "wrong types": {"json": {"amount": "1", "username": True, "refresh": 5}, "headers": {"idempotency-key": "wrong-types"}},
    "another type": {"content": b"x", "headers": {"content-type": "text/plain", "idempotency-key": "another-type"}},
    "unknown parameter": {"params": {"nobody": "knows"}},
    "parameter out of range": {"params": {"limit": 0}},
    "no id": {"id": "no-id"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_is_wrong_with_a_request_the_answer_is_one_that_is_described(
    mesh: PrivateMesh, people: People, documents: dict[str, Document], wrong: str
) -> None:
    for document, path, method, operation in operations(documents):
        sent = dict(WRONG[wrong])
        if "requestBody" not in operation:
            # Nor a body where none is read.
            sent.pop("content", None)
            sent.pop("json", None)
        answer = ask(mesh, document, path, method, people.alice, **sent)
        document.check(operation, answer)


def test_the_scopes_that_are_described_are_the_ones_that_are_needed(
    mesh: PrivateMesh, people: People, documents: dict[str, Document]
) -> None:
    for document, path, method, operation in operations(documents):
        scopes = [scope for way in operation.get("security", []) for scope in way["bearer"]]
        without = ask(mesh, document, path, method, {})
        document.check(operation, without)
        # The gate's own 401; the issuer's public endpoints have one too, for wrong credentials only.
        assert (without.status_code == 401) == bool(operation.get("security")), (path, without.text)
        reader = ask(mesh, document, path, method, people.olivia)
        document.check(operation, reader)
        writes = any(scope.endswith(".write") for scope in scopes)
        assert (reader.status_code == 403) == writes, (path, method, reader.text)
        if writes:
            assert [problem(reader, 403, "insufficient_scope")["scope"]] == scopes


def test_the_refusals_of_what_others_own_and_of_what_can_not_be_are_described(
    mesh: PrivateMesh, people: People, documents: dict[str, Document]
) -> None:
    payment, issuer = documents["payment"], documents["issuer"]

    def met(document: Document, name: str, status: int, caller: Mapping[str, str], **sent: Any) -> None:
        path, method, operation = document.operation(name)
        answer = ask(mesh, document, path, method, caller, **sent)
        assert answer.status_code == status, (name, answer.status_code, answer.text)
        document.check(operation, answer)

    asked = people.request_of(people.alice, people.ask_of(people.his, people.hers))
    met(payment, "acceptPaymentRequest", 403, people.alice, id=asked)
    met(payment, "declinePaymentRequest", 403, people.alice, id=asked)
    met(payment, "cancelPaymentRequest", 403, people.bob, id=asked)
    met(payment, "cancelPaymentRequest", 200, people.alice, id=asked)
    met(payment, "acceptPaymentRequest", 409, people.bob, id=asked)
    met(payment, "declinePaymentRequest", 409, people.bob, id=asked)
    too_much = {**people.order(), "amount": 2**53 - 1}
    met(payment, "createTransfer", 409, people.alice, json=too_much, headers=keyed())
    to_nobody = {**people.order(), "to_account": str(uuid.uuid4())}
    met(payment, "createTransfer", 404, people.alice, json=to_nobody, headers=keyed())
    of_nobody = {**people.ask_of(people.his, people.hers), "payer": str(uuid.uuid4())}
    met(payment, "createPaymentRequest", 404, people.alice, json=of_nobody)
    met(issuer, "obtainTokens", 401, {}, json={"username": "alice", "password": "not-her-password"})
    spent = mesh.log_in("bob")["refresh"]
    met(issuer, "refreshTokens", 200, {}, json={"refresh": spent})
    met(issuer, "refreshTokens", 401, {}, json={"refresh": spent})
    tag = mesh.gate.get("/.well-known/jwks.json").headers["etag"]
    met(issuer, "publishKeys", 304, {}, headers={"if-none-match": tag})


def test_a_method_that_is_not_described_is_not_there(
    mesh: PrivateMesh, people: People, documents: dict[str, Document]
) -> None:
    for document in documents.values():
        for path, item in document.paths.items():
            for method in sorted(METHODS - set(item)):
                answer = ask(mesh, document, path, method, people.alice)
                assert answer.status_code == 405, (method, path, answer.status_code, answer.text)


def test_documents_are_sound(documents: dict[str, Document]) -> None:
    for _, path, method, operation in operations(documents):
        assert operation["summary"], (path, method)
        placed = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
        assert placed == set(re.findall(r"{(\w+)}", path)), path
    for document in documents.values():
        names = [operation["operationId"] for _, _, operation in document.operations()]
        assert len(names) == len(set(names)), names
        assert document.whole["openapi"].startswith("3.1"), document.whole["openapi"]
        assert document.unresolved() == []


class Page(HTMLParser):
    """What a page would have a browser fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.forbidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.fetched += [value for name, value in attrs if name in ("src", "srcset", "data", "poster") and value]
        if tag == "a":
            self.links.append(given.get("href") or "")
        elif tag in ("script", "link", "iframe", "object", "embed", "base", "form", "img") or "style" in given:
            self.forbidden.append(tag)
        self.forbidden += [name for name in given if name.startswith("on")]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_public_shows_every_operation_and_needs_nothing_from_anywhere(
    mesh: PrivateMesh, documents: dict[str, Document], name: str
) -> None:
    answer = mesh.gate.get(PAGES[name])
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = Page()
    page.feed(answer.text)
    assert (page.fetched, page.forbidden) == ([], [])
    for path, method, _ in documents[name].operations():
        assert f'<span class="method">{method.upper()}</span> <code>{path}</code>' in answer.text, (method, path)
    # Nothing may run or be fetched; the one style is named by its hash.
    policy = answer.headers["content-security-policy"]
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert "default-src 'none'" in policy and f"style-src 'sha256-{digest}'" in policy, policy
    # Its link leads to the document, also through the gate.
    (link,) = page.links
    led = mesh.gate.get(str(httpx.URL(PAGES[name]).join(link)))
    assert led.status_code == 200 and led.json() == documents[name].whole


def test_only_the_document_and_the_page_are_public(mesh: PrivateMesh, people: People) -> None:
    for service, path in itertools.product(("bank", "payment"), ("/", "/health/", "/docs", "/openapi", "/docsx/")):
        answer = mesh.gate.get(f"/{service}{path}")
        # Whole segments: /docs belongs to the page's service, where nothing is without the slash at the end.
        assert answer.status_code == (404 if path == "/docs" else 401), (service, path, answer.text)
    for path in ("/bank/docs/accounts/", "/bank/openapi.json/accounts/", "/bank/docs/openapi.json"):
        assert mesh.gate.get(path).status_code == 404, path
    for path in itertools.chain(PAGES.values(), DOCUMENTS.values()):
        assert mesh.gate.head(path).status_code == 200, path
        assert mesh.gate.post(path, headers=people.alice).status_code == 405, path


def test_the_issuer_has_both_at_its_root_as_well(mesh: PrivateMesh, documents: dict[str, Document]) -> None:
    assert mesh.issuer.get("/openapi.json").json() == documents["issuer"].whole
    assert mesh.issuer.get("/docs/").text == mesh.gate.get(PAGES["issuer"]).text


def test_a_schema_is_called_by_its_name_wherever_it_is_used(documents: dict[str, Document]) -> None:
    for document, path, method, operation in operations(documents):
        for status, described in operation["responses"].items():
            for content in described.get("content", {}).values():
                assert set(content["schema"]) == {"$ref"}, (method, path, status)


def test_who_has_the_issuers_document_is_not_sent_it_again(mesh: PrivateMesh) -> None:
    for path in (PAGES["issuer"], DOCUMENTS["issuer"]):
        first = mesh.gate.get(path)
        assert first.headers["cache-control"] == "no-cache"
        again = mesh.gate.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path
