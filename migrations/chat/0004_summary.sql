-- What stands in the prompt for the messages up to and including `upto`. The messages themselves stay where they are.
-- model NULL: nothing was written, the messages are only left out; text is then that of the summary before.
CREATE TABLE summary (
  id INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  upto INTEGER NOT NULL,
  text TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  focus TEXT,
  model TEXT,
  created_at INTEGER NOT NULL
);
