-- People who may log in. The username is stored normalised (see docs/token-issuer.md), so that its uniqueness is the
-- database's business. `disabled_at` is the state: null means that the account is active.
CREATE TABLE users (
    id                  uuid        PRIMARY KEY,
    username            text        NOT NULL UNIQUE CHECK (username <> '' AND char_length(username) <= 150),
    password_hash       text        NOT NULL CHECK (password_hash <> ''),
    -- Changes when a person's password changes, not when the same password is hashed anew.
    password_changed_at timestamptz NOT NULL,
    scope               text        NOT NULL DEFAULT '',
    created_at          timestamptz NOT NULL,
    disabled_at         timestamptz
);
