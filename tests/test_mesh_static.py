"""Static files through the gate: public, cacheable, and nothing beside them."""

from __future__ import annotations

import hashlib

import pytest
from harness.private_mesh import PrivateMesh
from harness.raw import exchange, request_bytes
from mesh.settings import ROOT

FILES = {"gatehouse.css": "text/css; charset=utf-8", "logo.svg": "image/svg+xml", "favicon.svg": "image/svg+xml"}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_public_and_may_be_kept(mesh: PrivateMesh, name: str) -> None:
    answer = mesh.gate.get(f"/static/{name}")
    assert answer.status_code == 200
    content = (ROOT / "token-issuer" / "assets" / name).read_bytes()
    assert answer.content == content
    assert answer.headers["content-type"] == FILES[name]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    tag = answer.headers["etag"]
    assert tag.startswith('"') and tag.endswith('"'), tag

    head = mesh.gate.head(f"/static/{name}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(content)) and head.headers["etag"] == tag


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_the_file_is_not_sent_it_again(mesh: PrivateMesh, method: str) -> None:
    tag = mesh.gate.get("/static/logo.svg").headers["etag"]
    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = mesh.gate.request(method, "/static/logo.svg", headers={"if-none-match": held})
        assert (answer.status_code, answer.content) == (304, b""), held
        # What a cache needs to go on using its copy (RFC 9110, section 15.4.5).
        assert answer.headers["etag"] == tag and answer.headers["cache-control"] == "public, max-age=3600"
    other = mesh.gate.request(method, "/static/logo.svg", headers={"if-none-match": '"another"'})
    assert other.status_code == 200


def test_each_file_has_a_tag_of_its_own(mesh: PrivateMesh) -> None:
    answers = [mesh.gate.get(f"/static/{name}") for name in FILES]
    contents = {hashlib.sha256(answer.content).digest() for answer in answers}
    assert len({answer.headers["etag"] for answer in answers}) == len(contents) == len(FILES)


@pytest.mark.parametrize(
    "path", ["/static/", "/static", "/static/.", "/static/nothing.css", "/static/logo.svg/", "/static/css/"]
)
def test_there_is_no_list_and_no_file_beside_them(mesh: PrivateMesh, path: str) -> None:
    answer = mesh.gate.get(path)
    assert answer.status_code == 404, answer.text
    assert "logo" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../Cargo.toml",
        "/static/../../etc/passwd",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2fetc%2fpasswd",
        "/static/..%5c..%5cetc%5cpasswd",
        "/static/%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/....//etc/passwd",
        "/static/logo.svg%00.css",
        "/static/..;/metrics",
        "/static/../media/",
        "/static/%252e%252e/metrics",
    ],
)
def test_no_path_leads_out_of_them(mesh: PrivateMesh, path: str) -> None:
    answer = exchange(mesh.ports.gateway, request_bytes("GET", path))
    assert answer is not None and answer.status_code in (400, 401, 404), answer
    assert b"root:" not in answer.content and b"[workspace]" not in answer.content and b"# TYPE" not in answer.content


def test_files_are_only_read(mesh: PrivateMesh) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert mesh.gate.request(method, "/static/logo.svg").status_code == 405, method
