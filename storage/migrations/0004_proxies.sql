-- Acting for others (代办): an authority is asked for, checked by an officer, confirmed by its principal, revoked; a case made by it
-- keeps both persons.

-- Whether somebody applied for somebody else; then `case_agent` says who for whom, and who may see the case is asked there.
ALTER TABLE cases ADD COLUMN is_by_agent BOOLEAN NOT NULL DEFAULT FALSE;

-- The agent by name and number, as he stood in the authority when the case was made.
ALTER TABLE case_agent ADD COLUMN agent_sealed BYTEA;
CREATE INDEX case_agent_of_proxy ON case_agent (proxy_id) WHERE proxy_id IS NOT NULL;

-- `principal_key` is a keyed fingerprint of the principal's number: the same person is known again, nobody can read who it is.
-- `is_incapable`: an adult who needs a guardian (民法典 art. 21, 22, 28). `settled_by` checked it; `confirmed_at`: the principal agreed.
ALTER TABLE proxy ADD COLUMN principal_key VARCHAR(64) NOT NULL DEFAULT '';
ALTER TABLE proxy ADD COLUMN agent_sealed BYTEA;
ALTER TABLE proxy ADD COLUMN relation VARCHAR(16) NOT NULL DEFAULT '';
ALTER TABLE proxy ADD COLUMN area VARCHAR(12) NOT NULL DEFAULT '';
ALTER TABLE proxy ADD COLUMN is_incapable BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE proxy ADD COLUMN reason VARCHAR(300);
ALTER TABLE proxy ADD COLUMN settled_by VARCHAR(36);
ALTER TABLE proxy ADD COLUMN confirmed_at TIMESTAMPTZ;
CREATE UNIQUE INDEX proxy_once ON proxy (agent_id, principal_key, kind) WHERE state IN ('asked', 'active');
CREATE INDEX proxy_of_area ON proxy (area, state, id);
CREATE INDEX proxy_of_person ON proxy (principal_key);
CREATE INDEX proxy_running ON proxy (valid_to_on, id) WHERE state = 'active';
CREATE INDEX proxy_of_upload ON proxy (upload_id) WHERE upload_id IS NOT NULL;
