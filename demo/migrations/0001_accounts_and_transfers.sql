-- Money is whole minor units (cents). 9007199254740991 = 2^53 - 1 is the largest integer that every JSON reader keeps exact.

CREATE TABLE accounts (
    id          uuid        PRIMARY KEY,
    owner       uuid        NOT NULL,
    owner_name  text        NOT NULL,
    currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    balance     bigint      NOT NULL CHECK (balance BETWEEN 0 AND 9007199254740991),
    opened_at   timestamptz NOT NULL DEFAULT now(),
    -- One account per owner and currency: a request to pay then says by itself which account pays.
    UNIQUE (owner, currency)
);

CREATE TABLE payment_requests (
    id          uuid        PRIMARY KEY,
    requester   uuid        NOT NULL,
    payer       uuid        NOT NULL,
    to_account  uuid        NOT NULL REFERENCES accounts (id),
    amount      bigint      NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
    currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    reference   text,
    status      text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'accepted', 'declined', 'cancelled')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    settled_at  timestamptz,
    CHECK (requester <> payer),
    CHECK ((status = 'pending') = (settled_at IS NULL))
);
CREATE INDEX payment_requests_by_requester ON payment_requests (requester, id DESC);
CREATE INDEX payment_requests_by_payer ON payment_requests (payer, id DESC);

CREATE TABLE transfers (
    id              uuid        PRIMARY KEY,
    payer           uuid        NOT NULL,
    payee           uuid        NOT NULL,
    from_account    uuid        NOT NULL REFERENCES accounts (id),
    to_account      uuid        NOT NULL REFERENCES accounts (id),
    amount          bigint      NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
    currency        text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    reference       text,
    -- Unique: whatever the code above does, one request can never be paid twice.
    payment_request uuid        UNIQUE REFERENCES payment_requests (id),
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (from_account <> to_account)
);
CREATE INDEX transfers_by_payer ON transfers (payer, id DESC);
CREATE INDEX transfers_by_payee ON transfers (payee, id DESC);

-- The ledger: every change of a balance, signed. An account's balance is the sum of its entries.
CREATE TABLE entries (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account       uuid        NOT NULL REFERENCES accounts (id),
    -- Absent for the opening balance alone.
    transfer      uuid        REFERENCES transfers (id),
    amount        bigint      NOT NULL CHECK (amount <> 0),
    balance_after bigint      NOT NULL CHECK (balance_after BETWEEN 0 AND 9007199254740991),
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (transfer, account)
);
CREATE UNIQUE INDEX one_opening_entry_per_account ON entries (account) WHERE transfer IS NULL;
CREATE INDEX entries_by_account ON entries (account, id DESC);

-- What a caller's key was used for. A second use waits on the primary key until the first one has committed or rolled back.
CREATE TABLE idempotency_keys (
    caller      uuid        NOT NULL,
    key         text        NOT NULL,
    request     text        NOT NULL,
    resource    uuid        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);
