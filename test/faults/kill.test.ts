import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import type { Receipt } from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'

const KILLS = 50
/** Lives that share one store, so that what one left behind is the next one's start. */
const KILLS_PER_STORE = 10
const child = path.join(import.meta.dirname, 'kill-child.ts')
const folders: string[] = []

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

interface Life {
  readonly signal: NodeJS.Signals | null
  readonly code: number | null
  readonly said: string
}

function live(folder: string, env: { readonly [name: string]: string }): Promise<Life> {
  return new Promise((resolve) => {
    const running = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', child], {
      env: { ...process.env, KILL_FOLDER: folder, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 60_000,
    })
    let said = ''
    running.stderr.on('data', (chunk) => {
      said += chunk
    })
    running.on('close', (code, signal) => resolve({ code, signal, said }))
  })
}

/** What the killed processes wrote down, by kind, in order. */
function notes(folder: string): ReadonlyMap<string, readonly string[]> {
  const kinds = new Map<string, string[]>()
  for (const line of readFileSync(path.join(folder, 'journal.txt'), 'utf8').split('\n')) {
    const [kind = '', value = ''] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]
    kinds.set(kind, [...(kinds.get(kind) ?? []), value])
  }
  return kinds
}

async function receiptsIn(folder: string): Promise<readonly Receipt[]> {
  const store = createSqliteStore({ folder: path.join(folder, 'store') })
  await store.open()
  const all: Receipt[] = []
  for await (const receipt of store.receipts()) all.push(receipt)
  await store.close()
  return all
}

describe('a gate that is killed at any await', () => {
  it.each(Array.from({ length: KILLS / KILLS_PER_STORE }, (_, series) => series))(
    'I2, I6: loses no acknowledged receipt and runs nothing twice (series %i of ten kills)',
    async (series) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'holdpoint-kill-'))
      folders.push(folder)
      for (let life = 0; life < KILLS_PER_STORE; life += 1) {
        const round = series * KILLS_PER_STORE + life
        const { signal, said } = await live(folder, {
          KILL_ROUND: String(round),
          KILL_FROM: round % 2 === 0 ? 'new calls' : 'start',
          KILL_AT: String(Math.floor(round / 2) + 1),
        })
        expect({ round, signal, said }).toEqual({ round, signal: 'SIGKILL', said: '' })
      }
      const last = await live(folder, { KILL_ROUND: 'last', KILL_CALLS: '2' })
      expect(last).toEqual({ code: 0, signal: null, said: '' })

      const journal = notes(folder)
      const ran = journal.get('ran') ?? []
      expect(ran.filter((id, index) => ran.indexOf(id) !== index)).toEqual([])

      const receipts = await receiptsIn(folder)
      const kept = new Set(receipts.map(({ hash }) => hash))
      const acknowledged = journal.get('receipt') ?? []
      expect(acknowledged.length).toBeGreaterThan(0)
      expect(acknowledged.filter((hash) => !kept.has(hash))).toEqual([])

      const { publicJwk } = loadOrCreateKey(path.join(folder, 'receipt.jwk'))
      const report = await verifyReceipts(
        receipts.map(({ jws }) => jws),
        { keys: [publicJwk] },
      )
      expect(report.failures).toEqual([])

      // Nothing is lost in silence either: each call that was asked for ran, or says that nobody can know.
      const unknown = (journal.get('refused') ?? [])
        .filter((line) => line.endsWith(' outcome_unknown'))
        .map((line) => line.split(' ')[0])
      const asked = new Set(journal.get('asked') ?? [])
      expect([...asked].filter((id) => !ran.includes(id) && !unknown.includes(id))).toEqual([])
    },
    120_000,
  )
})
