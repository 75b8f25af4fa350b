import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { postgresStore } from '../../src/postgres.ts'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import type { Receipt } from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { claim, collect, decisionDraft, jwsOf, newChain, openDraft, outcomeDraft } from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const CRASHES = Number(process.env['HOLDPOINT_POSTGRES_CRASHES'] ?? 1)
const KILLS = Number(process.env['HOLDPOINT_POSTGRES_KILLS'] ?? 4)
const CHILD = new URL('./store-child.ts', import.meta.url).pathname

describe.skipIf(!hasPostgres)('gates on one PostgreSQL', () => {
  const temporaryFolder = temporaryFolders()
  let server: PostgresServer
  let folder: string
  beforeAll(async () => {
    server = await startPostgres()
  })
  beforeEach(async () => {
    folder = temporaryFolder()
    await server.sql('DROP SCHEMA IF EXISTS holdpoint CASCADE')
  })
  afterAll(async () => await server?.end())

  const signer = () => loadOrCreateKey(join(folder, 'receipt.pem'))
  const executed = () => readFileSync(join(folder, 'executed'), 'utf8').trim().split('\n')

  /** Ends what dead processes owe, and returns all that is stored with what it comes to. */
  async function recovered() {
    const store = postgresStore({ connectionString: server.connectionString })
    const opening = await store.open()
    const chain = newChain(store, { signer: signer() })
    await chain.open(openDraft, opening.last)
    for (const { decision, status } of opening.stranded)
      await chain.append(outcomeDraft(decision, status), { settles: { decision, status } })
    const receipts = await collect(store.receipts())
    await store.close()
    return {
      stranded: opening.stranded,
      receipts,
      report: await verifyReceipts(jwsOf(receipts), { keys: [signer().publicJwk] }),
    }
  }

  /** A gate of its own, killed outright after so many acknowledgements where a number is given. */
  async function run(keys: number, lanes: number, killAfter?: number) {
    const child = spawn(process.execPath, [CHILD, folder, String(keys), String(lanes), server.connectionString], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      if (killAfter !== undefined && out.split('\n').length > killAfter) child.kill('SIGKILL')
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { code, acknowledged: out.split('\n').slice(0, -1), errors }
  }

  it('I2: 8 processes that race for the same call keys execute each exactly once', async () => {
    signer()
    const keys = 20
    const ended = await Promise.all(Array.from({ length: 8 }, () => run(keys, 2)))
    expect(ended.map(({ code, errors }) => ({ code, errors }))).toEqual(Array(8).fill({ code: 0, errors: '' }))
    expect([...executed()].sort()).toEqual(Array.from({ length: keys }, (_, n) => `key ${n}`).sort())
    const { report, receipts } = await recovered()
    expect(report).toMatchObject({ ok: true, settled: true, failures: [] })
    const hashes = new Set(receipts.map(({ hash }) => hash))
    for (const { acknowledged } of ended) expect(acknowledged.filter((hash) => !hashes.has(hash))).toEqual([])
  }, 120_000)

  it(`I6: a gate that is killed outright, ${KILLS} times, loses nothing, runs nothing twice, and is ended once`, async () => {
    signer()
    const acknowledged: string[] = []
    for (let round = 0; round < KILLS / 2; round += 1) {
      const pair = [1, 2].map((n) => run(100_000, 8, 2 + ((round * 7 + n * 3) % 40)))
      for (const one of await Promise.all(pair)) {
        expect(one.code).toBeNull()
        acknowledged.push(...one.acknowledged)
      }
    }
    const { receipts, report } = await recovered()
    const hashes = new Set(receipts.map(({ hash }) => hash))
    expect(acknowledged.filter((hash) => !hashes.has(hash))).toEqual([])
    expect(report).toMatchObject({ ok: true, settled: true, failures: [] })
    expect(new Set(executed()).size).toBe(executed().length)
    expect((await recovered()).stranded).toEqual([])
  }, 600_000)

  it(`I6: PostgreSQL that crashes under load, ${CRASHES} times, loses nothing that it acknowledged`, async () => {
    signer()
    const acknowledged: Receipt[] = []
    const began: string[] = []
    let isOver = false
    let unknown = 0
    const stores = Array.from({ length: 4 }, () =>
      postgresStore({ connectionString: server.connectionString, deadlineMs: 3_000 }),
    )
    const writing = stores.map(async (store, gate) => {
      await store.open()
      const chain = newChain(store, { signer: signer() })
      await chain.open(openDraft)
      const lane = async (number: number) => {
        for (let n = 0; !isOver; n += 1) {
          // Every gate asks for every key, so that a permit which was lost would be given again.
          const key = `key ${number} ${n}`
          try {
            const { receipt } = await chain.commit(decisionDraft(), claim(key))
            if (receipt === undefined) continue
            acknowledged.push(receipt)
            began.push(key)
            const settles = { decision: receipt.hash, status: 'ok' } as const
            acknowledged.push(await chain.append(outcomeDraft(receipt.hash), { settles }))
          } catch {
            unknown += 1
            await delay(20)
          }
        }
      }
      await Promise.all(Array.from({ length: 6 }, (_, number) => lane(number + gate * 2)))
    })
    for (let crash = 0; crash < CRASHES; crash += 1) {
      const before = acknowledged.length
      while (acknowledged.length < before + 100) await delay(5)
      await server.halt('immediate')
      await delay(100)
      await server.start()
    }
    const after = acknowledged.length
    while (acknowledged.length < after + 100) await delay(5)
    isOver = true
    await Promise.all(writing)
    await Promise.all(stores.map((store) => store.close()))
    expect(unknown).toBeGreaterThan(0)

    const { receipts, report } = await recovered()
    const hashes = new Set(receipts.map(({ hash }) => hash))
    expect(acknowledged.filter(({ hash }) => !hashes.has(hash))).toEqual([])
    expect(report).toMatchObject({ ok: true, failures: [] })
    expect(new Set(began).size).toBe(began.length)
    process.stdout.write(
      `${CRASHES} crashes: ${acknowledged.length} receipts acknowledged, none lost; ${unknown} unknown\n`,
    )
  }, 600_000)
})
