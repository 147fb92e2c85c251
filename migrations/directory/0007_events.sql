-- Recent events, counters, alerts. See src/directory/{events,metrics,alerts}.

-- A ring of the newest lines; ids grow. `session` is empty for what belongs to no conversation.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  level TEXT NOT NULL,
  what TEXT NOT NULL,
  session TEXT NOT NULL,
  text TEXT NOT NULL
);

-- One row: the counters of `/metrics` as JSON.
CREATE TABLE counter (
  id INTEGER PRIMARY KEY,
  value TEXT NOT NULL
);

-- Trouble owners hear of. `said`: how often since it began; `told_at`: when last, also before it began anew. Kept for an
-- hour after it was told, so that what comes and goes is not told each time.
CREATE TABLE alert (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  since INTEGER NOT NULL,
  told_at INTEGER,
  said INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (kind, subject)
) WITHOUT ROWID;

-- When the row of failures began; 0: not known.
ALTER TABLE model_health ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
