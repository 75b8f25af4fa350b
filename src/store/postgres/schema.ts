import { sha256Bytes } from '../../bytes/digest.ts'
import { HoldpointError } from '../../errors.ts'

/** The tables' version. A store of a version that is not known is refused rather than guessed at. */
export const SCHEMA_VERSION = 2

/** Why a name is no schema of ours, or the name as SQL has it, in double quotes. */
const NAME = /^[a-z_][a-z0-9_]{0,62}$/

/**
 * A schema's name, quoted for SQL.
 *
 * UNTRUSTED: a name is the one thing that no parameter can carry, so only plain ones are taken.
 * @throws HoldpointError ERR_CONFIG
 */
export function quotedSchema(name: string): string {
  if (NAME.test(name) && !name.startsWith('pg_') && name !== 'information_schema') return `"${name}"`
  throw new HoldpointError(
    'ERR_CONFIG',
    `the schema ${JSON.stringify(name)} has no name that holdpoint takes: lower-case letters, digits and _, at most 63, and none of PostgreSQL's own`,
    { at: 'postgresStore options' },
  )
}

/** A lock of the whole database, by what it stands for: 64 bits of a hash, so that no other program's is met by chance. */
export function lockKey(schema: string, what: string): bigint {
  return Buffer.from(sha256Bytes(JSON.stringify(['holdpoint', schema, what]))).readBigInt64BE()
}

/**
 * The SQL that makes a store in a schema, whole: for whoever lets only a database's owner make tables. A store makes what is
 * missing by itself otherwise. To be run in one transaction (`psql --single-transaction`).
 *
 * Text that is compared is compared by its bytes (`COLLATE "C"`): an index must not depend on a system's locale.
 *
 * @throws HoldpointError ERR_CONFIG for a name that is not taken
 */
export function postgresSchema(schema = 'holdpoint'): string {
  const s = quotedSchema(schema)
  return `
CREATE SCHEMA IF NOT EXISTS ${s};

CREATE TABLE ${s}.store (
  one     boolean PRIMARY KEY DEFAULT true CHECK (one),
  version integer NOT NULL,
  id      text COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text
);

-- One for each live gate process: its rows are its own, so that they are committed in the order of their numbers. The process holds
-- an advisory lock on its slot for as long as it lives. Whoever takes a slot over gives it another lease.
CREATE SEQUENCE ${s}.leases;
CREATE TABLE ${s}.slots (
  slot   integer PRIMARY KEY,
  lease  bigint NOT NULL,
  closed boolean NOT NULL
);

CREATE TABLE ${s}.receipts (
  slot   integer NOT NULL,
  id     bigint GENERATED ALWAYS AS IDENTITY,
  ref    text COLLATE "C" NOT NULL,
  hash   text COLLATE "C" NOT NULL UNIQUE,
  stream text COLLATE "C" NOT NULL,
  seq    bigint NOT NULL,
  prev   text COLLATE "C",
  kind   text COLLATE "C" NOT NULL,
  jws    text COLLATE "C" NOT NULL,
  PRIMARY KEY (slot, id),
  UNIQUE (stream, seq)
);
CREATE FUNCTION ${s}.never() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$ BEGIN RAISE EXCEPTION 'receipts are append-only'; END $$;
CREATE TRIGGER receipts_never_change BEFORE UPDATE OR DELETE ON ${s}.receipts
  FOR EACH ROW EXECUTE FUNCTION ${s}.never();
CREATE TRIGGER receipts_never_go BEFORE TRUNCATE ON ${s}.receipts
  FOR EACH STATEMENT EXECUTE FUNCTION ${s}.never();
-- Also in a session that plays a replica, where triggers rest otherwise.
ALTER TABLE ${s}.receipts ENABLE ALWAYS TRIGGER receipts_never_change;
ALTER TABLE ${s}.receipts ENABLE ALWAYS TRIGGER receipts_never_go;

-- Salted preimages, beside the receipts so that they can be erased without touching one.
CREATE TABLE ${s}.sidecars (
  receipt text COLLATE "C" PRIMARY KEY,
  salt    text COLLATE "C" NOT NULL,
  request text COLLATE "C" NOT NULL
);

-- Permits that owe an outcome, and whose they are.
CREATE TABLE ${s}.permits (
  decision text COLLATE "C" PRIMARY KEY,
  lease    bigint NOT NULL,
  call_key text COLLATE "C" NOT NULL
);
CREATE INDEX permits_by_lease ON ${s}.permits (lease);

-- \`call_key\`, and \`key\` below, are hashes of what they stand for: they are of one length, whatever a host calls its conversations.
CREATE TABLE ${s}.claims (
  call_key     text COLLATE "C" PRIMARY KEY,
  input_digest text COLLATE "C" NOT NULL,
  decision     text COLLATE "C" NOT NULL,
  receipt      text COLLATE "C" NOT NULL,
  status       text COLLATE "C" NOT NULL,
  session      text COLLATE "C"
);

-- \`seen\` is a version: every claim and every freed claim of a conversation or a principal moves it.
CREATE TABLE ${s}.sessions (
  key  text COLLATE "C" PRIMARY KEY,
  seen bigint NOT NULL
);

-- What sessions add up: the lines of session-book.ts, amounts in ten-thousandths.
CREATE TABLE ${s}.tallies (
  key   text COLLATE "C" NOT NULL,
  since bigint NOT NULL,
  name  text COLLATE "C" NOT NULL,
  calls bigint NOT NULL,
  spent numeric NOT NULL,
  PRIMARY KEY (key, since, name)
);

${requestTables(s)}
-- How often each override was used. Kept for good: one that was forgotten could be used again.
CREATE TABLE ${s}.overrides (
  id   text COLLATE "C" PRIMARY KEY,
  uses bigint NOT NULL
);

CREATE TABLE ${s}.watchers (
  watcher text COLLATE "C" PRIMARY KEY,
  until   bigint NOT NULL
);

INSERT INTO ${s}.store (version) VALUES (${SCHEMA_VERSION});
`
}

