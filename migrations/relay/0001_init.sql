-- RelayHub: what is known of each relay beyond its sockets. A cache: a relay tells all of it again when it connects.
CREATE TABLE relay (
  name TEXT PRIMARY KEY,
  connected INTEGER NOT NULL,
  since INTEGER NOT NULL,               -- Unix ms: connected or away since then
  software TEXT NOT NULL,
  state TEXT NOT NULL,                  -- relay::State as JSON
  calls INTEGER NOT NULL DEFAULT 0,     -- ended well
  failed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
