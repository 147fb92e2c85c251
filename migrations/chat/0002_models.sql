-- Who wrote, for caps per person; which model a step called, and what the Directory has yet to hear of it (JSON).
ALTER TABLE inbox ADD COLUMN user_id INTEGER;
ALTER TABLE turn ADD COLUMN user_id INTEGER;
ALTER TABLE step ADD COLUMN model TEXT;
ALTER TABLE step ADD COLUMN report TEXT;
CREATE INDEX step_report ON step (id) WHERE report IS NOT NULL;
