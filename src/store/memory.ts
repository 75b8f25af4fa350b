import type { Claim, ClaimStatus, Committed, Holder, Receipt, Settlement, Sidecar, Store } from '../types.ts'
import { Approvals } from './approvals.ts'
import { Sessions } from './sessions.ts'

/** How many receipts are kept before the oldest are dropped. */
const DEFAULT_KEEP = 100_000

/** How much text the sidecars hold together before the oldest are dropped. */
const MOST_SIDECAR_CHARACTERS = 64 * 1_048_576

/** Streams whose head is remembered: a gate writes one at a time, and begins another only after a failure. */
const MOST_HEADS = 64

/** A claimed key. As little as answers a later call with the same key, because it is kept for good. */
interface Held {
  readonly inputDigest: string
  /** The id of the decision receipt. */
  readonly receipt: string
  readonly status: ClaimStatus
}

/** A permit that owes its outcome. */
interface Owing {
  readonly callKey: string
  readonly session: Claim['session']
}

/**
 * A store that lives as long as this object: for tests, and for gates whose operator accepts that "at most once" ends with
 * the process (I2). It answers exactly as the durable stores do, from the same conformance suite.
 *
 * What it keeps: the newest `keep` receipts (100,000 unless told otherwise), and 64 Mi characters of their sidecars, so that
 * what was dropped can no longer be verified; requests for approval as {@link Approvals} does.
 * INVARIANT I2: what it never drops are call keys and session sums, some hundreds of bytes for each permitted call: a key that
 * was forgotten could run again. A process that lives for millions of calls wants the durable store.
 */
export function createMemoryStore(options: { readonly keep?: number; readonly now?: () => number } = {}): Store {
  const keep = options.keep ?? DEFAULT_KEEP
  const approvals = new Approvals(options.now ?? Date.now)
  const sessions = new Sessions()
  const receipts = new Map<string, Receipt>()
  const sidecars = new Map<string, Sidecar>()
  let sidecarCharacters = 0
  const heads = new Map<string, { readonly seq: number; readonly hash: string }>()
  const claims = new Map<string, Held>()
  const permits = new Map<string, Owing>()
  const overrideUses = new Map<string, number>()

  function follows(receipt: Receipt): boolean {
    const head = heads.get(receipt.stream)
    if (head === undefined) return receipt.seq === 0 && receipt.prev === undefined
    return receipt.seq === head.seq + 1 && receipt.prev === head.hash
  }

  function keepReceipt(receipt: Receipt, sidecar: Sidecar | undefined): void {
    heads.delete(receipt.stream)
    heads.set(receipt.stream, { seq: receipt.seq, hash: receipt.hash })
    dropOldest(heads, MOST_HEADS)
    receipts.set(receipt.hash, receipt)
    if (sidecar !== undefined) {
      sidecars.set(receipt.hash, sidecar)
      sidecarCharacters += sidecar.request.length
    }
    for (const dropped of dropOldest(receipts, keep)) forgetSidecar(dropped)
    for (const oldest of sidecars.keys()) {
      if (sidecarCharacters <= MOST_SIDECAR_CHARACTERS) break
      forgetSidecar(oldest)
    }
  }

  function forgetSidecar(hash: string): void {
    sidecarCharacters -= sidecars.get(hash)?.request.length ?? 0
    sidecars.delete(hash)
  }

  function settle({ decision, status }: Settlement): void {
    const owing = permits.get(decision)
    const held = owing === undefined ? undefined : claims.get(owing.callKey)
    if (owing === undefined || held === undefined) return
    permits.delete(decision)
    if (status !== 'not_executed') {
      claims.set(owing.callKey, { ...held, status })
      return
    }
    // Provably never begun: the key is free again and the session gets its reservation back.
    claims.delete(owing.callKey)
    if (owing.session !== undefined) sessions.release(owing.session)
  }

  function holder(callKey: string): Holder | undefined {
    const held = claims.get(callKey)
    return held === undefined ? undefined : { outcome: 'taken', ...held }
  }

  function commit(receipt: Receipt, claim: Claim, sidecar: Sidecar | undefined): Committed {
    if (!follows(receipt)) return { outcome: 'discontinuous' }
    const taken = holder(claim.callKey)
    if (taken !== undefined) return taken
    if (claim.session !== undefined && sessions.isStale(claim.session)) return { outcome: 'stale' }
    const { override } = claim
    const uses = override === undefined ? 0 : (overrideUses.get(override.id) ?? 0)
    if (override !== undefined && uses >= override.most) return { outcome: 'override_spent' }
    if (claim.approval !== undefined && !approvals.isSpendable(claim.approval)) return { outcome: 'approval_spent' }
    keepReceipt(receipt, sidecar)
    claims.set(claim.callKey, { inputDigest: claim.inputDigest, receipt: receipt.id, status: 'claimed' })
    permits.set(receipt.hash, { callKey: claim.callKey, session: claim.session })
    if (claim.approval !== undefined) approvals.spend(claim.approval)
    if (claim.session !== undefined) sessions.reserve(claim.session)
    if (override === undefined) return { outcome: 'claimed' }
    overrideUses.set(override.id, uses + 1)
    return { outcome: 'claimed', use: uses + 1 }
  }

  return {
    open: async () => ({ durable: false, place: 'memory', stranded: [] }),
    append: async (receipt, beside) => {
      if (!follows(receipt)) return { outcome: 'discontinuous' }
      keepReceipt(receipt, beside?.sidecar)
      if (beside?.settles !== undefined) settle(beside.settles)
      return { outcome: 'stored' }
    },
    commitDecision: async (receipt, claim, sidecar) => commit(receipt, claim, sidecar),
    holder: async (callKey) => holder(callKey),
    read: async (session, now) => sessions.read(session, now),
    request: async (request) => approvals.request(request),
    find: async (digest) => approvals.find(digest),
    get: async (ref) => approvals.get(ref),
    pending: async () => approvals.pending(),
    answer: async (ref, answer) => approvals.answer(ref, answer),
    attended: async () => approvals.attended(),
    attend: async (watcher, until) => approvals.attend(watcher, until),
    receipts: async function* () {
      yield* [...receipts.values()]
    },
    sidecar: async (hash) => sidecars.get(hash),
    close: async () => undefined,
  }
}

/** Deletes the oldest members of a map beyond `most`, and says which. */
function dropOldest<K>(map: Map<K, unknown>, most: number): readonly K[] {
  const dropped: K[] = []
  for (const oldest of map.keys()) {
    if (map.size <= most) break
    map.delete(oldest)
    dropped.push(oldest)
  }
  return dropped
}
