-- One conversation. Times are Unix milliseconds. Every index is a row written more: only what each message needs has one.

-- Every accepted update and what became of it. outcome NULL: waiting for a turn (or, for kind 'command', for its answer).
CREATE TABLE inbox (
  seq INTEGER PRIMARY KEY,
  update_id INTEGER NOT NULL UNIQUE,
  received_at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  message_id INTEGER,
  media_group TEXT,
  content TEXT,
  ready_at INTEGER NOT NULL DEFAULT 0,
  outcome TEXT,
  detail TEXT,
  turn_id INTEGER
);
CREATE INDEX inbox_waiting ON inbox (seq) WHERE outcome IS NULL;
CREATE INDEX inbox_message ON inbox (message_id) WHERE message_id IS NOT NULL;

-- One exchange: some messages in, one answer out. id is the seq of its first inbox row.
CREATE TABLE turn (
  id INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  model TEXT NOT NULL,
  lang TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  reply_to INTEGER,
  placeholder INTEGER,
  stop_requested INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  error TEXT
);
CREATE INDEX turn_open ON turn (id) WHERE state = 'running';

-- The journal: one row before and after each external effect of a turn other than deliveries, which the outbox records.
CREATE TABLE step (
  id INTEGER PRIMARY KEY,
  turn_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  detail TEXT
);

-- The transcript. Raw rows are never deleted; /new starts a new epoch.
CREATE TABLE message (
  id INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  turn_id INTEGER,
  hidden INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX message_epoch ON message (epoch, id, tokens) WHERE hidden = 0;

-- Calls to Telegram in the order they must arrive. state: queued, sending, sent, ambiguous, failed.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  turn_id INTEGER,
  slot TEXT NOT NULL,
  seq INTEGER NOT NULL,
  call TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0,
  degraded INTEGER NOT NULL DEFAULT 0,
  message_id INTEGER,
  error TEXT,
  created_at INTEGER NOT NULL
);
CREATE INDEX outbox_open ON outbox (id) WHERE state IN ('queued', 'sending');

CREATE TABLE setting (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
