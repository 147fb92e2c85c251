-- Configuration as versions: the newest is live. See src/directory/config/.

CREATE TABLE config_version (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  document TEXT NOT NULL,
  note TEXT NOT NULL,
  -- The version it was made from; 0: the environment alone.
  parent INTEGER NOT NULL,
  -- The older version whose document this is again.
  restores INTEGER
);
