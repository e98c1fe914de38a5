"""The gateway with TLS, as envoy.yaml sets it up: the same gate behind both ports, and HTTP that leads to HTTPS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from harness.config import IDENTITY_HEADERS
from harness.gate import Gate
from harness.jwks_server import JwksServer
from harness.keys import key
from harness.ports import release_port, reserve_port
from harness.raw import exchange, request_bytes
from harness.refusals import challenged
from harness.tokens import ISSUER, SUBJECT, bearer, mint
from harness.waiting import eventually

GOOD = key("ES256")
MODERN = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES256-GCM-SHA384"]
OLD = ["ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256", "AES256-SHA", "DHE-RSA-AES128-GCM-SHA256"]


class TlsGate:
    """A gate, and the authority by which its clients know it."""

    def __init__(self, gate: Gate, folder: Path) -> None:
        self.gate = gate
        self.authority = folder / "ca.crt"
        self.port = gate.envoy.listeners["gateway_tls"]
        self.url = f"https://localhost:{self.port}"

    def context(self) -> ssl.SSLContext:
        """What a client trusts: this authority alone."""
        return ssl.create_default_context(cafile=str(self.authority))

    def client(self, **options: object) -> httpx.Client:
        """A client that verifies the certificate."""
        return httpx.Client(base_url=self.url, verify=self.context(), trust_env=False, timeout=60, **options)

    def handshake(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """A connection after its handshake. Raises `ssl.SSLError` or `OSError` where there is none."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        try:
            return context.wrap_socket(raw, server_hostname="localhost")
        except BaseException:
            raw.close()
            raise


@pytest.fixture(scope="module")
def gate(
    start_shipped_gate: Callable[..., Gate],
    start_jwks_server: Callable[..., JwksServer],
    tmp_path_factory: pytest.TempPathFactory,
) -> TlsGate:
    folder = tmp_path_factory.mktemp("tls")
    started = TlsGate(start_shipped_gate(start_jwks_server(GOOD), issuer=ISSUER, tls_folder=folder), folder)
    with started.client() as client:
        eventually(
            lambda: client.get("/bank/", headers=bearer(mint(GOOD))).status_code == 200, "the keys have been fetched"
        )
    return started


@pytest.fixture(autouse=True)
def _clean(gate: TlsGate) -> None:
    gate.gate.clear()


# ---- one gate behind both ports ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offered", "version"), [({}, "HTTP/1.1"), ({"http2": True}, "HTTP/2")])
def test_the_same_gate_answers_with_tls_in_the_protocol_that_the_client_prefers(
    gate: TlsGate, offered: dict[str, bool], version: str
) -> None:
    with gate.client(**offered) as client:
        refused = client.get("/bank/accounts/")
        assert challenged(refused)["code"] == "token_missing"
        assert refused.http_version == version
        assert refused.headers["www-authenticate"] == f'Bearer realm="{gate.url}/bank/accounts/"'
        gate.gate.nobody_was_contacted()
        forged = {header["header_name"]: "forged" for header in IDENTITY_HEADERS}
        assert client.get("/bank/accounts/", headers={**forged, **bearer(mint(GOOD))}).status_code == 200
    seen = gate.gate.upstream("bank").only_request()
    assert seen.one("x-user-id") == SUBJECT and "forged" not in str(seen.headers)
    assert seen.one("x-forwarded-proto") == "https"


def test_http_without_tls_is_served_unless_it_is_told_to_lead_away(gate: TlsGate) -> None:
    assert gate.gate.get("/bank/", headers=bearer(mint(GOOD))).status_code == 200
    assert gate.gate.upstream("bank").only_request().one("x-forwarded-proto") == "http"


# ---- the handshake -----------------------------------------------------------------------------------------------------


def test_a_client_that_does_not_know_the_authority_hangs_up(gate: TlsGate) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        gate.handshake(ssl.create_default_context())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_current_versions_are_spoken(gate: TlsGate, version: ssl.TLSVersion) -> None:
    context = gate.context()
    context.minimum_version = context.maximum_version = version
    with gate.handshake(context) as connection:
        assert connection.version() == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(gate: TlsGate, version: ssl.TLSVersion) -> None:
    context = gate.context()
    # Without this the client itself would refuse them.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        gate.handshake(context)


@pytest.mark.parametrize(("suites", "agreed"), [*((suite, True) for suite in MODERN), *((suite, False) for suite in OLD)])
def test_of_tls_1_2_only_modern_suites_are_taken(gate: TlsGate, suites: str, agreed: bool) -> None:
    context = gate.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{suites}:@SECLEVEL=0")
    if agreed:
        with gate.handshake(context) as connection:
            assert connection.cipher()[0] == suites
    else:
        with pytest.raises(ssl.SSLError, match="(?i)handshake.failure"):
            gate.handshake(context)


def test_http_on_the_port_of_https_gets_no_answer_and_reaches_nobody(gate: TlsGate) -> None:
    assert exchange(gate.port, request_bytes("GET", "/bank/", list(bearer(mint(GOOD)).items()))) is None
    gate.gate.nobody_was_contacted()


# ---- HTTP that leads to HTTPS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def leading(
    start_shipped_gate: Callable[..., Gate],
    start_jwks_server: Callable[..., JwksServer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[TlsGate]:
    folder, port = tmp_path_factory.mktemp("tls"), reserve_port()
    gate = start_shipped_gate(start_jwks_server(GOOD), issuer=ISSUER, redirect_to=port, tls_folder=folder)
    yield TlsGate(gate, folder)
    release_port(port)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/bank/accounts/?page=2", "/api/token/", "/nowhere/", "/", "/healthy/"])
def test_http_leads_to_the_same_address_with_tls_and_keeps_the_method(leading: TlsGate, method: str, path: str) -> None:
    leading.gate.clear()
    for headers in ({}, bearer(mint(GOOD)), {"x-forwarded-proto": "https"}):
        answer = leading.gate.client.request(method, path, headers=headers)
        assert answer.status_code == 308, answer.text
        assert answer.headers["location"] == f"https://127.0.0.1:{leading.port}{path}"
    leading.gate.nobody_was_contacted()


def test_health_is_still_told_without_tls(leading: TlsGate) -> None:
    assert leading.gate.get("/health/").json() == {"status": "ok"}


def test_with_tls_the_gate_decides_as_ever(leading: TlsGate) -> None:
    with leading.client() as client:
        challenged(client.get("/bank/", headers={"x-forwarded-proto": "http"}))
        eventually(
            lambda: client.get("/bank/", headers=bearer(mint(GOOD))).status_code == 200, "the keys have been fetched"
        )
