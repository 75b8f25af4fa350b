import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { openReader } from '../../src/store/sqlite-reader.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { collect, jwsOf, newChain, openDraft, outcomeDraft } from '../support/receipt-drafts.ts'

const CHILD = new URL('./store-child.ts', import.meta.url).pathname
const folders: string[] = []
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-processes-'))
  folders.push(folder)
})
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly acknowledged: readonly string[]
  readonly errors: string
}

/** Runs a child; kills it outright after `killAfter` acknowledgements, or `killAfterMs`, where one is given. */
async function run(keys: number, lanes: number, kill?: { readonly acknowledgements: number }): Promise<Ended> {
  const child = spawn(process.execPath, [CHILD, folder, String(keys), String(lanes)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (kill !== undefined && out.split('\n').length > kill.acknowledgements) child.kill('SIGKILL')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, acknowledged: out.split('\n').slice(0, -1), errors }
}

function executed(): readonly string[] {
  return readFileSync(join(folder, 'executed'), 'utf8').trim().split('\n')
}

async function stored() {
  const reader = openReader(join(folder, 'store'))
  try {
    return await collect(reader.receipts())
  } finally {
    await reader.close()
  }
}

describe('several processes on one store', () => {
  it('I2: 8 processes that race for the same call keys execute each exactly once', async () => {
    const keys = 40
    const ended = await Promise.all(Array.from({ length: 8 }, () => run(keys, 4)))
    expect(ended.map(({ code, errors }) => ({ code, errors }))).toEqual(Array(8).fill({ code: 0, errors: '' }))
    expect([...executed()].sort()).toEqual(Array.from({ length: keys }, (_, n) => `key ${n}`).sort())
    const receipts = await stored()
    const { publicJwk } = loadOrCreateKey(join(folder, 'receipt.pem'))
    expect(await verifyReceipts(jwsOf(receipts), { keys: [publicJwk] })).toMatchObject({
      ok: true,
      settled: true,
      failures: [],
    })
    const hashes = new Set(receipts.map(({ hash }) => hash))
    for (const { acknowledged } of ended) expect(acknowledged.filter((hash) => !hashes.has(hash))).toEqual([])
  }, 120_000)

  it('I6: a writer that is killed outright, 50 times, loses no acknowledged receipt and runs nothing twice', async () => {
    const kills = 50
    const acknowledged: string[] = []
    let killed = 0
    // Two writers at a time, so that a slot is taken over while another is being written.
    for (let round = 0; round < kills / 2; round += 1) {
      const pair = [1, 2].map((n) => run(100_000, 8, { acknowledgements: 1 + ((round * 7 + n * 3) % 40) }))
      for (const { code, acknowledged: some } of await Promise.all(pair)) {
        if (code === null) killed += 1
        acknowledged.push(...some)
      }
    }
    expect(killed).toBe(kills)

    // Whatever is still open belongs to slots that the last killed processes held.
    const signer = loadOrCreateKey(join(folder, 'receipt.pem'))
    const stores = [0, 1].map(() => createSqliteStore({ folder: join(folder, 'store') }))
    for (const store of stores) {
      const opening = await store.open()
      const chain = newChain(store, { signer })
      await chain.open(openDraft, opening.last)
      for (const { decision, status } of opening.stranded) {
        await chain.append(outcomeDraft(decision, status), { settles: { decision, status } })
      }
    }
    for (const store of stores) await store.close()

    const receipts = await stored()
    const hashes = new Set(receipts.map(({ hash }) => hash))
    expect(acknowledged.filter((hash) => !hashes.has(hash))).toEqual([])
    const report = await verifyReceipts(jwsOf(receipts), { keys: [signer.publicJwk] })
    expect(report).toMatchObject({ ok: true, settled: true, failures: [] })
    const runs = executed()
    expect(new Set(runs).size).toBe(runs.length)
  }, 240_000)
})
