import type { SessionReading } from '../../types.ts'
import { factsOf, lapsedBefore } from '../session-book.ts'
import type { Answer, Answers, Work } from '../sqlite-messages.ts'
import { PostgresApprovals } from './approvals.ts'
import { type Entries, type Found, keyOf, Ledger, type Permit, sessionKeys } from './ledger.ts'
import { lockKey } from './schema.ts'
import type { Session } from './session.ts'
import { type Statements, statementsFor } from './statements.ts'

/** Under what a live process writes: its slot, and the lease that ends when another takes it over. */
export interface Tenure {
  readonly slot: number
  readonly lease: string
}

/** The answer to one piece of work, or why it was not done. */
export type Reply = { readonly ok: true; readonly answer: Answer } | { readonly ok: false; readonly message: string }

type Append = Extract<Work, { do: 'append' }>
type Commit = Extract<Work, { do: 'commit' }>
type Other = Exclude<Work, Append | Commit>

/**
 * One batch of work in one transaction: locks, what is there, decisions, what becomes of it. Answers count once it is durable.
 *
 * Everything of a batch was handed over without waiting for one another, so only receipts have an order among themselves. They come
 * first, approvals next, and who only reads sees all of it. What was seen to have expired before is written down ahead of them.
 */
export class PostgresBook {
  readonly #schema: string
  readonly #sql: Statements
  readonly #approvals: PostgresApprovals
  /** Permits of this process that owe their outcome, by decision. */
  readonly #mine = new Map<string, Permit>()

  constructor(schema: string) {
    this.#schema = schema
    this.#sql = statementsFor(schema)
    this.#approvals = new PostgresApprovals(schema)
  }

  /** Permits that were taken over when the store opened. */
  adopt(permits: ReadonlyMap<string, Permit>): void {
    this.#mine.clear()
    for (const [decision, permit] of permits) this.#mine.set(decision, permit)
  }

