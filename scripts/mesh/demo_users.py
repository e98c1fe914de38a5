"""The users that `make up` makes, so that there is something to try. Their passwords are public: a demo, no more."""

from __future__ import annotations

from dataclasses import dataclass


# What demo users may do; the gate's configuration asks for these words.
CUSTOMER = "bank.read bank.write payment.read payment.write"
OPERATOR = "bank.read payment.read ops.read"


@dataclass(frozen=True)
class DemoUser:
    """A user of the token issuer with an account at the bank."""

    name: str
    password: str
    opening_balance: int
    currency: str = "EUR"
    scope: str = CUSTOMER


ALICE = DemoUser("alice", "alice-demo-password", 100_000)
BOB = DemoUser("bob", "bob-demo-password", 50_000)
# She looks at everything and moves nothing.
OLIVIA = DemoUser("olivia", "olivia-demo-password", 0, scope=OPERATOR)
DEMO_USERS = (ALICE, BOB, OLIVIA)
