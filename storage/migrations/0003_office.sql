-- The life of a case, whole: special procedures, extensions, delivery, papers owed, acting for others, bundles; the officers' own
-- work (claims, notes, templates); supervision with its cards; what a finished case is counted by.

-- `umbrella_id`: the bundle it belongs to. `priority` 0 ordinary, 1 priority person, 2 urgent. `corrections` counts the notices sent.
ALTER TABLE cases ADD COLUMN umbrella_id VARCHAR(36);
ALTER TABLE cases ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN corrections INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN is_owing BOOLEAN NOT NULL DEFAULT FALSE;
-- Read when a year's holidays have come: only what was counted without them.
CREATE INDEX cases_provisional ON cases (id) WHERE is_provisional;
CREATE INDEX cases_of_umbrella ON cases (umbrella_id) WHERE umbrella_id IS NOT NULL;
-- Papers that nobody has answered, and corrections that did not come: what the clock looks for.
CREATE INDEX task_unanswered ON task (requested_at) WHERE step = 'accept' AND state IN ('requested', 'in_progress');
CREATE INDEX task_uncorrected ON task (due_on) WHERE step = 'accept' AND state = 'correction';
CREATE INDEX cases_urgent ON cases (department, priority, promised_on, id)
    WHERE state IN ('submitted', 'correction_requested', 'accepted', 'in_review', 'decided', 'delivering', 'forwarded');

-- What came in and was accepted in a month, for the reports.
CREATE INDEX cases_received ON cases (submitted_at) WHERE submitted_at IS NOT NULL;
CREATE INDEX cases_accepted ON cases (accepted_at) WHERE accepted_at IS NOT NULL;

-- From this day on the silence of the department counts as agreement, where the item says so; NULL = never.
ALTER TABLE task ADD COLUMN deemed_on DATE;
CREATE INDEX task_deemed ON task (deemed_on, id) WHERE deemed_on IS NOT NULL AND state IN ('requested', 'in_progress');

-- Several items applied for as one (一件事): one form, filled in once, and a number of its own. `look_at`: something may be next.
CREATE TABLE umbrella (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    number VARCHAR(24) NOT NULL UNIQUE,
    bundle_code VARCHAR(16) NOT NULL,
    resident_id VARCHAR(36) NOT NULL REFERENCES resident (id),
    form_sealed BYTEA NOT NULL,
    plan JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    promised_on DATE,
    finished_at TIMESTAMPTZ,
    look_at TIMESTAMPTZ
);
CREATE INDEX umbrella_of_resident ON umbrella (resident_id, id);
CREATE INDEX umbrella_due ON umbrella (look_at) WHERE look_at IS NOT NULL;

-- A special procedure (hearing, inspection, expert review, publicity: 行政许可法 art. 45), with a limit of its own.
CREATE TABLE special_procedure (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    task_id VARCHAR(36),
    department VARCHAR(16) NOT NULL,
    name VARCHAR(50) NOT NULL,
    basis VARCHAR(200) NOT NULL DEFAULT '',
    reason TEXT NOT NULL,
    began_at TIMESTAMPTZ NOT NULL,
    due_on DATE,
    told_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    result VARCHAR(200)
);
CREATE INDEX special_procedure_of_case ON special_procedure (case_id, began_at);

-- An extension of the legal limit (art. 42): asked before it runs out, approved by somebody else, told with its reason.
CREATE TABLE extension (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    days INTEGER NOT NULL CHECK (days > 0),
    reason TEXT NOT NULL,
    asked_by VARCHAR(36) NOT NULL,
    asked_at TIMESTAMPTZ NOT NULL,
    approved_by VARCHAR(36),
    approved_at TIMESTAMPTZ,
    refused_at TIMESTAMPTZ
);
CREATE INDEX extension_of_case ON extension (case_id, asked_at);

