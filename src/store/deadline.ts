import pTimeout from 'p-timeout'
import { HoldpointError } from '../errors.ts'
import type { Store } from '../types.ts'

const DEADLINE_MS = 10_000

/**
 * Bounds every question that the pass asks of a store it did not make: one that never answers has failed.
 *
 * Writes of receipts are bounded by the chain, which also has to settle what became of their place.
 */
export function withDeadline(store: Store, ms: number = DEADLINE_MS): Store {
  const within = async <T>(ask: () => Promise<T>): Promise<T> =>
    await pTimeout(ask(), {
      milliseconds: ms,
      message: new HoldpointError('ERR_STORE', `the store did not answer within ${ms} ms`),
    })
  return {
    open: () => within(() => store.open()),
    close: () => within(() => store.close()),
    append: (receipt, beside) => store.append(receipt, beside),
    commitDecision: (receipt, claim, sidecar) => store.commitDecision(receipt, claim, sidecar),
    receipts: () => store.receipts(),
    sidecar: (hash) => within(() => store.sidecar(hash)),
    holder: (callKey) => within(() => store.holder(callKey)),
    read: (session, now) => within(() => store.read(session, now)),
    request: (request) => within(() => store.request(request)),
    find: (digest) => within(() => store.find(digest)),
    get: (ref) => within(() => store.get(ref)),
    pending: () => within(() => store.pending()),
    answer: (ref, answer) => within(() => store.answer(ref, answer)),
    attended: () => within(() => store.attended()),
    attend: (watcher, until) => within(() => store.attend(watcher, until)),
  }
}
