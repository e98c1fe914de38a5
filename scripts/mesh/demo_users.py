"""The users that `make up` makes, so that there is something to try. Their passwords are public: a demo, no more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoUser:
    """A user of the token issuer with an account at the bank."""

    name: str
    password: str
    opening_balance: int
    currency: str = "EUR"


# What a demo user may do; the services of the demo mesh are named in it.
SCOPE = "bank.read bank.write payment.read payment.write"

ALICE = DemoUser("alice", "alice-demo-password", 100_000)
BOB = DemoUser("bob", "bob-demo-password", 50_000)
DEMO_USERS = (ALICE, BOB)
