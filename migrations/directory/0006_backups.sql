-- Backups: runs, what is in storage, restores. See src/directory/backups/.

-- The state of a conversation that its newest backup covers. NULL: none does.
ALTER TABLE session ADD COLUMN backed_up_at INTEGER;
-- The cron looks every five minutes, and of thousands of conversations few have changed.
CREATE INDEX session_unsaved ON session (name) WHERE changed_at > 0 AND (backed_up_at IS NULL OR changed_at > backed_up_at);

-- One row a run. state: open, done, failed. phase: chats, directory, manifest, prune. cursor: the conversation last
-- looked at. reason: schedule, asked.
CREATE TABLE backup_run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  reason TEXT NOT NULL,
  state TEXT NOT NULL,
  phase TEXT NOT NULL,
  cursor TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  done INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0,
  error TEXT
);
CREATE INDEX backup_run_open ON backup_run (id) WHERE state = 'open';

-- One row a file in storage. state: asked (may be there or not), stored. replaced_at: when a newer one of the object took
-- its place, or the object ceased to be. sha256 is empty for what was only seen in storage.
CREATE TABLE backup_version (
  key TEXT PRIMARY KEY,
  object TEXT NOT NULL,
  at INTEGER NOT NULL,
  state TEXT NOT NULL,
  bytes INTEGER NOT NULL DEFAULT 0,
  rows INTEGER NOT NULL DEFAULT 0,
  sha256 TEXT NOT NULL DEFAULT '',
  replaced_at INTEGER
) WITHOUT ROWID;
CREATE INDEX backup_version_newest ON backup_version (object) WHERE replaced_at IS NULL;
CREATE INDEX backup_version_old ON backup_version (replaced_at) WHERE replaced_at IS NOT NULL;

-- found 1: seen in storage by a Directory that did not write it, and nothing was restored since. 2: something was.
CREATE TABLE backup_manifest (
  at INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  objects INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  found INTEGER NOT NULL DEFAULT 0
);

-- Objects whose last backup failed.
CREATE TABLE backup_failure (
  object TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  error TEXT NOT NULL
) WITHOUT ROWID;

-- One row a restore. what: all, directory, conversation. state: open, done, partly, failed. phase: manifest, objects.
CREATE TABLE backup_restore (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  what TEXT NOT NULL,
  session TEXT NOT NULL,
  manifest TEXT NOT NULL,
  who TEXT NOT NULL,
  state TEXT NOT NULL,
  phase TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  error TEXT
);
CREATE INDEX backup_restore_open ON backup_restore (id) WHERE state = 'open';

-- What the last restore puts back. state: waiting, done, failed.
CREATE TABLE backup_restore_item (
  object TEXT PRIMARY KEY,
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  state TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  error TEXT
) WITHOUT ROWID;
