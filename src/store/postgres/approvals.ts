import type { ApprovalAnswer, ApprovalRecord, ApprovalRequest, ApprovalState } from '../../types.ts'
import {
  answeredWith,
  following,
  isLive,
  MOST_CHARACTERS,
  MOST_REMEMBERED,
  REMEMBERED_MS,
  stands,
  stateAt,
  subjectOf,
  withoutArguments,
} from '../approvals.ts'
import { quotedSchema } from './schema.ts'
import type { Session } from './session.ts'

/** A watcher that has been gone for so long is no longer written down, ms. */
const GONE_MS = 60_000

interface Stored {
  readonly state: ApprovalState
  readonly request: string
  readonly answered: string | null
}

/**
 * Requests for a person's yes, and who is there to answer: the SQL behind `ApprovalStore`, inside the caller's transaction. Whoever
 * writes holds the lock of all approvals; people are slow, so nobody waits for it long.
 */
export class PostgresApprovals {
  readonly #table: string
  readonly #answers: string
  readonly #watchers: string
  /** Seen to have expired here, and those of them that are still to be written down. */
  readonly #expired = new Set<string>()
  readonly #unwritten: string[] = []
  /** How many of them the current transaction writes. */
  #writing = 0

  constructor(schema: string) {
    this.#table = `${quotedSchema(schema)}.requests`
    this.#answers = `${quotedSchema(schema)}.answers`
    this.#watchers = `${quotedSchema(schema)}.watchers`
  }

  /** Has something expired that is to be written down? */
  get owes(): boolean {
    return this.#unwritten.length > 0
  }