/**
 * The SQL that makes tables of version 1 into tables of this one. In version 1 one person answered, and nothing said what they had
 * been shown: who was being asked is asked anew. A process of that version refuses from here on whatever a person must say yes to.
 *
 * @throws HoldpointError ERR_CONFIG for a name that is not taken
 */
export function upgradeFrom1(schema: string): string {
  const s = quotedSchema(schema)
  return `
DROP TABLE ${s}.approvals;
${requestTables(s)}
UPDATE ${s}.store SET version = ${SCHEMA_VERSION};
`
}

function requestTables(s: string): string {
  return `-- Requests for a person's yes. \`subject\` is a hash of whose calls of which tool they are compared with; \`answered\` a list.
CREATE TABLE ${s}.requests (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ref        text COLLATE "C" NOT NULL UNIQUE,
  digest     text COLLATE "C" NOT NULL,
  subject    text COLLATE "C" NOT NULL,
  state      text COLLATE "C" NOT NULL,
  expires_at bigint NOT NULL,
  request    text COLLATE "C" NOT NULL,
  answered   text COLLATE "C"
);
CREATE INDEX requests_by_digest ON ${s}.requests (digest, id);
CREATE INDEX requests_by_subject ON ${s}.requests (subject, id);
CREATE INDEX requests_by_end ON ${s}.requests (expires_at);

-- What people said in the end, \`declined\` or \`approved\`, without the arguments. Kept for good: a no that was forgotten could be
-- asked about until somebody says yes, and what receipts name of a yes is in its statements.
CREATE TABLE ${s}.answers (
  ref      text COLLATE "C" PRIMARY KEY,
  digest   text COLLATE "C" NOT NULL,
  state    text COLLATE "C" NOT NULL,
  request  text COLLATE "C" NOT NULL,
  answered text COLLATE "C" NOT NULL
);
CREATE INDEX answers_declined ON ${s}.answers (digest) WHERE state = 'declined';`
}
