/**
 * The tables of the embedded store.
 *
 * `receipts-<n>.db` belongs to one live process at a time (its slot). `claims.db` is shared by every process of the folder
 * and holds what must be unique across them. A slot's connection attaches `claims.db` under the name `claims`.
 */

/** Bumped when a table of a file changes; a store of a version that is not known is refused rather than guessed at. */
export const SLOT_VERSION = 2
export const CLAIMS_VERSION = 5

/** Which store a file is of, how often that had been opened, and the newest batch that claimed: see sqlite-bond.ts. */
const STORE_COLUMNS = `(
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  id     TEXT NOT NULL,
  opened INTEGER NOT NULL,
  batch  INTEGER NOT NULL DEFAULT 0
) STRICT;
`

export const SLOT_SCHEMA = `
CREATE TABLE IF NOT EXISTS main.store ${STORE_COLUMNS}
CREATE TABLE IF NOT EXISTS receipts (
  id     INTEGER PRIMARY KEY,
  ref    TEXT NOT NULL UNIQUE,
  hash   TEXT NOT NULL,
  stream TEXT NOT NULL,
  seq    INTEGER NOT NULL,
  prev   TEXT,
  kind   TEXT NOT NULL,
  jws    TEXT NOT NULL,
  UNIQUE (stream, seq)
) STRICT;
CREATE TRIGGER IF NOT EXISTS receipts_never_change BEFORE UPDATE ON receipts
  BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;
CREATE TRIGGER IF NOT EXISTS receipts_never_go BEFORE DELETE ON receipts
  BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;

-- Salted preimages, beside the receipts so that they can be erased without touching one.
CREATE TABLE IF NOT EXISTS sidecars (
  receipt INTEGER PRIMARY KEY REFERENCES receipts (id),
  salt    TEXT NOT NULL,
  request TEXT NOT NULL
) STRICT;

-- Permits that owe an outcome, and outcomes that claims.db has yet to hear of (status set).
CREATE TABLE IF NOT EXISTS permits (
  decision TEXT PRIMARY KEY,
  call_key TEXT NOT NULL,
  status   TEXT,
  batch    INTEGER
) STRICT, WITHOUT ROWID;
`

export const CLAIMS_SCHEMA = `
CREATE TABLE IF NOT EXISTS claims.store ${STORE_COLUMNS}
CREATE TABLE IF NOT EXISTS claims.claims (
  call_key     TEXT PRIMARY KEY,
  input_digest TEXT NOT NULL,
  decision     TEXT NOT NULL,
  receipt      TEXT NOT NULL,
  status       TEXT NOT NULL,
  session      TEXT,
  tool         TEXT,
  amount       TEXT,
  principal    TEXT,
  surface      TEXT,
  at           INTEGER
) STRICT, WITHOUT ROWID;

-- \`seen\` is a version: every claim and every freed claim of a conversation or a principal (\`key\`) moves it.
CREATE TABLE IF NOT EXISTS claims.sessions (
  key  TEXT PRIMARY KEY,
  seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What sessions add up: the lines of session-book.ts. \`spent\` is text because a sum may outgrow 64 bits.
CREATE TABLE IF NOT EXISTS claims.tallies (
  key   TEXT NOT NULL,
  since INTEGER NOT NULL,
  name  TEXT NOT NULL,
  calls INTEGER NOT NULL,
  spent TEXT NOT NULL,
  PRIMARY KEY (key, since, name)
) STRICT, WITHOUT ROWID;

-- Requests for a person's yes. \`subject\` is a hash of whose calls of which tool they are compared with; \`answered\` a list.
CREATE TABLE IF NOT EXISTS claims.requests (
  id         INTEGER PRIMARY KEY,
  ref        TEXT NOT NULL UNIQUE,
  digest     TEXT NOT NULL,
  subject    TEXT NOT NULL,
  state      TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  request    TEXT NOT NULL,
  answered   TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS claims.requests_by_digest ON requests (digest, id);
CREATE INDEX IF NOT EXISTS claims.requests_by_subject ON requests (subject, id);
CREATE INDEX IF NOT EXISTS claims.requests_by_end ON requests (expires_at);
CREATE INDEX IF NOT EXISTS claims.requests_pending ON requests (expires_at) WHERE state = 'pending';

-- What people said in the end, \`declined\` or \`approved\`, without the arguments. Kept for good: a no that was forgotten could be
-- asked about until somebody says yes, and what receipts name of a yes is in its statements.
CREATE TABLE IF NOT EXISTS claims.answers (
  ref      TEXT PRIMARY KEY,
  digest   TEXT NOT NULL,
  state    TEXT NOT NULL,
  request  TEXT NOT NULL,
  answered TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims.answers_declined ON answers (digest) WHERE state = 'declined';

-- How often each override was used. Kept for good: one that was forgotten could be used again.
CREATE TABLE IF NOT EXISTS claims.overrides (
  id   TEXT PRIMARY KEY,
  uses INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS claims.watchers (
  watcher TEXT PRIMARY KEY,
  until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`

/**
 * From version 1, which counted by conversation and tool alone: sums by surface, hour and day begin at nothing here. A process of that version that still has the file open fails
 * from here on, and so refuses: it would run calls that no hour and no day counts.
 */
const CLAIMS_FROM_1 = `
ALTER TABLE claims.claims ADD COLUMN principal TEXT;
ALTER TABLE claims.claims ADD COLUMN surface TEXT;
ALTER TABLE claims.claims ADD COLUMN at INTEGER;
INSERT INTO claims.tallies SELECT key, 0, tool, calls, spent FROM claims.session_tools WHERE calls > 0;
DROP TABLE claims.session_tools;
`

/**
 * By version, what a slot of that version needs beside the tables that it lacks. Version 1 did not say which store it is of, nor
 * with which others a permit was written.
 */
export const SLOT_OLDER: ReadonlyMap<number, string> = new Map([
  [1, 'ALTER TABLE main.permits ADD COLUMN batch INTEGER;'],
])

/**
 * Until version 4 one person answered, and nothing said what they had been shown: who was being asked is asked anew. A process of such
 * a version that still has the file open refuses from here on whatever a person must say yes to: it would take one for all.
 */
const CLAIMS_UNTIL_4 = 'DROP TABLE IF EXISTS claims.approvals;'

/** The same of `claims.db`. Version 2 had no overrides, version 3 did not say which store it is of. */
export const CLAIMS_OLDER: ReadonlyMap<number, string> = new Map([
  [1, CLAIMS_FROM_1 + CLAIMS_UNTIL_4],
  [2, CLAIMS_UNTIL_4],
  [3, CLAIMS_UNTIL_4],
  [4, CLAIMS_UNTIL_4],
])
