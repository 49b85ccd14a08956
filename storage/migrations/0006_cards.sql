-- A page of what a department has not confirmed is read from the index alone, however many messages went out in one moment.
DROP INDEX outbox_unconfirmed;
CREATE INDEX outbox_unconfirmed ON outbox (department, partition, sent_at, sequence, id) WHERE confirmed_at IS NULL AND sent_at IS NOT NULL;
-- Whether a message of a line is held is asked for whatever is to go: a small index answers, for few are.
CREATE INDEX outbox_held ON outbox (department, case_id, sequence) WHERE next_at IS NOT NULL AND confirmed_at IS NULL;

-- Deliveries of results and the hours of urgent aid earn cards too. SQLite cannot widen a condition, so the table is made anew; every card
-- stays as it was.
CREATE TABLE supervision_card_new (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    object_kind VARCHAR(16) NOT NULL CHECK (object_kind IN (
        'case', 'step', 'pre_acceptance', 'procedure', 'certificate', 'delivery', 'urgent', 'consultation', 'complaint'
    )),
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
INSERT INTO supervision_card_new (
    id, object_kind, object_id, case_id, item_code, department, area, staff_id, level, rule, rule_version, text, state, earned_at,
    issued_at, issued_by, feedback_due_on, feedback, feedback_at, appeal, appealed_at, appeal_result, settled_by, settled_at,
    reason
) SELECT
    id, object_kind, object_id, case_id, item_code, department, area, staff_id, level, rule, rule_version, text, state, earned_at,
    issued_at, issued_by, feedback_due_on, feedback, feedback_at, appeal, appealed_at, appeal_result, settled_by, settled_at,
    reason
FROM supervision_card;
DROP TABLE supervision_card;
ALTER TABLE supervision_card_new RENAME TO supervision_card;
CREATE INDEX supervision_card_open ON supervision_card (department, state, id);
CREATE INDEX supervision_card_of_case ON supervision_card (case_id, id) WHERE case_id IS NOT NULL;
CREATE INDEX supervision_card_time ON supervision_card (area, earned_at);

-- Results that are still to be delivered, by their day: counted again when a year's holidays have come.
CREATE INDEX delivery_open ON delivery (due_on) WHERE delivered_at IS NULL;

-- What a member of staff is reminded of on every page: cards to be confirmed or answered, open appeals; and parts under a card.
CREATE INDEX supervision_card_waiting ON supervision_card (area, department, level)
    WHERE (state = 'pending' OR (state IN ('issued', 'supervised') AND feedback_due_on IS NOT NULL AND feedback_at IS NULL) OR (state IN ('issued', 'supervised') AND appealed_at IS NOT NULL AND appeal_result IS NULL));
CREATE INDEX desk_task_carded ON desk_task (area, department) WHERE level > 0;

-- What was refused, revoked or ended is deleted after a while; `is_kept`: a case was made by it, so it stays with the case.
ALTER TABLE proxy ADD COLUMN is_kept BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX proxy_settled ON proxy (changed_at, id) WHERE state IN ('refused', 'revoked', 'ended') AND NOT is_kept;
