-- Directory: who may talk. Times are Unix milliseconds. See src/directory/.

CREATE TABLE setting (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE bot (
  id TEXT PRIMARY KEY,
  user_id INTEGER,
  username TEXT,
  profile_checked_at INTEGER
) WITHOUT ROWID;

CREATE TABLE bot_commands (
  bot TEXT NOT NULL,
  scope TEXT NOT NULL,
  language TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (bot, scope, language)
) WITHOUT ROWID;

CREATE TABLE person (
  bot TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  username TEXT,
  language_code TEXT,
  state TEXT NOT NULL,
  since INTEGER NOT NULL,
  decided_by TEXT,
  PRIMARY KEY (bot, user_id)
) WITHOUT ROWID;

CREATE INDEX person_owner ON person (user_id) WHERE state = 'owner';

-- `grp`, because GROUP is a word of SQL.
CREATE TABLE grp (
  bot TEXT NOT NULL,
  chat_id INTEGER NOT NULL,
  title TEXT NOT NULL,
  state TEXT NOT NULL,
  require_mention INTEGER NOT NULL DEFAULT 1,
  present INTEGER NOT NULL DEFAULT 1,
  since INTEGER NOT NULL,
  added_by INTEGER,
  admitted_by TEXT,
  owners_told_at INTEGER,
  PRIMARY KEY (bot, chat_id)
) WITHOUT ROWID;

CREATE TABLE pairing (
  code TEXT PRIMARY KEY,
  bot TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  state TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Wrong claim codes of the last hour.
CREATE TABLE claim_attempt (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  user_id INTEGER NOT NULL
);

-- When we last said a thing that is said at most once an hour.
CREATE TABLE said (
  bot TEXT NOT NULL,
  what TEXT NOT NULL,
  subject INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (bot, what, subject)
) WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  bot TEXT,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  subject TEXT NOT NULL
);

CREATE TABLE refusal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  bot TEXT NOT NULL,
  update_id INTEGER NOT NULL,
  chat_id INTEGER NOT NULL,
  chat_title TEXT,
  user_id INTEGER,
  name TEXT,
  reason TEXT NOT NULL,
  UNIQUE (bot, update_id)
);

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dedupe TEXT UNIQUE,
  bot TEXT NOT NULL,
  chat_id INTEGER NOT NULL,
  about TEXT,
  method TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL,
  message_id INTEGER,
  error TEXT,
  created_at INTEGER NOT NULL
);

CREATE INDEX outbox_due ON outbox (state, not_before);

CREATE INDEX outbox_about ON outbox (about) WHERE about IS NOT NULL;

-- Conversations that were admitted at least once.
CREATE TABLE session (
  name TEXT PRIMARY KEY,
  since INTEGER NOT NULL
) WITHOUT ROWID;

-- Changes of access on their way to a conversation.
CREATE TABLE push (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  session TEXT NOT NULL,
  change TEXT NOT NULL,
  created_at INTEGER NOT NULL
);

-- Updates of kinds we do not act on, by kind.
CREATE TABLE unknown_update (
  bot TEXT NOT NULL,
  kind TEXT NOT NULL,
  count INTEGER NOT NULL,
  last_update_id INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (bot, kind)
);
