-- Caps of single people, and invitations. See src/directory/{allowance,invites}.rs.

-- What one person may spend a day, in 10^-9 US dollars, whatever bot they write to; no row: the general cap.
CREATE TABLE person_cap (
  user_id INTEGER PRIMARY KEY,
  nano_usd INTEGER NOT NULL
);

-- `hash` is SHA-256 of the code in hex: who reads a backup cannot come in with it.
CREATE TABLE invite (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  bot TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  note TEXT NOT NULL,
  uses INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
);

CREATE TABLE invite_use (
  invite INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (invite, user_id)
) WITHOUT ROWID;

-- Codes of the last hour that opened nothing.
CREATE TABLE invite_guess (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  user_id INTEGER NOT NULL
);
