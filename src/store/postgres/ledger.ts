import { sha256 } from '../../bytes/digest.ts'
import type {
  Claim,
  ClaimStatus,
  Committed,
  Receipt,
  SessionClaim,
  SessionKeys,
  SessionSeen,
  Settlement,
  Sidecar,
} from '../../types.ts'
import { isStale, type Line, movesOf } from '../session-book.ts'

/** What the database says of everything that a batch touches, read under the locks of all of it. */
export interface Found {
  readonly heads: readonly {
    readonly stream: string
    readonly slot: number
    readonly seq: number
    readonly hash: string
  }[]
  readonly claims: readonly Held[]
  readonly seen: readonly { readonly key: string; readonly seen: number }[]
  readonly uses: readonly { readonly id: string; readonly uses: number }[]
  /** Approvals of the batch that are a yes now. */
  readonly spendable: readonly string[]
  /** Decisions of the batch whose permits are this process's to end. */
  readonly permits: readonly string[]
}

interface Held {
  readonly call_key: string
  readonly input_digest: string
  readonly decision: string
  readonly receipt: string
  readonly status: ClaimStatus
}

/** A permit of this process that owes its outcome. */
export interface Permit {
  readonly callKey: string
  readonly session?: SessionClaim
}

/** What a batch comes to. Lists of rows, as the statements take them. */
export interface Entries {
  readonly receipts: readonly (Receipt & { readonly place: number })[]
  readonly sidecars: readonly (Sidecar & { readonly receipt: string })[]
  readonly claims: readonly (Held & { readonly session: string | null })[]
  readonly lines: readonly MovedLine[]
  readonly seen: readonly { readonly key: string; readonly moves: number }[]
  readonly uses: readonly { readonly id: string; readonly uses: number }[]
  readonly spent: readonly string[]
  readonly ended: readonly { readonly decision: string; readonly call_key: string; readonly status: string }[]
  /** Moves that go back, each as what is taken away. */
  readonly freed: readonly MovedLine[]
  readonly freedSeen: readonly { readonly key: string; readonly moves: number }[]
  /** By principal's key, when the newest of its claims was decided. */
  readonly decidedAt: ReadonlyMap<string, number>
}

interface MovedLine {
  readonly key: string
  readonly since: number
  readonly name: string
  readonly calls: number
  /** Ten-thousandths. */
  readonly spent: string
}

/** The names under which the database keeps what a host calls its conversations and principals. */
export function sessionKeys({ conversation, principal }: SessionKeys): SessionKeys {
  return { conversation: keyOf('conversation', conversation), principal: keyOf('principal', principal) }
}

/** A hash of any text, whatever is in it and however long it is. */
export function keyOf(kind: 'call' | 'conversation' | 'principal', value: string): string {
  return sha256(JSON.stringify([kind, value]))
}

/**
 * One batch, decided receipt by receipt from what was found, in the order in which they were handed over. Nothing is written here.
 *
 * It answers as the memory store does; the one thing that is new is a permit that another process has taken over meanwhile.
 */
export class Ledger {
  readonly #slot: number
  readonly #heads: Map<string, { readonly slot: number; readonly seq: number; readonly hash: string }>
  readonly #claims: Map<string, Held>
  readonly #seen: Map<string, number>
  readonly #uses: Map<string, number>
  readonly #spendable: Set<string>
  readonly #permits: Set<string>
  readonly #mine: ReadonlyMap<string, Permit>

  readonly #receipts: (Receipt & { readonly place: number })[] = []
  readonly #sidecars: (Sidecar & { readonly receipt: string })[] = []
  readonly #claimed = new Map<string, { readonly held: Held; readonly claim: Claim }>()
  readonly #used = new Map<string, number>()
  readonly #spent: string[] = []
  readonly #ended: Entries['ended'][number][] = []
  readonly #freed: SessionClaim[] = []

  constructor(found: Found, terms: { readonly slot: number; readonly mine: ReadonlyMap<string, Permit> }) {
    this.#slot = terms.slot
    this.#mine = terms.mine
    this.#heads = new Map(found.heads.map(({ stream, ...head }) => [stream, head]))
    this.#claims = new Map(found.claims.map((held) => [held.call_key, held]))
    this.#seen = new Map(found.seen.map(({ key, seen }) => [key, seen]))
    this.#uses = new Map(found.uses.map(({ id, uses }) => [id, uses]))
    this.#spendable = new Set(found.spendable)
    this.#permits = new Set(found.permits)
  }

