-- A page of what a department has not confirmed is read from the index alone, however many messages went out in one moment.
DROP INDEX outbox_unconfirmed;
CREATE INDEX outbox_unconfirmed ON outbox (department, partition, sent_at, sequence, id) WHERE confirmed_at IS NULL AND sent_at IS NOT NULL;
