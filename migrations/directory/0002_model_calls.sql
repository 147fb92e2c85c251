-- Leave to call a model: what was granted, what was used, what is resting. See src/directory/model_calls/.
-- Money is in 10^-9 US dollars, `day` counts days since 1970 in UTC, `person` 0 is nobody in particular.

-- One row a call, forgotten after two days. `open`: granted, nothing heard yet; `presumed`: nothing heard for too long,
-- counted at its estimate; `reported`: counted, kept to know a repeated report.
CREATE TABLE model_call (
  session TEXT NOT NULL,
  step INTEGER NOT NULL,
  state TEXT NOT NULL,
  person INTEGER NOT NULL,
  model TEXT NOT NULL,
  nano_usd INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (session, step)
) WITHOUT ROWID;

-- Each request looks at the open ones, and the reported ones are many.
CREATE INDEX model_call_open ON model_call (at) WHERE state = 'open';

-- The ledger.
CREATE TABLE model_usage (
  day INTEGER NOT NULL,
  person INTEGER NOT NULL,
  model TEXT NOT NULL,
  calls INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  input INTEGER NOT NULL,
  cached_input INTEGER NOT NULL,
  output INTEGER NOT NULL,
  thinking INTEGER NOT NULL,
  nano_usd INTEGER NOT NULL,
  assumed_nano_usd INTEGER NOT NULL,
  PRIMARY KEY (day, person, model)
) WITHOUT ROWID;

-- What failed last; `model` is empty for the whole provider.
CREATE TABLE model_health (
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  class TEXT NOT NULL,
  until INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  failed_at INTEGER NOT NULL,
  PRIMARY KEY (provider, model)
) WITHOUT ROWID;

-- Features a model refused.
CREATE TABLE model_without (
  model TEXT NOT NULL,
  feature TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (model, feature)
) WITHOUT ROWID;

-- The highest threshold owners heard of, by period and the cap of that time.
CREATE TABLE budget_told (
  period TEXT NOT NULL,
  cap INTEGER NOT NULL,
  percent INTEGER NOT NULL,
  PRIMARY KEY (period, cap)
) WITHOUT ROWID;