  /** @throws Error when the permit that is to end is no longer this process's */
  append(
    receipt: Receipt,
    settles: Settlement | undefined,
    sidecar: Sidecar | undefined,
  ): { readonly outcome: 'stored' | 'discontinuous' } {
    if (!this.#follows(receipt)) return { outcome: 'discontinuous' }
    const permit = settles === undefined ? undefined : this.#mine.get(settles.decision)
    if (settles !== undefined && permit !== undefined) this.#end(settles, permit)
    this.#insert(receipt, sidecar)
    return { outcome: 'stored' }
  }

  commit(receipt: Receipt, claim: Claim, sidecar: Sidecar | undefined): Committed {
    if (!this.#follows(receipt)) return { outcome: 'discontinuous' }
    const callKey = keyOf('call', claim.callKey)
    // INVARIANT I2: one winner for a call key.
    const taken = this.#claims.get(callKey)
    if (taken !== undefined) return takenBy(taken)
    const { session, override, approval } = claim
    if (session !== undefined && isStale(session, this.#seenOf(session))) return { outcome: 'stale' }
    const uses = override === undefined ? 0 : (this.#uses.get(override.id) ?? 0)
    if (override !== undefined && uses >= override.most) return { outcome: 'override_spent' }
    if (approval !== undefined && !this.#spendable.delete(approval)) return { outcome: 'approval_spent' }
    if (approval !== undefined) this.#spent.push(approval)
    this.#insert(receipt, sidecar)
    const { hash: decision, id } = receipt
    const held: Held = { call_key: callKey, input_digest: claim.inputDigest, decision, receipt: id, status: 'claimed' }
    this.#claims.set(callKey, held)
    this.#claimed.set(callKey, { held, claim })
    if (session !== undefined) this.#moveSeen(session)
    if (override === undefined) return { outcome: 'claimed' }
    this.#uses.set(override.id, uses + 1)
    this.#used.set(override.id, (this.#used.get(override.id) ?? 0) + 1)
    return { outcome: 'claimed', use: uses + 1 }
  }

  entries(): Entries {
    const claimed = [...this.#claimed.values()]
    const sessions = claimed.flatMap(({ claim: { session } }) => (session === undefined ? [] : [session]))
    return {
      receipts: this.#receipts,
      sidecars: this.#sidecars,
      claims: claimed.map(({ held, claim: { session } }) => ({
        ...held,
        session: session === undefined ? null : sessionText(session),
      })),
      lines: summed(sessions.flatMap((session) => movesOf({ ...session, ...sessionKeys(session) }, 1))),
      seen: moves(sessions),
      uses: [...this.#used].map(([id, uses]) => ({ id, uses })),
      spent: this.#spent,
      ended: this.#ended,
      // What is taken away is what the claim had added, without what was read: see session-book.ts.
      freed: summed(
        this.#freed.flatMap(({ reads: _, ...session }) => movesOf({ ...session, ...sessionKeys(session) }, 1)),
      ),
      freedSeen: moves(this.#freed),
      decidedAt: new Map(sessions.map((session) => [sessionKeys(session).principal, session.at])),
    }
  }

  /**
   * INVARIANT I6: a stream is stored in sequence, each receipt on the one it names. One that began in a slot which this process has
   * lost since does not go on in another: readers go slot by slot.
   */
  #follows({ stream, seq, prev }: Receipt): boolean {
    const head = this.#heads.get(stream)
    if (head === undefined) return seq === 0 && prev === undefined
    return head.slot === this.#slot && seq === head.seq + 1 && prev === head.hash
  }

  #insert(receipt: Receipt, sidecar: Sidecar | undefined): void {
    const { stream, seq, hash } = receipt
    this.#heads.set(stream, { slot: this.#slot, seq, hash })
    this.#receipts.push({ ...receipt, place: this.#receipts.length })
    if (sidecar !== undefined) this.#sidecars.push({ ...sidecar, receipt: hash })
  }

  #end({ decision, status }: Settlement, { callKey, session }: Permit): void {
    if (!this.#permits.delete(decision)) {
      if (this.#ended.some((ended) => ended.decision === decision)) return
      throw new Error('another process has taken this permit over and ends it: this one was away from the database')
    }
    const held = this.#claims.get(callKey)
    this.#ended.push({ decision, call_key: callKey, status })
    if (held?.decision !== decision || held.status !== 'claimed') return
    if (status !== 'not_executed') {
      this.#claims.set(callKey, { ...held, status })
      return
    }
    // Provably never begun: the key is free again and the session gets its reservation back.
    this.#claims.delete(callKey)
    if (session === undefined) return
    this.#freed.push(session)
    this.#moveSeen(session)
  }

  #seenOf(session: SessionKeys): SessionSeen {
    const { conversation, principal } = sessionKeys(session)
    return { conversation: this.#seen.get(conversation) ?? 0, principal: this.#seen.get(principal) ?? 0 }
  }

  #moveSeen(session: SessionKeys): void {
    const { conversation, principal } = sessionKeys(session)
    for (const key of [conversation, principal]) this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1)
  }
}

function takenBy({ receipt, input_digest, status }: Held): Extract<Committed, { outcome: 'taken' }> {
  return { outcome: 'taken', receipt, inputDigest: input_digest, status }
}

/** What a claim keeps of its session, to give it back: without the versions that it rested on. */
function sessionText({ seen: _, ...session }: SessionClaim): string {
  return JSON.stringify(session)
}

/** One row for each line, however many claims moved it. */
function summed(lines: readonly Line[]): readonly MovedLine[] {
  const sums = new Map<string, Line>()
  for (const line of lines) {
    const place = JSON.stringify([line.key, line.since, line.name])
    const before = sums.get(place)
    sums.set(place, {
      ...line,
      calls: (before?.calls ?? 0) + line.calls,
      spent: (before?.spent ?? 0n) + line.spent,
    })
  }
  return [...sums.values()].map((line) => ({ ...line, spent: line.spent.toString() }))
}

function moves(sessions: readonly SessionKeys[]): readonly { readonly key: string; readonly moves: number }[] {
  const counts = new Map<string, number>()
  for (const session of sessions) {
    const { conversation, principal } = sessionKeys(session)
    for (const key of [conversation, principal]) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts].map(([key, count]) => ({ key, moves: count }))
}
