"""Four hundred requests at once: every one is answered, and rightly."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from harness.private_mesh import PASSWORDS, PrivateMesh, private_mesh
from harness.tokens import bearer
from mesh.settings import Tools

AT_ONCE = 400


@pytest.fixture(scope="module")
def mesh(tools: Tools) -> Iterator[PrivateMesh]:
    """The bank waits longer for a database connection than it would for a person: a slow machine is no failure."""
    with private_mesh(tools, demo_environment={"DEMO_ACQUIRE_TIMEOUT": "10"}) as running:
        yield running


def fire(mesh: PrivateMesh, requests: list[tuple[str, str, dict[str, str]]]) -> list[httpx.Response]:
    """All of them at the same moment, each on a connection of its own."""

    async def all_at_once() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=len(requests), max_keepalive_connections=0)
        async with httpx.AsyncClient(
            base_url=str(mesh.gate.base_url), trust_env=False, timeout=120, limits=limits
        ) as client:
            start = asyncio.Event()

            async def one(method: str, path: str, headers: dict[str, str]) -> httpx.Response:
                await start.wait()
                return await client.request(method, path, headers=headers)

            tasks = [asyncio.create_task(one(*request)) for request in requests]
            await asyncio.sleep(0)
            start.set()
            return await asyncio.gather(*tasks)

    return asyncio.run(all_at_once())


def test_four_hundred_requests_at_once_are_all_answered(mesh: PrivateMesh) -> None:
    alice, bob = mesh.as_user("alice"), mesh.as_user("bob")
    hers, his = mesh.account(alice)["id"], mesh.account(bob)["id"]
    requests = [("GET", "/bank/accounts/", alice if number % 2 else bob) for number in range(AT_ONCE)]
    answers = fire(mesh, requests)
    assert Counter(answer.status_code for answer in answers) == {200: AT_ONCE}
    for number, answer in enumerate(answers):
        (account,) = answer.json()["accounts"]
        assert account["id"] == (hers if number % 2 else his), "nobody gets another's answer"


def test_four_hundred_of_all_kinds_at_once_get_what_each_deserves(mesh: PrivateMesh) -> None:
    alice = mesh.as_user("alice")
    kinds = [
        (("GET", "/bank/accounts/", alice), 200),
        (("GET", "/payment/transfers/", alice), 200),
        (("GET", "/bank/accounts/", {}), 401),
        (("GET", "/bank/accounts/", bearer("x.y.z")), 401),
        (("GET", "/nowhere/", alice), 404),
        (("GET", "/health/", {}), 200),
        (("GET", "/.well-known/jwks.json", {}), 200),
        (("GET", "/bank%2f", alice), 400),
    ]
    chosen = [kinds[number % len(kinds)] for number in range(AT_ONCE)]
    answers = fire(mesh, [request for request, _ in chosen])
    wrong = [
        (request[1], expected, answer.status_code, answer.text[:200])
        for (request, expected), answer in zip(chosen, answers, strict=True)
        if answer.status_code != expected
    ]
    assert wrong == []


def test_a_burst_of_logins_is_answered_with_tokens_or_a_polite_503(mesh: PrivateMesh) -> None:
    """Password hashing is bounded: whoever can't be served in time is told so, and nobody is left hanging."""

    async def burst() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=60)
        async with httpx.AsyncClient(
            base_url=str(mesh.gate.base_url), trust_env=False, timeout=120, limits=limits
        ) as client:
            user = {"username": "bob", "password": PASSWORDS["bob"]}
            return await asyncio.gather(*(client.post("/api/token/", json=user) for _ in range(60)))

    answers = asyncio.run(burst())
    counts = Counter(answer.status_code for answer in answers)
    assert set(counts) <= {200, 503} and counts[200] > 0, counts
    assert mesh.log_in("bob")["access"]
