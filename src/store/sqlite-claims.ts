import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type {
  Claim,
  ClaimStatus,
  Holder,
  OutcomeStatus,
  Receipt,
  SessionClaim,
  SessionKeys,
  SessionReading,
  SessionSeen,
  Surface,
} from '../types.ts'
import { factsOf, isStale, type Line, lapsedBefore, MOST_LAPSED, moved, movesOf } from './session-book.ts'

/** An outcome that `claims.db` has yet to hear of. */
export interface Mark {
  readonly decision: string
  readonly callKey: string
  readonly status: OutcomeStatus
}

/** Call keys and what sessions reserved: the SQL behind claims, inside the caller's transaction. */
export class SqliteClaims {
  readonly #find: StatementSync
  readonly #insert: StatementSync
  readonly #settle: StatementSync
  readonly #free: StatementSync
  readonly #seen: StatementSync
  readonly #moveSeen: StatementSync
  readonly #lines: StatementSync
  readonly #line: StatementSync
  readonly #setLine: StatementSync
  readonly #dropLine: StatementSync
  readonly #dropLapsed: StatementSync

  constructor(db: DatabaseSync) {
    this.#find = db.prepare('SELECT receipt, decision, input_digest, status FROM claims.claims WHERE call_key = ?')
    this.#insert = db.prepare("INSERT INTO claims.claims VALUES (?, ?, ?, ?, 'claimed', ?, ?, ?, ?, ?, ?)")
    this.#settle = db.prepare(
      "UPDATE claims.claims SET status = ? WHERE call_key = ? AND decision = ? AND status = 'claimed'",
    )
    this.#free = db.prepare(
      "DELETE FROM claims.claims WHERE call_key = ? AND decision = ? AND status = 'claimed' RETURNING session, tool, amount, principal, surface, at",
    )
    this.#seen = db.prepare('SELECT seen FROM claims.sessions WHERE key = ?')
    this.#moveSeen = db.prepare(
      'INSERT INTO claims.sessions (key, seen) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET seen = seen + 1',
    )
    this.#lines = db.prepare('SELECT since, name, calls, spent FROM claims.tallies WHERE key = ? AND since >= ?')
    this.#line = db.prepare('SELECT calls, spent FROM claims.tallies WHERE key = ? AND since = ? AND name = ?')
    this.#setLine = db.prepare('INSERT OR REPLACE INTO claims.tallies VALUES (?, ?, ?, ?, ?)')
    this.#dropLine = db.prepare('DELETE FROM claims.tallies WHERE key = ? AND since = ? AND name = ?')
    this.#dropLapsed = db.prepare(
      `DELETE FROM claims.tallies WHERE key = ? AND since < (
         SELECT since FROM claims.tallies WHERE key = ? AND since < ? ORDER BY since DESC LIMIT 1 OFFSET ${MOST_LAPSED - 1})`,
    )
  }

  /** Who holds a key, if anybody does. */
  taken(callKey: string): Holder | undefined {
    const row = this.#find.get(callKey)
    if (row === undefined) return undefined
    return {
      outcome: 'taken',
      receipt: String(row['receipt']),
      inputDigest: String(row['input_digest']),
      status: String(row['status']) as ClaimStatus,
    }
  }

  /** Did this decision's claim become durable? */
  holds(callKey: string, decision: string): boolean {
    return this.#find.get(callKey)?.['decision'] === decision
  }

  /** How this decision's claim stands; `undefined` where another decision has the key, or none. */
  held(callKey: string, decision: string): ClaimStatus | undefined {
    const row = this.#find.get(callKey)
    return row?.['decision'] === decision ? (String(row['status']) as ClaimStatus) : undefined
  }

  claim(claim: Claim, receipt: Receipt): void {
    const { session } = claim
    this.#insert.run(
      claim.callKey,
      claim.inputDigest,
      receipt.hash,
      receipt.id,
      session?.conversation ?? null,
      session?.tool ?? null,
      session?.amount ?? null,
      session?.principal ?? null,
      session?.surface ?? null,
      session?.at ?? null,
    )
    if (session === undefined) return
    const isNewLine = this.#move(session, movesOf(session, 1))
    if (isNewLine) this.#dropLapsed.run(session.principal, session.principal, lapsedBefore(session.at))
  }

  /** Ends a claim. Idempotent, and never touches a claim that another decision holds. */
  end({ callKey, decision, status }: Mark): void {
    if (status !== 'not_executed') {
      this.#settle.run(status, callKey, decision)
      return
    }
    // Provably never begun: the key is free again and the session gets its reservation back.
    const row = this.#free.get(callKey, decision)
    const session = row === undefined ? undefined : reservedBy(row)
    if (session !== undefined) this.#move(session, movesOf(session, -1))
  }

  isStale(session: SessionClaim): boolean {
    return session.seen !== undefined && isStale(session, this.#seenOf(session))
  }

  read(session: SessionKeys, now: number): SessionReading {
    const { conversation, principal } = session
    const facts = factsOf(this.#linesOf(conversation, 0), this.#linesOf(principal, lapsedBefore(now)), now)
    return { seen: this.#seenOf(session), facts }
  }

  #seenOf({ conversation, principal }: SessionKeys): SessionSeen {
    const seenOf = (key: string): number => Number(this.#seen.get(key)?.['seen'] ?? 0)
    return { conversation: seenOf(conversation), principal: seenOf(principal) }
  }

  #linesOf(key: string, first: number): readonly Line[] {
    return this.#lines.all(key, first).map((row) => ({
      key,
      since: Number(row['since']),
      name: String(row['name']),
      calls: Number(row['calls']),
      spent: BigInt(String(row['spent'])),
    }))
  }

  /** Says whether there is a line of the principal that was not there before. */
  #move({ conversation, principal }: SessionKeys, moves: readonly Line[]): boolean {
    let isNewLine = false
    for (const move of moves) {
      const { key, since, name } = move
      const row = this.#line.get(key, since, name)
      const before =
        row === undefined ? undefined : { calls: Number(row['calls']), spent: BigInt(String(row['spent'])) }
      isNewLine ||= row === undefined && key === principal
      const line = moved(before, move)
      if (line === undefined) this.#dropLine.run(key, since, name)
      else this.#setLine.run(key, since, name, line.calls, line.spent.toString())
    }
    for (const key of [conversation, principal]) this.#moveSeen.run(key)
    return isNewLine
  }
}

/** What a freed claim had reserved. One of schema version 1 reserved for its tool alone, and keeps that: nobody knows whose it was. */
function reservedBy(row: Record<string, unknown>): SessionClaim | undefined {
  const { session, tool, amount, principal, surface, at } = row
  if (typeof session !== 'string' || typeof tool !== 'string') return undefined
  if (typeof principal !== 'string' || typeof at !== 'number') return undefined
  return {
    conversation: session,
    principal,
    tool,
    surface: String(surface) as Surface,
    at,
    ...(typeof amount === 'string' ? { amount } : {}),
  }
}
