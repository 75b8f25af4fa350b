import { quotedSchema } from './schema.ts'

/** The log's tables' version. A log of another version is refused rather than guessed at. */
export const LOG_VERSION = 1

/**
 * The SQL that makes the tables of a store's log, beside those of the store (`postgresSchema`): for whoever lets only a database's owner
 * make tables. Who takes the log forward makes what is missing by itself otherwise.
 *
 * @throws HoldpointError ERR_CONFIG for a name that is not taken
 */
export function postgresLogSchema(schema = 'holdpoint'): string {
  const s = quotedSchema(schema)
  return `
-- Whose log it is, who takes it forward, and how far it is signed. Each holder has a number of its own: whoever writes has the newest.
CREATE SEQUENCE ${s}.log_holders;
CREATE TABLE ${s}.log (
  one     boolean PRIMARY KEY DEFAULT true CHECK (one),
  version integer NOT NULL,
  store   text COLLATE "C" NOT NULL,
  origin  text COLLATE "C" NOT NULL,
  key     text COLLATE "C" NOT NULL,
  holder  bigint NOT NULL DEFAULT 0,
  size    bigint NOT NULL DEFAULT 0,
  root    bytea
);

-- Which receipt has which leaf: \`slot\` and \`id\` are its row in \`receipts\`.
CREATE TABLE ${s}.log_leaves (
  leaf bigint PRIMARY KEY,
  hash bytea NOT NULL UNIQUE,
  slot integer NOT NULL,
  id   bigint NOT NULL
);

-- The last receipt of each slot that has a leaf.
CREATE TABLE ${s}.log_reached (
  slot integer PRIMARY KEY,
  id   bigint NOT NULL,
  hash bytea NOT NULL
);

CREATE TABLE ${s}.log_checkpoints (
  size bigint PRIMARY KEY,
  root bytea NOT NULL,
  note text COLLATE "C" NOT NULL,
  at   bigint NOT NULL
);

-- The static files, by the paths under which C2SP tlog-tiles has them: \`checkpoint\`, \`tile/…\`.
CREATE TABLE ${s}.log_files (
  path  text COLLATE "C" PRIMARY KEY,
  bytes bytea NOT NULL
);
`
}