-- How the result reaches the applicant, by a limit of its own (art. 44: within ten days of the decision).
CREATE TABLE delivery (
    case_id VARCHAR(36) NOT NULL PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    method VARCHAR(12) NOT NULL CHECK (method IN ('counter', 'post', 'electronic')),
    due_on DATE,
    address_sealed BYTEA,
    carrier VARCHAR(50),
    tracking VARCHAR(64),
    sent_at TIMESTAMPTZ,
    delivered_at TIMESTAMPTZ,
    signed_by VARCHAR(50)
);

-- Who acts for whom: both are in the record, results go to the principal too.
CREATE TABLE case_agent (
    case_id VARCHAR(36) NOT NULL PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    kind VARCHAR(14) NOT NULL CHECK (kind IN ('guardian', 'relative', 'mandate', 'village_clerk', 'company')),
    agent_id VARCHAR(36) NOT NULL,
    proxy_id VARCHAR(36),
    relation VARCHAR(50) NOT NULL DEFAULT '',
    principal_sealed BYTEA NOT NULL,
    principal_id VARCHAR(36),
    is_minor BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX case_agent_principal ON case_agent (principal_id) WHERE principal_id IS NOT NULL;

-- An authority to act: for whom, for which items, until when; `village` limits a village clerk to his own.
CREATE TABLE proxy (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    kind VARCHAR(14) NOT NULL CHECK (kind IN ('guardian', 'relative', 'mandate', 'village_clerk', 'company')),
    agent_id VARCHAR(36) NOT NULL,
    principal_id VARCHAR(36),
    principal_sealed BYTEA NOT NULL,
    items JSONB NOT NULL,
    village VARCHAR(12),
    upload_id VARCHAR(36) REFERENCES upload (id),
    is_minor BOOLEAN NOT NULL DEFAULT FALSE,
    state VARCHAR(10) NOT NULL CHECK (state IN ('asked', 'active', 'refused', 'revoked', 'ended')),
    valid_to_on DATE,
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX proxy_of_agent ON proxy (agent_id, id);
CREATE INDEX proxy_of_principal ON proxy (principal_id, id) WHERE principal_id IS NOT NULL;

-- Papers that may follow: owed after urgent aid, tolerated as missing, or replaced by a signed commitment that is checked later.
CREATE TABLE debt (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    material VARCHAR(16) NOT NULL,
    kind VARCHAR(12) NOT NULL CHECK (kind IN ('owed', 'tolerated', 'commitment')),
    text_version VARCHAR(40) NOT NULL DEFAULT '',
    signed_at TIMESTAMPTZ NOT NULL,
    due_on DATE NOT NULL,
    reminded_at TIMESTAMPTZ,
    settled_at TIMESTAMPTZ,
    lapsed_at TIMESTAMPTZ,
    result VARCHAR(12) CHECK (result IN ('supplied', 'kept', 'broken', 'lapsed', 'waived')),
    note VARCHAR(300),
    UNIQUE (case_id, material)
);
-- Also the lapsed ones, until an officer has settled them.
CREATE INDEX debt_open ON debt (due_on, id) WHERE settled_at IS NULL;

-- Who works on a case at the desk, for how long nobody else should; and what officers write for each other.
CREATE TABLE claim (
    case_id VARCHAR(36) NOT NULL PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    staff_id VARCHAR(36) NOT NULL,
    taken_at TIMESTAMPTZ NOT NULL,
    until_at TIMESTAMPTZ NOT NULL,
    assigned_by VARCHAR(36)
);
CREATE INDEX claim_of_staff ON claim (staff_id, until_at);

CREATE TABLE case_note (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    staff_id VARCHAR(36) NOT NULL,
    text_sealed BYTEA NOT NULL,
    written_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX case_note_of_case ON case_note (case_id, id);

CREATE TABLE reply_template (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    department VARCHAR(16) NOT NULL,
    kind VARCHAR(20) NOT NULL CHECK (kind IN ('correction', 'not_accept', 'refuse', 'opinion', 'note')),
    title VARCHAR(60) NOT NULL,
    text VARCHAR(2000) NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    changed_by VARCHAR(36) NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX reply_template_of ON reply_template (department, kind) WHERE is_active;

-- When supervision must look at something next: a sweep costs what is due, not what is open.
CREATE TABLE supervision_due (
    object_kind VARCHAR(16) NOT NULL,
    object_id VARCHAR(36) NOT NULL,
    case_id VARCHAR(36) NOT NULL,
    look_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (object_kind, object_id)
);
CREATE INDEX supervision_due_time ON supervision_due (look_at);
CREATE INDEX supervision_due_of_case ON supervision_due (case_id);

-- A card (预警, 黄牌, 红牌): kept for ever, also when it is revoked.
CREATE TABLE supervision_card (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    object_kind VARCHAR(16) NOT NULL CHECK (object_kind IN ('case', 'step', 'pre_acceptance', 'procedure', 'certificate', 'consultation', 'complaint')),
    object_id VARCHAR(36) NOT NULL,
    case_id VARCHAR(36),
    item_code VARCHAR(16),
    department VARCHAR(16) NOT NULL,
    area VARCHAR(12) NOT NULL,
    staff_id VARCHAR(36),
    level VARCHAR(10) NOT NULL CHECK (level IN ('warning', 'yellow', 'red')),
    rule VARCHAR(40) NOT NULL,
    rule_version INTEGER NOT NULL,
    text VARCHAR(300) NOT NULL,
    state VARCHAR(12) NOT NULL CHECK (state IN ('pending', 'issued', 'revoked', 'dropped', 'supervised')),
    earned_at TIMESTAMPTZ NOT NULL,
    issued_at TIMESTAMPTZ,
    issued_by VARCHAR(36),
    feedback_due_on DATE,
    feedback VARCHAR(1000),
    feedback_at TIMESTAMPTZ,
    appeal VARCHAR(1000),
    appealed_at TIMESTAMPTZ,
    appeal_result VARCHAR(12) CHECK (appeal_result IN ('revoked', 'rejected', 'reported')),
    settled_by VARCHAR(36),
    settled_at TIMESTAMPTZ,
    reason VARCHAR(500),
    UNIQUE (object_kind, object_id, level, rule)
);
CREATE INDEX supervision_card_open ON supervision_card (department, state, id);
CREATE INDEX supervision_card_of_case ON supervision_card (case_id, id) WHERE case_id IS NOT NULL;
CREATE INDEX supervision_card_time ON supervision_card (area, earned_at);

-- What a finished case is counted by, written when it ends; the same figures come out of its events.
CREATE TABLE case_outcome (
    case_id VARCHAR(36) NOT NULL PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    item_code VARCHAR(16) NOT NULL,
    department VARCHAR(16) NOT NULL,
    area VARCHAR(12) NOT NULL,
    staff_id VARCHAR(36),
    audience VARCHAR(8) NOT NULL,
    received_on DATE NOT NULL,
    accepted_on DATE,
    ended_on DATE NOT NULL,
    ending VARCHAR(14) NOT NULL CHECK (ending IN ('granted', 'refused', 'not_accepted', 'withdrawn', 'expired')),
    promised_days INTEGER NOT NULL,
    legal_days INTEGER NOT NULL,
    used_days INTEGER,
    used_legal INTEGER,
    net_seconds BIGINT,
    corrections INTEGER NOT NULL,
    is_first_time BOOLEAN NOT NULL
);
CREATE INDEX case_outcome_month ON case_outcome (ended_on, area);
CREATE INDEX case_outcome_of_department ON case_outcome (department, ended_on);
CREATE INDEX case_outcome_item ON case_outcome (item_code, ended_on);

-- An upload that a department may still fetch is not purged: this is how the purge finds out.
CREATE INDEX file_grant_of_upload ON file_grant (upload_id);
