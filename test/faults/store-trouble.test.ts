import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import type { Receipt, Store } from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'
import {
  claim,
  collect,
  decisionDraft,
  jwsOf,
  openedChain,
  outcomeDraft,
  refusedDraft,
} from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()
const signer = generateSigner()
const opened: Store[] = []
const workers: Worker[] = []
process.on('worker', (worker) => workers.push(worker))
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close().catch(() => undefined)
  workers.length = 0
})

async function setUp(options: { readonly busyMs?: number; readonly deadlineMs?: number } = {}) {
  const folder = temporary()
  const store = createSqliteStore({ folder, ...options })
  opened.push(store)
  await store.open()
  const chain = await openedChain(store, { signer })
  const permit = async (key: string) => (await chain.commit(decisionDraft(), claim(key))).receipt as Receipt
  const settle = async ({ hash: decision }: Receipt, status: 'ok' | 'not_executed' = 'ok') =>
    await chain.append(outcomeDraft(decision, status), { settles: { decision, status } })
  return { folder, store, chain, permit, settle }
}

/** Takes the write lock of `claims.db` as another process would, and gives it back. */
function lockClaims(folder: string): () => void {
  const other = new DatabaseSync(join(folder, 'claims.db'), { timeout: 5_000 })
  other.exec('BEGIN IMMEDIATE')
  return () => {
    other.exec('ROLLBACK')
    other.close()
  }
}

/** Is a process opening this folder now? */
function isOpening(folder: string): boolean {
  const other = new DatabaseSync(join(folder, 'opening.lock.db'))
  try {
    other.exec('BEGIN EXCLUSIVE')
    return false
  } catch {
    return true
  } finally {
    other.close()
  }
}

async function proven(store: Store, settled = true): Promise<void> {
  const report = await verifyReceipts(jwsOf(await collect(store.receipts())), { keys: [signer.publicJwk] })
  expect(report).toMatchObject({ ok: true, settled, failures: [] })
}

describe('when another process holds claims.db', () => {
  it('refuses permits instead of waiting for ever, still writes refusals, and permits again once it is free', async () => {
    const { folder, store, chain, permit, settle } = await setUp({ busyMs: 30 })
    const release = lockClaims(folder)
    await expect(permit('a')).rejects.toMatchObject({ code: 'ERR_STORE', message: expect.stringContaining('locked') })
    await expect(chain.append(refusedDraft())).resolves.toMatchObject({ kind: 'decision' })
    release()
    await settle(await permit('a'))
    await proven(store)
  })

  it('writes the outcome of a call that has run, and tells claims.db later', async () => {
    const { folder, store, permit, settle } = await setUp({ busyMs: 30 })
    const [ran, unused] = [await permit('ran'), await permit('unused')]
    const release = lockClaims(folder)
    await settle(ran, 'ok')
    await settle(unused, 'not_executed')
    release()
    expect(await store.commitDecision(await follower(store), claim('ran'))).toMatchObject({ outcome: 'discontinuous' })
    await expect(permit('unused')).resolves.toMatchObject({ kind: 'decision' })
    expect(await store.holder('ran')).toMatchObject({ status: 'ok' })
    await proven(store, false)
  })

  it('tells claims.db of outcomes even when no decision comes along', async () => {
    const { folder, permit, settle } = await setUp()
    await settle(await permit('ran'))
    const look = new DatabaseSync(join(folder, 'claims.db'), { readOnly: true, timeout: 1_000 })
    await expect.poll(() => look.prepare('SELECT status FROM claims').get()?.['status'], { timeout: 10_000 }).toBe('ok')
    look.close()
  })

  it('answers at the deadline when the lock outlasts it', async () => {
    const { folder, permit } = await setUp({ busyMs: 4_000, deadlineMs: 1_000 })
    const release = lockClaims(folder)
    await expect(permit('a')).rejects.toMatchObject({
      code: 'ERR_STORE',
      message: expect.stringContaining('within 1000 ms'),
    })
    release()
  })

  it('holds a bounded number of requests and refuses the surplus at once', async () => {
    const { folder, store } = await setUp({ busyMs: 200 })
    const release = lockClaims(folder)
    const asked = Array.from({ length: 1_100 }, () =>
      store.read({ conversation: 's', principal: 'p' }, 0).then(
        () => 'read',
        (error: Error) => error.message,
      ),
    )
    const answers = await Promise.all(asked)
    expect(answers.filter((answer) => answer.includes('overloaded'))).toHaveLength(76)
    expect(answers.filter((answer) => answer === 'read')).toHaveLength(1_024)
    release()
  })
})

describe('when a process opens a folder that others write to', () => {
  it('waits for longer than a permit would, and does not fail at the start', async () => {
    const { folder } = await setUp()
    const release = lockClaims(folder)
    const late = createSqliteStore({ folder, busyMs: 30 })
    opened.push(late)
    const opening = late.open()
    await expect.poll(() => isOpening(folder), { timeout: 10_000 }).toBe(true)
    await delay(600)
    release()
    await expect(opening).resolves.toMatchObject({ place: folder, stranded: [] })
  })
})

describe('when the store thread dies', () => {
  it('rejects whatever was under way, goes on in the same slot, and still ends the permits it gave', async () => {
    const { folder, store, chain, permit, settle } = await setUp({ busyMs: 5_000 })
    const before = await permit('before')
    const release = lockClaims(folder)
    const under = permit('under way')
    const [worker] = workers
    const [result] = await Promise.all([under.catch((error: unknown) => error), worker?.terminate()])
    expect(result).toMatchObject({ code: 'ERR_STORE' })
    release()
    await settle(before)
    await settle(await permit('after'))
    expect(await store.holder('before')).toMatchObject({ status: 'ok' })
    await chain.append({ kind: 'seal', count: 1, open_calls: 0, status: 'complete' })
    await proven(store)
    expect(workers.filter((one) => one !== worker).length).toBeGreaterThan(0)
  })

  it('is closed without complaint', async () => {
    const { store } = await setUp()
    await workers[0]?.terminate()
    await expect(store.close()).resolves.toBeUndefined()
  })
})

/** A receipt that cannot follow: it names nothing before it. */
async function follower(store: Store): Promise<Receipt> {
  const [first] = await collect(store.receipts())
  return { ...(first as Receipt), seq: 99 }
}
