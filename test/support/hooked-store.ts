import type { Store } from '../../src/types.ts'

/** Every step at which a store and its caller can part company. */
export type StorePoint =
  `${'before' | 'after'} ${'open' | 'append' | 'commit' | 'read' | 'request' | 'find' | 'get' | 'answer'}`

/**
 * A store with a hook before and after each operation. A hook that rejects before makes the operation fail; one that
 * rejects after makes it fail although it persisted; one that waits stretches the gap; one that kills the process is a crash.
 */
export function hookedStore(inner: Store, hook: (point: StorePoint) => void | Promise<void>): Store {
  type Name = 'open' | 'append' | 'commit' | 'read' | 'request' | 'find' | 'get' | 'answer'
  const around = async <T>(name: Name, work: () => Promise<T>): Promise<T> => {
    await hook(`before ${name}`)
    const answer = await work()
    await hook(`after ${name}`)
    return answer
  }
  return {
    open: () => around('open', () => inner.open()),
    append: (receipt, beside) => around('append', () => inner.append(receipt, beside)),
    commitDecision: (receipt, claim, sidecar) => around('commit', () => inner.commitDecision(receipt, claim, sidecar)),
    holder: (callKey) => inner.holder(callKey),
    read: (key, now) => around('read', () => inner.read(key, now)),
    request: (request) => around('request', () => inner.request(request)),
    find: (digest) => around('find', () => inner.find(digest)),
    get: (ref) => around('get', () => inner.get(ref)),
    answer: (ref, answer) => around('answer', () => inner.answer(ref, answer)),
    pending: () => inner.pending(),
    attended: () => inner.attended(),
    attend: (watcher, until) => inner.attend(watcher, until),
    receipts: () => inner.receipts(),
    sidecar: (hash) => inner.sidecar(hash),
    close: () => inner.close(),
  }
}
