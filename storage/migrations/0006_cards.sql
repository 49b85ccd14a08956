-- A page of what a department has not confirmed is read from the index alone, however many messages went out in one moment.
DROP INDEX outbox_unconfirmed;
CREATE INDEX outbox_unconfirmed ON outbox (department, partition, sent_at, sequence, id) WHERE confirmed_at IS NULL AND sent_at IS NOT NULL;
-- Whether a message of a line is held is asked for whatever is to go: a small index answers, for few are.
CREATE INDEX outbox_held ON outbox (department, case_id, sequence) WHERE next_at IS NOT NULL AND confirmed_at IS NULL;
