-- The exchange grows up: departments without Redis, retries that survive a restart, files by claim check, the evidence log.

-- When a message of the line may be tried again, and how often it was tried.
ALTER TABLE case_line ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE case_line ADD COLUMN retry_at TIMESTAMPTZ;

-- `position` is the message's place in its department's journal, without gap: what a department without Redis reads by.
-- `next_at` is when a delivery that failed is tried again, `detail` why it failed; `evidence_n` its line in the evidence log.
ALTER TABLE outbox ADD COLUMN position BIGINT;
ALTER TABLE outbox ADD COLUMN next_at TIMESTAMPTZ;
ALTER TABLE outbox ADD COLUMN detail VARCHAR(300);
ALTER TABLE outbox ADD COLUMN evidence_n BIGINT;
CREATE UNIQUE INDEX outbox_journal ON outbox (department, position) WHERE position IS NOT NULL;
CREATE INDEX outbox_unchained ON outbox (sent_at, id) WHERE evidence_n IS NULL AND sent_at IS NOT NULL;

-- The exact bytes of what came, sealed, until they are in the evidence log.
ALTER TABLE inbox ADD COLUMN case_id VARCHAR(36);
ALTER TABLE inbox ADD COLUMN sequence INTEGER;
ALTER TABLE inbox ADD COLUMN body BYTEA;
ALTER TABLE inbox ADD COLUMN evidence_n BIGINT;
CREATE INDEX inbox_unchained ON inbox (received_at, message_id) WHERE evidence_n IS NULL AND body IS NOT NULL;

ALTER TABLE set_aside ADD COLUMN evidence_n BIGINT;
CREATE INDEX set_aside_unchained ON set_aside (received_at, id) WHERE evidence_n IS NULL AND kind = 'poison';

-- How the connection with a department stands. `position` is the last one given in its journal, `taken` the last one it
-- confirmed. A resting link failed too often and is tried again at `rests_until_at`; a paused one waits for an officer.
CREATE TABLE exchange_link (
    department VARCHAR(16) NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL DEFAULT 0,
    taken BIGINT NOT NULL DEFAULT 0,
    state VARCHAR(10) NOT NULL DEFAULT 'working' CHECK (state IN ('working', 'resting', 'paused')),
    failures INTEGER NOT NULL DEFAULT 0,
    failing_since_at TIMESTAMPTZ,
    rests_until_at TIMESTAMPTZ,
    reason VARCHAR(300),
    heard_at TIMESTAMPTZ,
    changed_at TIMESTAMPTZ NOT NULL
);

-- Keys of departments: a shared secret for HMAC (sealed), public keys to check signatures and to encrypt for them.
CREATE TABLE exchange_key (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    department VARCHAR(16) NOT NULL,
    purpose VARCHAR(10) NOT NULL CHECK (purpose IN ('hmac', 'verify', 'encrypt')),
    secret_sealed BYTEA,
    public_jwk JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ,
    CHECK ((purpose = 'hmac') = (secret_sealed IS NOT NULL)),
    CHECK ((purpose = 'hmac') = (public_jwk IS NULL))
);
CREATE INDEX exchange_key_of ON exchange_key (department) WHERE revoked_at IS NULL;

-- Requests of departments are signed with a nonce that counts once.
CREATE TABLE exchange_nonce (
    key_id VARCHAR(36) NOT NULL,
    nonce VARCHAR(64) NOT NULL,
    used_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (key_id, nonce)
);
CREATE INDEX exchange_nonce_age ON exchange_nonce (used_at);

-- A file by claim check: one department may fetch one upload for one task, as long as it works on it.
CREATE TABLE file_grant (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    department VARCHAR(16) NOT NULL,
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    task_id VARCHAR(36) NOT NULL,
    upload_id VARCHAR(36) NOT NULL REFERENCES upload (id),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    fetched_at TIMESTAMPTZ,
    fetches INTEGER NOT NULL DEFAULT 0,
    UNIQUE (task_id, upload_id)
);
CREATE INDEX file_grant_of_case ON file_grant (case_id);

-- Numbered batches of the file exchange, each direction without gap; a number that is missing is known to be lost.
CREATE TABLE file_batch (
    department VARCHAR(16) NOT NULL,
    direction VARCHAR(3) NOT NULL CHECK (direction IN ('out', 'in')),
    number INTEGER NOT NULL CHECK (number >= 1),
    digest VARCHAR(64) NOT NULL DEFAULT '',
    entries INTEGER NOT NULL DEFAULT 0,
    first_position BIGINT,
    last_position BIGINT,
    state VARCHAR(12) NOT NULL CHECK (state IN ('written', 'acknowledged', 'refused', 'taken', 'missing')),
    reason VARCHAR(300),
    made_at TIMESTAMPTZ NOT NULL,
    settled_at TIMESTAMPTZ,
    PRIMARY KEY (department, direction, number)
);

-- Exact envelope bytes in and out, each line bound to the one before by `hash`. `body` is sealed; the chain stands on the
-- digest of the bytes, so it can still be verified when a body had to be erased.
CREATE TABLE evidence (
    n BIGINT NOT NULL PRIMARY KEY,
    direction VARCHAR(3) NOT NULL CHECK (direction IN ('out', 'in', 'bad')),
    department VARCHAR(16) NOT NULL,
    message_id VARCHAR(64) NOT NULL,
    case_id VARCHAR(36),
    sequence INTEGER,
    happened_at TIMESTAMPTZ NOT NULL,
    chained_at TIMESTAMPTZ NOT NULL,
    body_digest VARCHAR(64) NOT NULL,
    body BYTEA,
    hash VARCHAR(64) NOT NULL
);
CREATE INDEX evidence_of_case ON evidence (case_id, n);
