-- The frame: people, cases and their life, the exchange with departments, delivery to phones, the record of all acts.
-- One file for SQLite and PostgreSQL (docs/decisions/0002). Ids are uuid7 strings made by the application;
-- *_at is UTC time, *_on a date, is_* a boolean: storage/database.py relies on these names.

CREATE TABLE resident (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    openid VARCHAR(128) NOT NULL UNIQUE,
    name_sealed BYTEA,
    phone_sealed BYTEA,
    identity_level INTEGER NOT NULL DEFAULT 0 CHECK (identity_level BETWEEN 0 AND 4),
    preferences JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ
);

CREATE TABLE staff (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    username VARCHAR(64) NOT NULL UNIQUE,
    name VARCHAR(50) NOT NULL,
    role VARCHAR(20) NOT NULL CHECK (role IN ('clerk', 'officer', 'approver', 'supervisor', 'administrator')),
    department VARCHAR(16),
    hall VARCHAR(64),
    area VARCHAR(12) NOT NULL,
    password_hash VARCHAR(200) NOT NULL,
    totp_sealed BYTEA,
    totp_last_step BIGINT NOT NULL DEFAULT 0,
    failed_logins INTEGER NOT NULL DEFAULT 0,
    locked_until_at TIMESTAMPTZ,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at TIMESTAMPTZ NOT NULL
);

