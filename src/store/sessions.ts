import type { Claim, SessionFacts } from '../types.ts'
import { readDecimal, writeDecimal } from './decimal.ts'

type SessionClaim = NonNullable<Claim['session']>

interface Account {
  seen: number
  readonly tools: Map<string, { calls: number; spent: bigint }>
}

/** What each session has reserved and spent, in memory. `seen` moves with every claim and every freed claim. */
export class Sessions {
  readonly #accounts = new Map<string, Account>()

  read(key: string): { readonly seen: number; readonly facts: SessionFacts } {
    const account = this.#accounts.get(key)
    if (account === undefined) return { seen: 0, facts: { calls: {}, spent: {} } }
    return { seen: account.seen, facts: sessionFacts(account.tools) }
  }

  isStale(session: SessionClaim): boolean {
    return session.seen !== undefined && session.seen !== (this.#accounts.get(session.key)?.seen ?? 0)
  }

  reserve(session: SessionClaim): void {
    this.#move(session, 1)
  }

  release(session: SessionClaim): void {
    this.#move(session, -1)
  }

  #move(session: SessionClaim, by: 1 | -1): void {
    const account = this.#accounts.get(session.key) ?? { seen: 0, tools: new Map() }
    const tool = account.tools.get(session.tool) ?? { calls: 0, spent: 0n }
    tool.calls += by
    tool.spent += BigInt(by) * amountOf(session)
    account.tools.set(session.tool, tool)
    account.seen += 1
    this.#accounts.set(session.key, account)
  }
}

/** The amount that a claim adds to its session, in ten-thousandths; 0 where it names none. */
export function amountOf(session: SessionClaim): bigint {
  return session.amount === undefined ? 0n : (readDecimal(session.amount) ?? 0n)
}

/** Session facts as policies read them: tools with a call that still counts. */
export function sessionFacts(
  tools: Iterable<readonly [string, { readonly calls: number; readonly spent: bigint }]>,
): SessionFacts {
  const counted = [...tools].filter(([, { calls }]) => calls > 0)
  return {
    calls: Object.fromEntries(counted.map(([tool, { calls }]) => [tool, calls])),
    spent: Object.fromEntries(counted.map(([tool, { spent }]) => [tool, writeDecimal(spent)])),
  }
}
