-- Files people sent, one row a file. key is where the bytes are or will be in storage; it never changes and is never
-- written twice. state: queued, stored, too_big, gone, failed. mime and size are Telegram's word until the file is
-- stored, then the truth. text: what a text file says, or what was heard in a recording. turn_id: the newest turn with
-- this file; tries: downloads begun; told_turn: the turn whose person heard why the file is of no use.
CREATE TABLE file (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  file_id TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  mime TEXT NOT NULL,
  name TEXT,
  size INTEGER NOT NULL,
  duration INTEGER,
  state TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  text TEXT,
  turn_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  told_turn INTEGER,
  created_at INTEGER NOT NULL
);
CREATE INDEX file_unique ON file (unique_id);
CREATE INDEX file_turn ON file (turn_id);
