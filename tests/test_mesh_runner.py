"""The runner's own small parts: settings, rendering, secrets."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from mesh.certificates import ServerFiles
from mesh.errors import MeshError
from mesh.render import render
from mesh.secret_files import SecretFiles
from mesh.settings import (
    MESH_TOKEN_ISSUER_ENVIRONMENT,
    PASSED_TO_DEMO,
    PASSED_TO_TOKEN_ISSUER,
    PORT_SETTINGS,
    ROOT,
    Ports,
    Settings,
    Tools,
    read_dotenv,
)

TEMPLATE = (ROOT / "envoy.yaml").read_text()


def settings(**changes: str) -> Settings:
    return Settings.load(changes, dotenv=Path("/nonexistent"))


def test_the_defaults_are_the_documented_ones() -> None:
    """.env.example names every setting, and the runner without any setting behaves as with all of them."""
    documented = read_dotenv(ROOT / ".env.example")
    services = {"token_issuer_environment": {**MESH_TOKEN_ISSUER_ENVIRONMENT}, "demo_environment": {}}
    assert settings() == replace(settings(**documented), **services)
    assert MESH_TOKEN_ISSUER_ENVIRONMENT.items() <= documented.items()
    assert settings(**documented).demo_environment == {name: documented[name] for name in PASSED_TO_DEMO}
    known = {
        *PORT_SETTINGS.values(),
        *PASSED_TO_TOKEN_ISSUER,
        *PASSED_TO_DEMO,
        "GATEHOUSE_BIND",
        "GATEHOUSE_HTTP_REDIRECT",
        "GATEHOUSE_ISSUER",
        "GATEHOUSE_AUDIENCE",
        "GATEHOUSE_ACCESS_TOKEN_LIFETIME",
        "GATEHOUSE_REFRESH_TOKEN_LIFETIME",
        "GATEHOUSE_VENV",
        "GATEHOUSE_DIST",
        "GATEHOUSE_ENVOY",
        "GATEHOUSE_POSTGRES_BIN",
        "GATEHOUSE_TOKEN_ISSUER",
        "GATEHOUSE_DEMO",
        "GATEHOUSE_PLUGIN",
        "GATEHOUSE_COMMAND",
        "GATEHOUSE_RUN_DIR",
        "GATEHOUSE_ENVOY_LOG_LEVEL",
        "GATEHOUSE_ENVOY_WORKERS",
    }
    assert set(documented) == known


def test_every_setting_that_the_runner_reads_is_documented() -> None:
    source = "".join(file.read_text() for file in (ROOT / "scripts" / "mesh").glob("*.py"))
    read = set(re.findall(r'"((?:GATEHOUSE|DEMO)_[A-Z0-9_]+)"', source))
    # Given to the services by the runner itself, or to the command of with-postgres.
    given = {
        "GATEHOUSE_DATABASE_URL",
        "GATEHOUSE_LISTEN",
        "GATEHOUSE_KEY_ENCRYPTION_KEY_FILE",
        "GATEHOUSE_MEDIA_DIR",
        "GATEHOUSE_TEST_POSTGRES_URL",
        "DEMO_DATABASE_URL",
        "DEMO_LISTEN",
    }
    assert read - given == set(read_dotenv(ROOT / ".env.example"))


def test_the_issuer_follows_the_port_unless_it_is_set() -> None:
    assert settings().issuer == "http://localhost:8080"
    assert settings(GATEHOUSE_PORT="9090").issuer == "http://localhost:9090"
    assert settings(GATEHOUSE_PORT="9090", GATEHOUSE_ISSUER="https://id.example").issuer == "https://id.example"


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80 80", "\u0661"])
def test_a_port_that_is_none_is_refused_by_name(port: str) -> None:
    with pytest.raises(MeshError, match="GATEHOUSE_PORT"):
        settings(GATEHOUSE_PORT=port)


def test_the_redirect_is_on_or_off_and_nothing_between() -> None:
    assert not settings().http_redirect and not settings(GATEHOUSE_HTTP_REDIRECT="off").http_redirect
    assert settings(GATEHOUSE_HTTP_REDIRECT="on").http_redirect
    for value in ("true", "1", "On", "yes"):
        with pytest.raises(MeshError, match="neither on nor off"):
            settings(GATEHOUSE_HTTP_REDIRECT=value)


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "# comment\nGATEHOUSE_PORT=1111\nexport GATEHOUSE_BANK_PORT = '2222'\nGATEHOUSE_AUDIENCE=\"a=b #c\"\n\n"
    )
    loaded = Settings.load({"GATEHOUSE_PORT": "3333"}, dotenv=dotenv)
    assert (loaded.ports.gateway, loaded.ports.bank, loaded.audience) == (3333, 2222, "a=b #c")


def test_a_line_that_is_no_setting_is_refused_by_number(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("GATEHOUSE_PORT=1\nnonsense\n")
    with pytest.raises(MeshError, match="line 2"):
        Settings.load({}, dotenv=dotenv)


TLS = ServerFiles(Path("/tls/gateway.crt"), Path("/tls/gateway.key"), Path("/tls/ca.crt"))


def test_rendering_leaves_no_host_name_of_compose_and_changes_nothing_else(tools: Tools) -> None:
    ports = Ports(
        gateway=1001, gateway_tls=1007, admin=1002, token_issuer=1003, bank=1004, payment=1005, postgres=1006
    )
    chosen = Settings(
        run_dir=Path("/x"),
        tools=tools,
        ports=ports,
        bind="127.0.0.1",
        http_redirect=True,
        issuer='https://id.example/"x"',
    )
    rendered = render(TEMPLATE, chosen, TLS)
    # The admin interface is listened on, and is the cluster behind /metrics/.
    for port, times in ((1001, 1), (1002, 2), (1003, 1), (1004, 1), (1005, 1), (1007, 1)):
        assert rendered.count(f"{{ address: 127.0.0.1, port_value: {port} }}") == times
    assert str(tools.plugin.resolve()) in rendered
    assert '"/tls/gateway.crt"' in rendered and '"/tls/gateway.key"' in rendered
    assert "port_redirect: 1007," in rendered and "gatehouse.redirect_http: 100" in rendered
    assert r'"issuer": "https://id.example/\"x\""' in rendered
    changed = [(old, new) for old, new in zip(TEMPLATE.splitlines(), rendered.splitlines(), strict=True) if old != new]
    assert len(changed) == 13, changed


def test_rendering_fails_when_the_template_changed_under_it(tools: Tools) -> None:
    chosen = Settings(run_dir=Path("/x"), tools=tools)
    with pytest.raises(MeshError, match="expected 1"):
        render(TEMPLATE.replace("port_value: 8002", "port_value: 8012"), chosen, TLS)
    with pytest.raises(MeshError, match="expected 1"):
        render(TEMPLATE + TEMPLATE, chosen, TLS)


def test_a_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first, second = SecretFiles(tmp_path / "secrets"), SecretFiles(tmp_path / "secrets")
    value = first.read("one")
    assert len(bytes.fromhex(value)) == 32
    assert second.read("one") == value != first.read("two")
    assert first.path("one").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
