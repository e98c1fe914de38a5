-- Keys that sign tokens. The private half is sealed with AES-256-GCM under a key that is not in this database; the key
-- id is its associated data, so a sealed key is of no use in another row.
CREATE TABLE signing_keys (
    kid                text        PRIMARY KEY,
    algorithm          text        NOT NULL CHECK (algorithm IN ('RS256')),
    status             text        NOT NULL CHECK (status IN ('pending', 'active', 'retiring', 'retired')),
    public_jwk         text        NOT NULL,
    -- nonce, ciphertext and tag in one; gone once the key is retired.
    sealed_private_key bytea,
    sealed_with        text,
    created_at         timestamptz NOT NULL,
    activated_at       timestamptz,
    retiring_at        timestamptz,
    retired_at         timestamptz,
    CHECK (status = 'retired' OR (sealed_private_key IS NOT NULL AND sealed_with IS NOT NULL)),
    CHECK (status <> 'active' OR activated_at IS NOT NULL),
    CHECK (status <> 'retiring' OR (activated_at IS NOT NULL AND retiring_at IS NOT NULL)),
    CHECK (status <> 'retired' OR retired_at IS NOT NULL)
);

-- Two keys never sign side by side, whatever the replicas do.
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (algorithm) WHERE status = 'active';
