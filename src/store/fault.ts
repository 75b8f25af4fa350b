import { HoldpointError } from '../errors.ts'
import type { Receipt, Store } from '../types.ts'

/** What goes wrong with one operation. `persist`: the inner store did it all the same, and nobody is told. */
export type StoreFault = 'none' | 'fail' | 'fail_but_persist' | 'hang' | 'hang_but_persist'

/** The operation that is about to run. */
export interface FaultPoint {
  readonly operation:
    | 'open'
    | 'append'
    | 'commitDecision'
    | 'holder'
    | 'read'
    | 'request'
    | 'find'
    | 'get'
    | 'pending'
    | 'answer'
    | 'attended'
    | 'attend'
  /** How many operations came before this one. */
  readonly index: number
  /** The receipt to be written, for `append` and `commitDecision`. */
  readonly receipt?: Receipt
}

/**
 * A store that fails as told, for tests: the script is asked before each operation.
 *
 * @example
 * const store = faultStore(createMemoryStore(), ({ operation }) => (operation === 'commitDecision' ? 'hang' : 'none'))
 */
export function faultStore(inner: Store, script: (point: FaultPoint) => StoreFault): Store {
  let index = 0

  async function through<T>(operation: FaultPoint['operation'], work: () => Promise<T>, receipt?: Receipt): Promise<T> {
    const fault = script({ operation, index, ...(receipt === undefined ? {} : { receipt }) })
    index += 1
    if (fault === 'fail_but_persist' || fault === 'hang_but_persist') await work()
    switch (fault) {
      case 'none':
        return await work()
      case 'fail':
      case 'fail_but_persist':
        throw new HoldpointError('ERR_STORE', `the store failed at ${operation}, as the test told it to`)
      case 'hang':
      case 'hang_but_persist':
        return await new Promise<never>(() => undefined)
    }
  }

  return {
    open: () => through('open', () => inner.open()),
    append: (receipt, beside) => through('append', () => inner.append(receipt, beside), receipt),
    commitDecision: (receipt, claim, sidecar) =>
      through('commitDecision', () => inner.commitDecision(receipt, claim, sidecar), receipt),
    holder: (callKey) => through('holder', () => inner.holder(callKey)),
    read: (session, now) => through('read', () => inner.read(session, now)),
    request: (request) => through('request', () => inner.request(request)),
    find: (digest) => through('find', () => inner.find(digest)),
    get: (ref) => through('get', () => inner.get(ref)),
    pending: () => through('pending', () => inner.pending()),
    answer: (ref, answer) => through('answer', () => inner.answer(ref, answer)),
    attended: () => through('attended', () => inner.attended()),
    attend: (watcher, until) => through('attend', () => inner.attend(watcher, until)),
    receipts: () => inner.receipts(),
    sidecar: (hash) => inner.sidecar(hash),
    close: () => inner.close(),
  }
}