  async request(session: Session, request: ApprovalRequest, now: number): Promise<ApprovalRecord> {
    await this.expireSeen(session)
    const known = await this.find(session, request.requestDigest, now)
    if (known !== undefined && stands(known, request)) return known
    if (known !== undefined && isLive(known.state))
      await session.query({ text: `UPDATE ${this.#table} SET state = 'expired' WHERE ref = $1` }, [known.ref])
    await session.query({ text: `DELETE FROM ${this.#table} WHERE expires_at <= $1` }, [now - REMEMBERED_MS])
    const subject = subjectOf(request)
    const asked = following(request, await this.#previous(session, subject))
    const text = JSON.stringify(asked)
    await this.#makeRoom(session, Buffer.byteLength(text))
    await session.query(
      {
        text: `INSERT INTO ${this.#table} (ref, digest, subject, state, expires_at, request)
               VALUES ($1, $2, $3, 'pending', $4, $5)`,
      },
      [request.ref, request.requestDigest, subject, request.expiresAt, text],
    )
    return { ...asked, state: stateAt('pending', request.expiresAt, now), answers: [] }
  }

  async find(session: Session, digest: string, now: number): Promise<ApprovalRecord | undefined> {
    const [newest] = await this.#read(session, `WHERE digest = $1 ORDER BY id DESC LIMIT 1`, [digest], now)
    return newest ?? (await this.#kept(session, `WHERE digest = $1 AND state = 'declined'`, digest, now))
  }

  async get(session: Session, ref: string, now: number): Promise<ApprovalRecord | undefined> {
    const [known] = await this.#read(session, `WHERE ref = $1`, [ref], now)
    return known ?? (await this.#kept(session, 'WHERE ref = $1', ref, now))
  }

  /** Oldest first. What is kept is bounded when it is asked for. */
  async pending(session: Session, now: number): Promise<readonly ApprovalRecord[]> {
    const newest = `SELECT * FROM ${this.#table} WHERE state = 'pending' AND expires_at > $1 ORDER BY id DESC LIMIT ${MOST_REMEMBERED}`
    const records = await this.#read(session, 'ORDER BY id', [now], now, `(${newest}) AS newest`)
    return records.filter(({ state }) => state === 'pending')
  }

  async answer(session: Session, ref: string, answer: ApprovalAnswer, now: number): Promise<boolean> {
    await this.expireSeen(session)
    const record = await this.get(session, ref, now)
    const next = record === undefined ? undefined : answeredWith(record, answer)
    if (record === undefined || next === undefined) return false
    const answers = JSON.stringify(next.answers)
    if (next.state !== 'pending') {
      const { state: _, answers: __, ...request } = record
      await session.query(
        {
          text: `INSERT INTO ${this.#answers} (ref, digest, state, request, answered) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (ref) DO UPDATE SET state = excluded.state, answered = excluded.answered`,
        },
        [ref, record.requestDigest, next.state, JSON.stringify(withoutArguments(request)), answers],
      )
    }
    const answered = await session.query(
      { text: `UPDATE ${this.#table} SET state = $1, answered = $2 WHERE ref = $3 RETURNING ref` },
      [next.state, answers, ref],
    )
    return answered.length === 1
  }

  async attend(session: Session, watcher: string, until: number): Promise<void> {
    await session.query(
      {
        text: `INSERT INTO ${this.#watchers} VALUES ($1, $2) ON CONFLICT (watcher) DO UPDATE SET until = excluded.until`,
      },
      [watcher, until],
    )
    await session.query({ text: `DELETE FROM ${this.#watchers} WHERE until <= $1` }, [until - GONE_MS])
  }

  async attended(session: Session, now: number): Promise<boolean> {
    return (await session.query({ text: `SELECT 1 FROM ${this.#watchers} WHERE until > $1 LIMIT 1` }, [now])).length > 0
  }

  /** Once seen to have expired, a request has for good: a clock that is put back does not bring its yes to life. */
  async expireSeen(session: Session): Promise<void> {
    if (this.#unwritten.length === 0) return
    await session.query(
      {
        text: `UPDATE ${this.#table} SET state = 'expired'
               WHERE ref = ANY ($1::text[]) AND state IN ('pending', 'approved')`,
      },
      [this.#unwritten],
    )
    this.#writing = this.#unwritten.length
  }

  /** The transaction is durable. */
  committed(): void {
    this.#unwritten.splice(0, this.#writing)
    this.#writing = 0
  }

  rolledBack(): void {
    this.#writing = 0
  }

  async #read(
    session: Session,
    where: string,
    values: unknown[],
    now: number,
    from: string = this.#table,
  ): Promise<readonly ApprovalRecord[]> {
    const rows = await session.query({ text: `SELECT state, request, answered FROM ${from} ${where}` }, values)
    return rows.map((row) => this.#recordOf(row as unknown as Stored, now))
  }

  /** What people said to a request that is no longer among them: a no stands, a yes has had its time. */
  async #kept(session: Session, where: string, value: string, now: number): Promise<ApprovalRecord | undefined> {
    const kept = `(SELECT ref, digest, CASE state WHEN 'declined' THEN state ELSE 'expired' END AS state, request, answered
                   FROM ${this.#answers}) AS kept`
    return (await this.#read(session, `${where} LIMIT 1`, [value], now, kept))[0]
  }

  /** What was approved last of the same principal's calls of the same tool. */
  async #previous(session: Session, subject: string): Promise<ApprovalRequest | undefined> {
    const [row] = await session.query(
      {
        text: `SELECT request FROM ${this.#table}
               WHERE subject = $1 AND state IN ('approved', 'spent') ORDER BY id DESC LIMIT 1`,
      },
      [subject],
    )
    return row === undefined ? undefined : (JSON.parse(String(row['request'])) as ApprovalRequest)
  }

  #recordOf({ state, request, answered }: Stored, now: number): ApprovalRecord {
    const asked = JSON.parse(request) as ApprovalRequest
    const hasEnded = state === 'spent' || state === 'declined'
    const current = this.#expired.has(asked.ref) && !hasEnded ? 'expired' : stateAt(state, asked.expiresAt, now)
    if (current === 'expired' && state !== 'expired') this.#noteExpired(asked.ref)
    const answers = answered === null ? [] : (JSON.parse(answered) as readonly ApprovalAnswer[])
    return { ...asked, state: current, answers }
  }

  #noteExpired(ref: string): void {
    if (this.#expired.has(ref) || this.#expired.size >= MOST_REMEMBERED) return
    this.#expired.add(ref)
    this.#unwritten.push(ref)
  }

  /** UNTRUSTED: whoever makes a model ask without end pushes out the oldest requests, and a forgotten one is never a yes. */
  async #makeRoom(session: Session, octets: number): Promise<void> {
    // Both are known without reading a text.
    const held = await session.find<{ readonly requests: number; readonly octets: number }>(
      {
        text: `SELECT json_build_object('requests', count(*), 'octets', coalesce(sum(octet_length(request)), 0))::text AS found
               FROM ${this.#table}`,
      },
      [],
    )
    if (held.requests < MOST_REMEMBERED && held.octets + octets <= MOST_CHARACTERS) return
    await session.query(
      {
        text: `DELETE FROM ${this.#table} WHERE id <= (SELECT max(id) FROM (
                 SELECT id, row_number() OVER newest AS requests, sum(octet_length(request)) OVER newest AS octets
                 FROM ${this.#table} WINDOW newest AS (ORDER BY id DESC)
               ) AS held WHERE requests > $1 OR octets > $2)`,
      },
      [MOST_REMEMBERED - 1, MOST_CHARACTERS - octets],
    )
  }
}
