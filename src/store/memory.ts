import type { Claim, ClaimStatus, Committed, Holder, Receipt, Settlement, Sidecar, Store } from '../types.ts'
import { Approvals } from './approvals.ts'
import { Sessions } from './sessions.ts'

/** How many receipts are kept before the oldest are dropped. */
const DEFAULT_KEEP = 100_000

interface Held {
  readonly claim: Claim
  readonly receipt: Receipt
  status: ClaimStatus
}

/**
 * A store that lives as long as this object: for tests, and for gates whose operator accepts that "at most once" ends with
 * the process (I2). It answers exactly as the durable stores do, from the same conformance suite.
 *
 * Claims are kept for good; receipts and sidecars beyond `keep` (oldest first) are dropped, so that memory stays bounded.
 */
export function createMemoryStore(options: { readonly keep?: number; readonly now?: () => number } = {}): Store {
  const keep = options.keep ?? DEFAULT_KEEP
  const approvals = new Approvals(options.now ?? Date.now)
  const sessions = new Sessions()
  const receipts = new Map<string, Receipt>()
  const sidecars = new Map<string, Sidecar>()
  const heads = new Map<string, { readonly seq: number; readonly hash: string }>()
  const claims = new Map<string, Held>()
  const permits = new Map<string, string>()

  function follows(receipt: Receipt): boolean {
    const head = heads.get(receipt.stream)
    if (head === undefined) return receipt.seq === 0 && receipt.prev === undefined
    return receipt.seq === head.seq + 1 && receipt.prev === head.hash
  }

  function keepReceipt(receipt: Receipt, sidecar: Sidecar | undefined): void {
    heads.set(receipt.stream, { seq: receipt.seq, hash: receipt.hash })
    receipts.set(receipt.hash, receipt)
    if (sidecar !== undefined) sidecars.set(receipt.hash, sidecar)
    for (const oldest of receipts.keys()) {
      if (receipts.size <= keep) break
      receipts.delete(oldest)
      sidecars.delete(oldest)
    }
  }

  function settle({ decision, status }: Settlement): void {
    const callKey = permits.get(decision)
    const held = callKey === undefined ? undefined : claims.get(callKey)
    if (callKey === undefined || held === undefined) return
    permits.delete(decision)
    held.status = status
    if (status !== 'not_executed') return
    // Provably never begun: the key is free again and the session gets its reservation back.
    claims.delete(callKey)
    if (held.claim.session !== undefined) sessions.release(held.claim.session)
  }

  function holder(callKey: string): Holder | undefined {
    const held = claims.get(callKey)
    if (held === undefined) return undefined
    return { outcome: 'taken', receipt: held.receipt.id, inputDigest: held.claim.inputDigest, status: held.status }
  }

  function commit(receipt: Receipt, claim: Claim, sidecar: Sidecar | undefined): Committed {
    if (!follows(receipt)) return { outcome: 'discontinuous' }
    const taken = holder(claim.callKey)
    if (taken !== undefined) return taken
    if (claim.session !== undefined && sessions.isStale(claim.session)) return { outcome: 'stale' }
    if (claim.approval !== undefined && !approvals.isSpendable(claim.approval)) return { outcome: 'approval_spent' }
    keepReceipt(receipt, sidecar)
    claims.set(claim.callKey, { claim, receipt, status: 'claimed' })
    permits.set(receipt.hash, claim.callKey)
    if (claim.approval !== undefined) approvals.spend(claim.approval)
    if (claim.session !== undefined) sessions.reserve(claim.session)
    return { outcome: 'claimed' }
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
    read: async (key) => sessions.read(key),
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
