import { MOST_LAPSED } from '../session-book.ts'
import { quotedSchema } from './schema.ts'
import type { Statement } from './session.ts'

const NAMES = ['lock', 'load', 'end', 'free', 'store', 'lapse', 'holder', 'read'] as const

/** The SQL of receipts, claims and sessions, for one schema. Every value is a parameter; lists travel as JSON. */
export type Statements = Readonly<Record<(typeof NAMES)[number], Statement>>

/** What a list of rows is in JSON, and as what SQL reads it. */
const LINE = '(key text, since bigint, name text, calls bigint, spent numeric)'
const MOVES = '(key text, moves bigint)'

export function statementsFor(schema: string): Statements {
  const s = quotedSchema(schema)
  const list = (of: string): string => `(SELECT coalesce(json_agg(found), '[]') FROM (${of}) AS found)`
  const texts: Record<(typeof NAMES)[number], string> = {
    // Sorted by whoever asks, so that two batches never wait for one another.
    lock: 'SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key',

    load: `SELECT json_build_object(
      'heads', ${list(`
        SELECT head.* FROM unnest($1::text[]) AS asked (stream) CROSS JOIN LATERAL (
          SELECT stream, slot, seq, hash FROM ${s}.receipts WHERE receipts.stream = asked.stream ORDER BY seq DESC LIMIT 1
        ) AS head`)},
      'claims', ${list(`SELECT call_key, input_digest, decision, receipt, status FROM ${s}.claims WHERE call_key = ANY ($2)`)},
      'seen', ${list(`SELECT key, seen FROM ${s}.sessions WHERE key = ANY ($3)`)},
      'uses', ${list(`SELECT id, uses FROM ${s}.overrides WHERE id = ANY ($4)`)},
      'spendable', (SELECT coalesce(json_agg(ref), '[]') FROM ${s}.requests
        WHERE ref = ANY ($5) AND state = 'approved' AND expires_at > $6),
      'permits', (SELECT coalesce(json_agg(decision), '[]') FROM ${s}.permits WHERE decision = ANY ($7) AND lease = $8)
    )::text AS found`,

    end: `
      WITH ended AS MATERIALIZED (
        SELECT * FROM json_to_recordset($1::json) AS rows (decision text, call_key text, status text)
      ), freed AS (
        DELETE FROM ${s}.claims USING ended
        WHERE claims.call_key = ended.call_key AND claims.decision = ended.decision AND claims.status = 'claimed'
          AND ended.status = 'not_executed'
      ), told AS (
        UPDATE ${s}.claims SET status = ended.status FROM ended
        WHERE claims.call_key = ended.call_key AND claims.decision = ended.decision AND claims.status = 'claimed'
          AND ended.status <> 'not_executed'
      )
      DELETE FROM ${s}.permits USING ended WHERE permits.decision = ended.decision`,

    free: `
      WITH freed AS MATERIALIZED (
        SELECT * FROM json_to_recordset($1::json) AS rows ${LINE}
      ), empty AS (
        DELETE FROM ${s}.tallies USING freed
        WHERE tallies.key = freed.key AND tallies.since = freed.since AND tallies.name = freed.name
          AND tallies.calls <= freed.calls
      ), less AS (
        UPDATE ${s}.tallies SET calls = tallies.calls - freed.calls, spent = tallies.spent - freed.spent FROM freed
        WHERE tallies.key = freed.key AND tallies.since = freed.since AND tallies.name = freed.name
          AND tallies.calls > freed.calls
      )
      INSERT INTO ${s}.sessions (key, seen) SELECT key, moves FROM json_to_recordset($2::json) AS rows ${MOVES}
      ON CONFLICT (key) DO UPDATE SET seen = sessions.seen + excluded.seen`,

    store: `
      WITH receipt AS (
        INSERT INTO ${s}.receipts (slot, ref, hash, stream, seq, prev, kind, jws)
        SELECT $1::integer, id, hash, stream, seq, prev, kind, jws FROM json_to_recordset($2::json)
          AS rows (place integer, id text, hash text, stream text, seq bigint, prev text, kind text, jws text)
        ORDER BY place
      ), sidecar AS (
        INSERT INTO ${s}.sidecars (receipt, salt, request)
        SELECT receipt, salt, request FROM json_to_recordset($3::json) AS rows (receipt text, salt text, request text)
      ), claim AS (
        INSERT INTO ${s}.claims (call_key, input_digest, decision, receipt, status, session)
        SELECT call_key, input_digest, decision, receipt, status, session FROM json_to_recordset($4::json)
          AS rows (call_key text, input_digest text, decision text, receipt text, status text, session text)
        RETURNING decision, call_key
      ), permit AS (
        INSERT INTO ${s}.permits (decision, lease, call_key) SELECT decision, $5::bigint, call_key FROM claim
      ), line AS (
        INSERT INTO ${s}.tallies (key, since, name, calls, spent)
        SELECT key, since, name, calls, spent FROM json_to_recordset($6::json) AS rows ${LINE}
        ON CONFLICT (key, since, name)
          DO UPDATE SET calls = tallies.calls + excluded.calls, spent = tallies.spent + excluded.spent
        RETURNING key, since, xmax = 0 AS is_new
      ), seen AS (
        INSERT INTO ${s}.sessions (key, seen) SELECT key, moves FROM json_to_recordset($7::json) AS rows ${MOVES}
        ON CONFLICT (key) DO UPDATE SET seen = sessions.seen + excluded.seen
      ), used AS (
        INSERT INTO ${s}.overrides (id, uses)
        SELECT id, uses FROM json_to_recordset($8::json) AS rows (id text, uses bigint)
        ON CONFLICT (id) DO UPDATE SET uses = overrides.uses + excluded.uses
      ), spent AS (
        UPDATE ${s}.requests SET state = 'spent' WHERE ref = ANY ($9::text[])
      )
      SELECT coalesce(json_agg(DISTINCT key), '[]')::text AS found FROM line WHERE is_new AND since > 0`,

    lapse: `DELETE FROM ${s}.tallies WHERE key = $1 AND since < (
      SELECT since FROM ${s}.tallies WHERE key = $1 AND since < $2 ORDER BY since DESC LIMIT 1 OFFSET ${MOST_LAPSED - 1})`,

    holder: `SELECT (SELECT json_build_object('receipt', receipt, 'inputDigest', input_digest, 'status', status)
      FROM ${s}.claims WHERE call_key = $1)::text AS found`,

    // A sum may outgrow what a number in JSON holds: it goes as text.
    read: `SELECT json_build_object(
      'seen', ${list(`SELECT key, seen FROM ${s}.sessions WHERE key IN ($1, $2)`)},
      'lines', ${list(`
        SELECT key, since, name, calls, spent::text FROM ${s}.tallies WHERE key = $1
        UNION ALL
        SELECT key, since, name, calls, spent::text FROM ${s}.tallies WHERE key = $2 AND since >= $3`)}
    )::text AS found`,
  }
  // A connection that writes serves one store: its names need not say which.
  return Object.fromEntries(NAMES.map((name) => [name, { name: `holdpoint_${name}`, text: texts[name] }])) as Statements
}