-- A log-in on one device. `refresh_hash` is the SHA-256 of the refresh token in force, `previous_hash` of the one before it.
CREATE TABLE session (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    account_id VARCHAR(36) NOT NULL,
    account_kind VARCHAR(10) NOT NULL CHECK (account_kind IN ('resident', 'staff')),
    device VARCHAR(200) NOT NULL DEFAULT '',
    refresh_hash VARCHAR(64) NOT NULL UNIQUE,
    previous_hash VARCHAR(64),
    rotated_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_previous ON session (previous_hash) WHERE previous_hash IS NOT NULL;

-- Published versions of service items never change; a case keeps the version it was submitted under (decision 16).
CREATE TABLE item_version (
    code VARCHAR(16) NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    digest VARCHAR(64) NOT NULL,
    body JSONB NOT NULL,
    published_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (code, version),
    UNIQUE (code, digest)
);

CREATE TABLE upload (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    owner_id VARCHAR(36) NOT NULL,
    state VARCHAR(10) NOT NULL CHECK (state IN ('scanning', 'ready', 'refused')),
    name VARCHAR(255) NOT NULL,
    media_type VARCHAR(64) NOT NULL DEFAULT '',
    size BIGINT NOT NULL DEFAULT 0,
    pages INTEGER NOT NULL DEFAULT 0,
    digest VARCHAR(64) NOT NULL DEFAULT '',
    key_version INTEGER NOT NULL DEFAULT 0,
    key_wrapped BYTEA,
    refusal VARCHAR(40),
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX upload_owner ON upload (owner_id, created_at);

CREATE TABLE counter (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

-- The case and its clocks. `version` is the ETag; `events` the number of the last event row. `card` is the read model that
-- lists and pages show, materials and tasks without personal data, rewritten with every change so that a look is one row.
CREATE TABLE cases (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    number VARCHAR(24) UNIQUE,
    resident_id VARCHAR(36) NOT NULL REFERENCES resident (id),
    item_code VARCHAR(16) NOT NULL,
    item_version INTEGER NOT NULL,
    department VARCHAR(16) NOT NULL,
    area VARCHAR(12) NOT NULL,
    state VARCHAR(24) NOT NULL CHECK (state IN ('draft', 'submitted', 'correction_requested', 'accepted', 'not_accepted',
        'in_review', 'decided', 'delivering', 'completed', 'withdrawn', 'expired', 'forwarded')),
    version INTEGER NOT NULL DEFAULT 1,
    events INTEGER NOT NULL DEFAULT 0,
    form_sealed BYTEA NOT NULL,
    card JSONB NOT NULL,
    correction JSONB,
    decision VARCHAR(10) CHECK (decision IN ('granted', 'refused')),
    reason TEXT,
    receipt_version INTEGER NOT NULL DEFAULT 1,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    submitted_at TIMESTAMPTZ,
    accepted_at TIMESTAMPTZ,
    decided_at TIMESTAMPTZ,
    completed_at TIMESTAMPTZ,
    promised_on DATE,
    legal_on DATE,
    is_provisional BOOLEAN NOT NULL DEFAULT FALSE,
    CHECK (state IN ('draft', 'withdrawn', 'expired') OR number IS NOT NULL)
);
CREATE INDEX cases_of_resident ON cases (resident_id, id);
CREATE INDEX cases_open ON cases (department, id) WHERE state IN ('submitted', 'correction_requested', 'accepted', 'in_review');

CREATE TABLE case_material (
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    material VARCHAR(16) NOT NULL,
    position INTEGER NOT NULL,
    source VARCHAR(12) NOT NULL CHECK (source IN ('upload', 'certificate', 'form', 'commitment')),
    upload_id VARCHAR(36) REFERENCES upload (id),
    PRIMARY KEY (case_id, material, position),
    CHECK ((source = 'upload') = (upload_id IS NOT NULL))
);

-- Every transition of a case is one row, numbered without gap; the timeline is made from these rows.
CREATE TABLE case_event (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    type VARCHAR(40) NOT NULL,
    actor_kind VARCHAR(12) NOT NULL CHECK (actor_kind IN ('resident', 'staff', 'department', 'system')),
    actor_id VARCHAR(64) NOT NULL,
    organisation VARCHAR(64) NOT NULL DEFAULT '',
    occurred_at TIMESTAMPTZ NOT NULL,
    reason TEXT,
    data JSONB NOT NULL,
    digest VARCHAR(64) NOT NULL,
    UNIQUE (case_id, seq)
);

-- One department's part of one case. `step` accept and decide belong to the lead department, review to the others.
CREATE TABLE task (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    department VARCHAR(16) NOT NULL,
    step VARCHAR(10) NOT NULL CHECK (step IN ('accept', 'review', 'decide')),
    position INTEGER NOT NULL,
    action VARCHAR(100) NOT NULL,
    state VARCHAR(16) NOT NULL CHECK (state IN ('waiting', 'requested', 'in_progress', 'correction', 'suspended', 'done', 'void')),
    result VARCHAR(16) CHECK (result IN ('agreed', 'disagreed', 'accepted', 'not_accepted', 'granted', 'refused')),
    opinion TEXT,
    due_on DATE,
    created_at TIMESTAMPTZ NOT NULL,
    requested_at TIMESTAMPTZ,
    answered_at TIMESTAMPTZ,
    UNIQUE (case_id, step, position)
);
CREATE INDEX task_of_department ON task (department, id) WHERE state IN ('requested', 'in_progress', 'correction', 'suspended');

-- The line between one case and one department: its partition, the last number sent and the last number taken in.
CREATE TABLE case_line (
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    department VARCHAR(16) NOT NULL,
    partition INTEGER NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    received INTEGER NOT NULL DEFAULT 0,
    parked_at TIMESTAMPTZ,
    PRIMARY KEY (case_id, department)
);

-- Messages to departments. `body` holds the exact envelope bytes, sealed; a row is settled once it is confirmed.
CREATE TABLE outbox (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    case_id VARCHAR(36) NOT NULL,
    department VARCHAR(16) NOT NULL,
    partition INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    body BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ,
    stream_id VARCHAR(40),
    sends INTEGER NOT NULL DEFAULT 0,
    confirmed_at TIMESTAMPTZ,
    UNIQUE (case_id, department, sequence)
);
CREATE INDEX outbox_unsent ON outbox (department, partition, id) WHERE sent_at IS NULL;
CREATE INDEX outbox_unconfirmed ON outbox (department, partition, sent_at) WHERE confirmed_at IS NULL AND sent_at IS NOT NULL;

-- Messages from departments that took effect; the same source and id again changes nothing.
CREATE TABLE inbox (
    source VARCHAR(64) NOT NULL,
    message_id VARCHAR(64) NOT NULL,
    department VARCHAR(16) NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (source, message_id)
);
CREATE INDEX inbox_age ON inbox (received_at);

-- Messages that cannot take effect, kept readable until an officer replays or skips them.
CREATE TABLE set_aside (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    department VARCHAR(16) NOT NULL,
    case_id VARCHAR(36),
    sequence INTEGER,
    message_id VARCHAR(64),
    kind VARCHAR(10) NOT NULL CHECK (kind IN ('poison', 'parked')),
    reason VARCHAR(500) NOT NULL,
    body BYTEA NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    settled_at TIMESTAMPTZ,
    settled_by VARCHAR(36),
    settled_how VARCHAR(10) CHECK (settled_how IN ('replayed', 'skipped'))
);
CREATE INDEX set_aside_open ON set_aside (department, id) WHERE settled_at IS NULL;
CREATE UNIQUE INDEX set_aside_once ON set_aside (department, message_id) WHERE message_id IS NOT NULL;

CREATE TABLE lease (
    name VARCHAR(80) NOT NULL PRIMARY KEY,
    holder VARCHAR(80) NOT NULL,
    fence BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- The answer given to (account, operation, key), kept with the effect so that a repeat gets the same answer.
CREATE TABLE idempotency (
    account_id VARCHAR(36) NOT NULL,
    operation VARCHAR(80) NOT NULL,
    key VARCHAR(128) NOT NULL,
    request_digest VARCHAR(64) NOT NULL,
    status INTEGER,
    headers JSONB,
    body BYTEA,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    PRIMARY KEY (account_id, operation, key)
);
CREATE INDEX idempotency_age ON idempotency (started_at);

-- One numbered line of events per account: the position that long-poll and socket share.
CREATE TABLE account_position (
    account_id VARCHAR(36) NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL DEFAULT 0,
    read_to BIGINT NOT NULL DEFAULT 0,
    unread INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE account_event (
    account_id VARCHAR(36) NOT NULL,
    n BIGINT NOT NULL,
    type VARCHAR(40) NOT NULL,
    case_id VARCHAR(36),
    data JSONB NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (account_id, n)
);

-- One attempt to reach one person by one channel; the row is the only truth, queues and bells only wake.
CREATE TABLE notification (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    account_id VARCHAR(36) NOT NULL,
    case_id VARCHAR(36),
    event VARCHAR(40) NOT NULL,
    channel VARCHAR(12) NOT NULL CHECK (channel IN ('wechat', 'sms')),
    once_key VARCHAR(160) NOT NULL UNIQUE,
    data JSONB NOT NULL,
    state VARCHAR(20) NOT NULL CHECK (state IN ('created', 'sending', 'sent', 'delivered', 'suppressed', 'temporary_failure',
        'permanent_failure', 'technical_failure', 'expired')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at TIMESTAMPTZ,
    holder VARCHAR(80),
    provider_id VARCHAR(64),
    detail VARCHAR(200),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX notification_due ON notification (next_at, id) WHERE state IN ('created', 'temporary_failure', 'sending');
CREATE INDEX notification_of_account ON notification (account_id, id);

-- What a resident allows WeChat to send: one-off templates count credits, long-term ones are on or off.
CREATE TABLE subscription (
    account_id VARCHAR(36) NOT NULL,
    template VARCHAR(40) NOT NULL,
    kind VARCHAR(10) NOT NULL CHECK (kind IN ('once', 'lasting')),
    credits INTEGER NOT NULL DEFAULT 0 CHECK (credits >= 0),
    is_on BOOLEAN NOT NULL DEFAULT FALSE,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (account_id, template)
);

-- Callbacks of the WeChat platform as they came, each once.
CREATE TABLE wechat_push (
    once_key VARCHAR(200) NOT NULL PRIMARY KEY,
    event VARCHAR(60) NOT NULL,
    body JSONB NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    handled_at TIMESTAMPTZ
);
CREATE INDEX wechat_push_open ON wechat_push (received_at) WHERE handled_at IS NULL;

CREATE TABLE evaluation (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    case_id VARCHAR(36) NOT NULL UNIQUE REFERENCES cases (id),
    item_code VARCHAR(16) NOT NULL,
    department VARCHAR(16) NOT NULL,
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
    tags JSONB NOT NULL,
    text VARCHAR(1000) NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE audit (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    occurred_at TIMESTAMPTZ NOT NULL,
    actor_kind VARCHAR(12) NOT NULL,
    actor_id VARCHAR(64) NOT NULL,
    action VARCHAR(60) NOT NULL,
    object_kind VARCHAR(24) NOT NULL,
    object_id VARCHAR(64) NOT NULL,
    outcome VARCHAR(12) NOT NULL,
    data JSONB NOT NULL
);
CREATE INDEX audit_object ON audit (object_kind, object_id, occurred_at);
CREATE INDEX audit_age ON audit (occurred_at);
