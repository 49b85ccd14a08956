-- The officers' own day: what waits at which desk, who has claimed it, and how a case is found again.

-- A part of a case on a department's desk: one row while there is something to do or to wait for, written with every change of its case.
-- `urgency` is the order, the lowest first: 4 * (2 - priority of the case) + 3 - level; `level` 0 none, 1 warning, 2 yellow, 3 red card.
-- `due_on` 9999-12-31 where nothing has a date. A read of the inbox costs what it shows, however much is open.
CREATE TABLE desk_task (
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    department VARCHAR(16) NOT NULL,
    area VARCHAR(12) NOT NULL,
    item_code VARCHAR(16) NOT NULL,
    state VARCHAR(24) NOT NULL,
    step VARCHAR(10) NOT NULL CHECK (step IN ('accept', 'review', 'decide', 'deliver', 'sign', 'wait')),
    is_lead BOOLEAN NOT NULL,
    level INTEGER NOT NULL DEFAULT 0 CHECK (level BETWEEN 0 AND 3),
    urgency INTEGER NOT NULL,
    due_on DATE NOT NULL,
    PRIMARY KEY (case_id, department)
);
CREATE INDEX desk_task_urgent ON desk_task (area, department, step, urgency, due_on, case_id);
CREATE INDEX desk_task_hall ON desk_task (area, step, urgency, due_on, case_id) WHERE is_lead;
CREATE INDEX desk_task_item ON desk_task (area, item_code, step, urgency, due_on, case_id);
CREATE INDEX desk_task_late ON desk_task (area, step, due_on, case_id);

-- Departments work on one case beside each other, so each part is claimed by itself. Nothing has used the table so far.
DROP TABLE claim;
CREATE TABLE claim (
    case_id VARCHAR(36) NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    department VARCHAR(16) NOT NULL,
    staff_id VARCHAR(36) NOT NULL,
    taken_at TIMESTAMPTZ NOT NULL,
    until_at TIMESTAMPTZ NOT NULL,
    assigned_by VARCHAR(36),
    PRIMARY KEY (case_id, department)
);
CREATE INDEX claim_of_staff ON claim (staff_id, until_at);

-- Who gave an opinion by hand; NULL where a department's system or its silence did.
ALTER TABLE task ADD COLUMN answered_by VARCHAR(36);

-- How officers find a case: by the last six characters of its number, by a keyed fingerprint of the applicant's whole name, by item and day.
CREATE TABLE case_search (
    case_id VARCHAR(36) NOT NULL PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    area VARCHAR(12) NOT NULL,
    item_code VARCHAR(16) NOT NULL,
    number_tail VARCHAR(6) NOT NULL,
    applicant_hash VARCHAR(64) NOT NULL DEFAULT '',
    received_on DATE NOT NULL
);
CREATE INDEX case_search_tail ON case_search (area, number_tail, received_on, case_id);
CREATE INDEX case_search_applicant ON case_search (area, applicant_hash, received_on, case_id) WHERE applicant_hash <> '';
CREATE INDEX case_search_item ON case_search (area, item_code, received_on, case_id);
CREATE INDEX case_search_day ON case_search (area, received_on, case_id);

-- What is open already.
INSERT INTO desk_task (case_id, department, area, item_code, state, step, is_lead, urgency, due_on)
SELECT id, department, area, item_code, state,
    CASE state WHEN 'submitted' THEN 'accept' WHEN 'correction_requested' THEN 'wait' WHEN 'decided' THEN 'deliver' WHEN 'delivering' THEN 'sign'
        ELSE CASE WHEN EXISTS (SELECT 1 FROM task WHERE task.case_id = cases.id AND task.department = cases.department AND task.step = 'review'
            AND task.state IN ('requested', 'in_progress')) THEN 'review'
        WHEN EXISTS (SELECT 1 FROM task WHERE task.case_id = cases.id AND task.step = 'decide'
            AND task.state IN ('requested', 'in_progress')) THEN 'decide' ELSE 'wait' END END,
    TRUE, 4 * (2 - priority) + 3, COALESCE(promised_on, '9999-12-31')
FROM cases WHERE number IS NOT NULL
    AND state IN ('submitted', 'correction_requested', 'accepted', 'in_review', 'decided', 'delivering', 'forwarded');
INSERT INTO desk_task (case_id, department, area, item_code, state, step, is_lead, urgency, due_on)
SELECT cases.id, task.department, cases.area, cases.item_code, cases.state, 'review', FALSE, 4 * (2 - cases.priority) + 3,
    COALESCE(MIN(task.due_on), '9999-12-31')
FROM task JOIN cases ON cases.id = task.case_id
WHERE task.step = 'review' AND task.state IN ('requested', 'in_progress') AND task.department <> cases.department
    AND cases.state IN ('accepted', 'in_review', 'forwarded')
GROUP BY cases.id, task.department, cases.area, cases.item_code, cases.state, cases.priority;
INSERT INTO case_search (case_id, area, item_code, number_tail, received_on)
SELECT id, area, item_code, substr(number, 18),
    DATE(substr(number, 10, 4) || '-' || substr(number, 14, 2) || '-' || substr(number, 16, 2))
FROM cases WHERE length(number) = 23;
