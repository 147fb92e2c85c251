-- What the control plane needs of a conversation. See src/chat/desk/ and src/chat/activity.rs.
-- Of a turn: when the first of its messages came (a turn answered anew: when it began), when its first words were shown,
-- the model that answered, and the number of its end, which grows from end to end; ends of older releases have none.
ALTER TABLE turn ADD COLUMN asked_at INTEGER;
ALTER TABLE turn ADD COLUMN first_at INTEGER;
ALTER TABLE turn ADD COLUMN answered_by TEXT;
ALTER TABLE turn ADD COLUMN ended INTEGER;
CREATE INDEX turn_ended ON turn (ended) WHERE ended IS NOT NULL;
