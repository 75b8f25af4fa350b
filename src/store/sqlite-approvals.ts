import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ApprovalAnswer, ApprovalRecord, ApprovalRequest, ApprovalState } from '../types.ts'
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
} from './approvals.ts'

/** A watcher that has been gone for so long is no longer written down, ms. */
const GONE_MS = 60_000

/** Requests for a person's yes, and who is there to answer: the SQL behind `ApprovalStore`, inside the caller's transaction. */
export class SqliteApprovals {
  readonly #insert: StatementSync
  readonly #byDigest: StatementSync
  readonly #byRef: StatementSync
  readonly #pending: StatementSync
  readonly #answer: StatementSync
  readonly #keep: StatementSync
  readonly #declined: StatementSync
  readonly #kept: StatementSync
  readonly #previous: StatementSync
  readonly #spend: StatementSync
  readonly #forget: StatementSync
  readonly #held: StatementSync
  readonly #shed: StatementSync
  readonly #attend: StatementSync
  readonly #part: StatementSync
  readonly #attended: StatementSync
  readonly #expire: StatementSync
  /** Seen to have expired here, and those of them that are to be written down with the next work that writes. */
  readonly #expired = new Set<string>()
  readonly #unwritten: string[] = []

  /** `schema` is the name under which `claims.db` is open: attached, or the connection's own file. */
  constructor(db: DatabaseSync, schema: 'claims' | 'main') {
    const table = `${schema}.requests`
    const answers = `${schema}.answers`
    const watchers = `${schema}.watchers`
    const columns = 'ref, state, expires_at, request, answered'
    this.#insert = db.prepare(
      `INSERT INTO ${table} (ref, digest, subject, state, expires_at, request) VALUES (?, ?, ?, 'pending', ?, ?)`,
    )
    this.#byDigest = db.prepare(`SELECT ${columns} FROM ${table} WHERE digest = ? ORDER BY id DESC LIMIT 1`)
    this.#byRef = db.prepare(`SELECT ${columns} FROM ${table} WHERE ref = ?`)
    this.#pending = db.prepare(
      `SELECT ${columns} FROM ${table} WHERE state = 'pending' AND expires_at > ? ORDER BY id DESC LIMIT ${MOST_REMEMBERED}`,
    )
    this.#answer = db.prepare(`UPDATE ${table} SET state = ?, answered = ? WHERE ref = ?`)
    this.#keep = db.prepare(
      `INSERT INTO ${answers} (ref, digest, state, request, answered) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (ref) DO UPDATE SET state = excluded.state, answered = excluded.answered`,
    )
    // A yes that is no longer among the requests has had its time.
    const kept = `SELECT ref, state, 0 AS expires_at, request, answered FROM ${answers}`
    this.#declined = db.prepare(`${kept} WHERE digest = ? AND state = 'declined' LIMIT 1`)
    this.#kept = db.prepare(`${kept} WHERE ref = ?`)
    this.#previous = db.prepare(
      `SELECT request FROM ${table} WHERE subject = ? AND state IN ('approved', 'spent') ORDER BY id DESC LIMIT 1`,
    )
    this.#spend = db.prepare(
      `UPDATE ${table} SET state = 'spent' WHERE ref = ? AND state = 'approved' AND expires_at > ?`,
    )
    this.#forget = db.prepare(`DELETE FROM ${table} WHERE expires_at <= ?`)
    // octet_length is known without reading the text.
    this.#held = db.prepare(`SELECT count(*) AS requests, total(octet_length(request)) AS octets FROM ${table}`)
    this.#shed = db.prepare(
      `DELETE FROM ${table} WHERE id <= (SELECT max(id) FROM (
         SELECT id, row_number() OVER newest AS requests, sum(octet_length(request)) OVER newest AS octets
         FROM ${table} WINDOW newest AS (ORDER BY id DESC)
       ) WHERE requests > ? OR octets > ?)`,
    )
    this.#attend = db.prepare(
      `INSERT INTO ${watchers} (watcher, until) VALUES (?, ?) ON CONFLICT (watcher) DO UPDATE SET until = excluded.until`,
    )
    this.#part = db.prepare(`DELETE FROM ${watchers} WHERE until <= ?`)
    this.#expire = db.prepare(
      `UPDATE ${table} SET state = 'expired' WHERE ref = ? AND state IN ('pending', 'approved')`,
    )
    this.#attended = db.prepare(`SELECT 1 AS here FROM ${watchers} WHERE until > ? LIMIT 1`)
  }

  request(request: ApprovalRequest, now: number): ApprovalRecord {
    this.#expireSeen()
    const known = this.find(request.requestDigest, now)
    if (known !== undefined && stands(known, request)) return known
    if (known !== undefined && isLive(known.state)) this.#expire.run(known.ref)
    this.#forget.run(now - REMEMBERED_MS)
    const subject = subjectOf(request)
    const previous = this.#previous.get(subject)
    const asked = following(request, previous === undefined ? undefined : JSON.parse(String(previous['request'])))
    const text = JSON.stringify(asked)
    this.#makeRoom(Buffer.byteLength(text))
    this.#insert.run(request.ref, request.requestDigest, subject, request.expiresAt, text)
    return { ...asked, state: stateAt('pending', request.expiresAt, now), answers: [] }
  }

  find(digest: string, now: number): ApprovalRecord | undefined {
    return this.#read(this.#byDigest.get(digest) ?? this.#declined.get(digest), now)
  }

  get(ref: string, now: number): ApprovalRecord | undefined {
    return this.#read(this.#byRef.get(ref) ?? this.#kept.get(ref), now)
  }

  /** Oldest first; of a folder that holds more than is kept nowadays, the newest. */
  pending(now: number): readonly ApprovalRecord[] {
    const newest: ApprovalRecord[] = []
    let characters = 0
    for (const row of this.#pending.iterate(now)) {
      characters += String(row['request']).length
      if (characters > MOST_CHARACTERS) break
      const record = this.#read(row, now)
      if (record?.state === 'pending') newest.push(record)
    }
    return newest.reverse()
  }

  answer(ref: string, answer: ApprovalAnswer, now: number): boolean {
    this.#expireSeen()
    const record = this.get(ref, now)
    const next = record === undefined ? undefined : answeredWith(record, answer)
    if (record === undefined || next === undefined) return false
    const answers = JSON.stringify(next.answers)
    if (next.state !== 'pending') {
      const { state: _, answers: __, ...request } = record
      this.#keep.run(ref, record.requestDigest, next.state, JSON.stringify(withoutArguments(request)), answers)
    }
    return this.#answer.run(next.state, answers, ref).changes === 1
  }

  /** Once seen to have expired, a request has for good: a clock that is put back does not bring its yes to life. */
  #read(row: Record<string, unknown> | undefined, now: number): ApprovalRecord | undefined {
    const record = recordOf(row, now)
    if (record === undefined || row === undefined) return undefined
    if (record.state === 'expired' && row['state'] !== 'expired') this.#noteExpired(record.ref)
    const hasEnded = record.state === 'spent' || record.state === 'declined'
    return this.#expired.has(record.ref) && !hasEnded ? { ...record, state: 'expired' } : record
  }

  #noteExpired(ref: string): void {
    if (this.#expired.has(ref) || this.#expired.size >= MOST_REMEMBERED) return
    this.#expired.add(ref)
    this.#unwritten.push(ref)
  }

  #expireSeen(): void {
    for (const ref of this.#unwritten.splice(0)) this.#expire.run(ref)
  }

  /** UNTRUSTED: whoever makes a model ask without end pushes out the oldest requests, and a forgotten one is never a yes. */
  #makeRoom(octets: number): void {
    const held = this.#held.get()
    if (Number(held?.['requests']) < MOST_REMEMBERED && Number(held?.['octets']) + octets <= MOST_CHARACTERS) return
    this.#shed.run(MOST_REMEMBERED - 1, MOST_CHARACTERS - octets)
  }

  /** True when this call is the one that spent it. */
  spend(ref: string, now: number): boolean {
    this.#expireSeen()
    return this.#spend.run(ref, now).changes === 1
  }

  attend(watcher: string, until: number): void {
    this.#attend.run(watcher, until)
    this.#part.run(until - GONE_MS)
  }

  attended(now: number): boolean {
    return this.#attended.get(now) !== undefined
  }
}

function recordOf(row: Record<string, unknown> | undefined, now: number): ApprovalRecord | undefined {
  if (row === undefined) return undefined
  const request = JSON.parse(String(row['request'])) as ApprovalRequest
  const state = stateAt(String(row['state']) as ApprovalState, Number(row['expires_at']), now)
  const answered = row['answered']
  const answers = typeof answered === 'string' ? (JSON.parse(answered) as readonly ApprovalAnswer[]) : []
  return { ...request, state, answers }
}
