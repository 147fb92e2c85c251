-- The index of conversations: what the control plane lists, and what changed. See src/directory/conversations.rs.
-- changed_at 0: not listed, kept for changes of access (`push`). told_update, told_turn: how far its conversation has told
-- and was counted. faces: title and names in folded letters, empty when yet to be made; words: recent words, the same.
ALTER TABLE session ADD COLUMN bot TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN chat_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN newest TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN faces TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN words TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN updates INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN turns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN outcome TEXT;
ALTER TABLE session ADD COLUMN told_update INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN told_turn INTEGER NOT NULL DEFAULT 0;
UPDATE session SET bot = substr(name, 1, instr(name, ':') - 1),
  chat_id = CAST(substr(name, instr(name, ':') + 1) AS INTEGER), changed_at = since;
UPDATE session SET title = coalesce(
  (SELECT person.name FROM person WHERE person.bot = session.bot AND person.user_id = session.chat_id),
  (SELECT grp.title FROM grp WHERE grp.bot = session.bot AND grp.chat_id = session.chat_id), '');
CREATE INDEX session_changed ON session (changed_at, name);
CREATE INDEX session_faceless ON session (name) WHERE faces = '';