  /** @throws when nobody knows whether any of it was done */
  async run(
    session: Session,
    works: readonly Work[],
    tenure: Tenure | undefined,
    now: number,
  ): Promise<readonly Reply[]> {
    const replies = new Map<Work, Reply>()
    const receipts = works.filter((work) => isReceipt(work))
    const others = works.filter((work) => !isReceipt(work))
    const writes = receipts.length > 0 || this.#approvals.owes || others.some((work) => changesApprovals(work))
    try {
      await session.transaction(writes ? 'write' : 'read', async () => {
        if (writes) await this.#lock(session, works)
        // Before receipts: what was seen to have expired is spent by none of them, wherever the clock stands.
        if (this.#approvals.owes) await this.#approvals.expireSeen(session)
        if (receipts.length > 0) await this.#receipts(session, receipts, { tenure, now, replies })
        for (const work of [...others.filter(changesApprovals), ...others.filter((work) => !changesApprovals(work))])
          replies.set(work, { ok: true, answer: await this.#other(session, work) })
      })
    } catch (cause) {
      this.#approvals.rolledBack()
      throw cause
    }
    this.#approvals.committed()
    for (const work of receipts) this.#remember(work, replies.get(work))
    return works.map((work) => replies.get(work) ?? { ok: false, message: 'the store does not do that' })
  }

  /**
   * INVARIANT I2: whoever may change a call key, a session, an override or an approval holds its lock until that is durable, so each
   * batch decides on what the one before it left. Taken in one order everywhere.
   */
  async #lock(session: Session, works: readonly Work[]): Promise<void> {
    const keys = new Set(works.flatMap((work) => this.#touched(work)))
    if (this.#approvals.owes) keys.add('approvals')
    const locks = [...keys].map((what) => lockKey(this.#schema, what)).sort((a, b) => (a < b ? -1 : 1))
    await session.query(this.#sql.lock, [locks.map(String)])
  }

  #touched(work: Work): readonly string[] {
    if (work.do === 'commit') {
      const { callKey, session, override, approval } = work.claim
      return [
        keyOf('call', callKey),
        ...(session === undefined ? [] : Object.values(sessionKeys(session))),
        ...(override === undefined ? [] : [`override ${override.id}`]),
        ...(approval === undefined ? [] : ['approvals']),
      ]
    }
    if (work.do !== 'append') return changesApprovals(work) ? ['approvals'] : []
    const permit = work.settles === undefined ? undefined : this.#mine.get(work.settles.decision)
    if (permit === undefined) return []
    return [permit.callKey, ...(permit.session === undefined ? [] : Object.values(sessionKeys(permit.session)))]
  }

  async #receipts(
    session: Session,
    works: readonly (Append | Commit)[],
    terms: { readonly tenure: Tenure | undefined; readonly now: number; readonly replies: Map<Work, Reply> },
  ): Promise<void> {
    const { tenure, now, replies } = terms
    if (tenure === undefined) throw new Error('the store is not open')
    const found = await session.find<Found>(this.#sql.load, this.#asked(works, tenure, now))
    const ledger = new Ledger(found, { slot: tenure.slot, mine: this.#mine })
    for (const work of works) replies.set(work, decided(ledger, work))
    const entries = ledger.entries()
    if (entries.ended.length > 0) await session.query(this.#sql.end, [JSON.stringify(entries.ended)])
    if (entries.freed.length > 0)
      await session.query(this.#sql.free, [JSON.stringify(entries.freed), JSON.stringify(entries.freedSeen)])
    if (entries.receipts.length > 0) await this.#store(session, tenure, entries)
  }

  async #store(session: Session, { slot, lease }: Tenure, entries: Entries): Promise<void> {
    const { receipts, sidecars, claims, lines, seen, uses, spent, decidedAt } = entries
    const lists = [receipts, sidecars, claims].map((list) => JSON.stringify(list))
    const sums = [lines, seen, uses].map((list) => JSON.stringify(list))
    const begun = await session.find<readonly string[]>(this.#sql.store, [slot, ...lists, lease, ...sums, spent])
    for (const principal of begun)
      await session.query(this.#sql.lapse, [principal, Math.floor(lapsedBefore(decidedAt.get(principal) ?? 0))])
  }

  #asked(works: readonly (Append | Commit)[], { lease }: Tenure, now: number): unknown[] {
    const claims = works.flatMap((work) => (work.do === 'commit' ? [work.claim] : []))
    const settled = works.flatMap((work) =>
      work.do === 'append' && work.settles !== undefined ? [work.settles.decision] : [],
    )
    const permits = settled.flatMap((decision) => this.#mine.get(decision) ?? [])
    const sessions = [...claims, ...permits].flatMap(({ session }) =>
      session === undefined ? [] : [sessionKeys(session)],
    )
    return [
      [...new Set(works.map(({ receipt }) => receipt.stream))],
      [...claims.map(({ callKey }) => keyOf('call', callKey)), ...permits.map(({ callKey }) => callKey)],
      sessions.flatMap(({ conversation, principal }) => [conversation, principal]),
      claims.flatMap(({ override }) => (override === undefined ? [] : [override.id])),
      claims.flatMap(({ approval }) => (approval === undefined ? [] : [approval])),
      now,
      settled,
      lease,
    ]
  }

  async #other(session: Session, work: Other): Promise<Answer> {
    switch (work.do) {
      case 'holder':
        return await this.#holder(session, work.callKey)
      case 'read':
        return await this.#read(session, work)
      case 'request':
        return await this.#approvals.request(session, work.request, work.now)
      case 'find':
        return await this.#approvals.find(session, work.digest, work.now)
      case 'get':
        return await this.#approvals.get(session, work.ref, work.now)
      case 'pending':
        return await this.#approvals.pending(session, work.now)
      case 'answer':
        return await this.#approvals.answer(session, work.ref, work.answer, work.now)
      case 'attended':
        return await this.#approvals.attended(session, work.now)
      case 'attend':
        await this.#approvals.attend(session, work.watcher, work.until)
        return undefined
      default:
        throw new Error(`this store does not do "${work.do}"`)
    }
  }

  async #holder(session: Session, callKey: string): Promise<Answers['holder']> {
    const [row] = await session.query(this.#sql.holder, [keyOf('call', callKey)])
    const found = row?.['found']
    return typeof found === 'string' ? { outcome: 'taken', ...JSON.parse(found) } : undefined
  }

  async #read(session: Session, { session: asked, now }: Extract<Work, { do: 'read' }>): Promise<SessionReading> {
    const { conversation, principal } = sessionKeys(asked)
    const { seen, lines } = await session.find<{
      readonly seen: Found['seen']
      readonly lines: readonly { readonly key: string; since: number; name: string; calls: number; spent: string }[]
    }>(this.#sql.read, [conversation, principal, Math.floor(lapsedBefore(now))])
    const seenOf = (key: string): number => seen.find((one) => one.key === key)?.seen ?? 0
    const linesOf = (key: string) =>
      lines.filter((line) => line.key === key).map((line) => ({ ...line, spent: BigInt(line.spent) }))
    return {
      seen: { conversation: seenOf(conversation), principal: seenOf(principal) },
      facts: factsOf(linesOf(conversation), linesOf(principal), now),
    }
  }

  #remember(work: Append | Commit, reply: Reply | undefined): void {
    if (reply?.ok !== true) return
    if (work.do === 'append') {
      if (work.settles !== undefined && outcomeOf(reply) === 'stored') this.#mine.delete(work.settles.decision)
      return
    }
    const { callKey, session } = work.claim
    if (outcomeOf(reply) !== 'claimed') return
    this.#mine.set(work.receipt.hash, {
      callKey: keyOf('call', callKey),
      ...(session === undefined ? {} : { session }),
    })
  }
}

function decided(ledger: Ledger, work: Append | Commit): Reply {
  try {
    if (work.do === 'commit') return { ok: true, answer: ledger.commit(work.receipt, work.claim, work.sidecar) }
    return { ok: true, answer: ledger.append(work.receipt, work.settles, work.sidecar) }
  } catch (cause) {
    return { ok: false, message: cause instanceof Error ? cause.message : 'the store failed' }
  }
}

function outcomeOf({ answer }: Extract<Reply, { ok: true }>): unknown {
  return typeof answer === 'object' && 'outcome' in answer ? answer.outcome : undefined
}

export function isReceipt(work: Work): work is Append | Commit {
  return work.do === 'append' || work.do === 'commit'
}

function changesApprovals(work: Work): boolean {
  return work.do === 'request' || work.do === 'answer' || work.do === 'attend'
}
