import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Claim, ClaimStatus, Holder, OutcomeStatus, Receipt, SessionFacts } from '../types.ts'
import { amountOf, sessionFacts } from './sessions.ts'

type SessionClaim = NonNullable<Claim['session']>

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
  readonly #tools: StatementSync
  readonly #moveSeen: StatementSync
  readonly #tool: StatementSync
  readonly #setTool: StatementSync

  constructor(db: DatabaseSync) {
    this.#find = db.prepare('SELECT receipt, decision, input_digest, status FROM claims.claims WHERE call_key = ?')
    this.#insert = db.prepare("INSERT INTO claims.claims VALUES (?, ?, ?, ?, 'claimed', ?, ?, ?)")
    this.#settle = db.prepare(
      "UPDATE claims.claims SET status = ? WHERE call_key = ? AND decision = ? AND status = 'claimed'",
    )
    this.#free = db.prepare(
      "DELETE FROM claims.claims WHERE call_key = ? AND decision = ? AND status = 'claimed' RETURNING session, tool, amount",
    )
    this.#seen = db.prepare('SELECT seen FROM claims.sessions WHERE key = ?')
    this.#tools = db.prepare('SELECT tool, calls, spent FROM claims.session_tools WHERE key = ?')
    this.#moveSeen = db.prepare(
      'INSERT INTO claims.sessions (key, seen) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET seen = seen + 1',
    )
    this.#tool = db.prepare('SELECT calls, spent FROM claims.session_tools WHERE key = ? AND tool = ?')
    this.#setTool = db.prepare(
      'INSERT INTO claims.session_tools (key, tool, calls, spent) VALUES (?, ?, ?, ?) ON CONFLICT (key, tool) DO UPDATE SET calls = excluded.calls, spent = excluded.spent',
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

  claim(claim: Claim, receipt: Receipt): void {
    const { session } = claim
    this.#insert.run(
      claim.callKey,
      claim.inputDigest,
      receipt.hash,
      receipt.id,
      session?.key ?? null,
      session?.tool ?? null,
      session?.amount ?? null,
    )
    if (session !== undefined) this.#account(session, 1)
  }

  /** Ends a claim. Idempotent, and never touches a claim that another decision holds. */
  end({ callKey, decision, status }: Mark): void {
    if (status !== 'not_executed') {
      this.#settle.run(status, callKey, decision)
      return
    }
    // Provably never begun: the key is free again and the session gets its reservation back.
    const row = this.#free.get(callKey, decision)
    if (typeof row?.['session'] !== 'string' || typeof row['tool'] !== 'string') return
    const amount = row['amount']
    this.#account({ key: row['session'], tool: row['tool'], ...(typeof amount === 'string' ? { amount } : {}) }, -1)
  }

  isStale(session: SessionClaim): boolean {
    return session.seen !== undefined && session.seen !== this.#seenOf(session.key)
  }

  read(key: string): { readonly seen: number; readonly facts: SessionFacts } {
    const tools = this.#tools
      .all(key)
      .map(
        (row) => [String(row['tool']), { calls: Number(row['calls']), spent: BigInt(String(row['spent'])) }] as const,
      )
    return { seen: this.#seenOf(key), facts: sessionFacts(tools) }
  }

  #seenOf(key: string): number {
    return Number(this.#seen.get(key)?.['seen'] ?? 0)
  }

  #account(session: SessionClaim, by: 1 | -1): void {
    const known = this.#tool.get(session.key, session.tool)
    const calls = Number(known?.['calls'] ?? 0) + by
    const spent = BigInt(String(known?.['spent'] ?? '0')) + BigInt(by) * amountOf(session)
    this.#setTool.run(session.key, session.tool, calls, spent.toString())
    this.#moveSeen.run(session.key)
  }
}
