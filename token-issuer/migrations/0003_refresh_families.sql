-- One row for one login: the family of refresh tokens that descend from it. Only the newest token of a family may be
-- used, so its hash is all that must be known; every other token with a good signature and this family's id is a spent
-- one. The table therefore grows with logins, not with refreshes.
CREATE TABLE refresh_families (
    id                 uuid        PRIMARY KEY,
    user_id            uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    current_token_hash bytea       NOT NULL CHECK (octet_length(current_token_hash) = 32),
    rotations          bigint      NOT NULL DEFAULT 0,
    created_at         timestamptz NOT NULL,
    last_used_at       timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    ended_at           timestamptz,
    ended_reason       text        CHECK (ended_reason IN ('reuse', 'user_disabled', 'password_changed')),
    CHECK ((ended_at IS NULL) = (ended_reason IS NULL))
);

CREATE INDEX refresh_families_by_user ON refresh_families (user_id);
CREATE INDEX refresh_families_by_expiry ON refresh_families (expires_at);
