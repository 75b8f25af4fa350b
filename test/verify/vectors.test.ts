import { readdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { type BundleTrust, verifyBundle, verifyReceipts } from '../../src/verify.ts'
import { type BundleVector, type ReceiptVector, receiptVectors } from '../support/receipt-vectors.ts'
import { secondOpinion } from '../support/second-verifier/index.ts'

const folder = new URL('../vectors/receipts/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')
let made: ReadonlyMap<string, string>
beforeAll(async () => {
  made = await receiptVectors()
})

describe('the vectors of receipts', () => {
  it('are what `npm run vectors` writes, byte for byte: the format did not move under anybody', () => {
    expect(readdirSync(folder).sort()).toEqual([...made.keys()].sort())
    for (const [name, text] of made) expect(read(name) === text, name).toBe(true)
  })

  it('come out as they say, one by one, by both verifiers', async () => {
    const { keys } = JSON.parse(read('keys.json')) as { readonly keys: BundleTrust['keys'] }
    for (const { name, jws, result } of JSON.parse(read('receipts.json')) as readonly ReceiptVector[]) {
      const { ok, failures } = await verifyReceipts([jws], { keys })
      expect([name, ok ? 'good' : failures.find(({ index }) => index === 0)?.check]).toEqual([name, result])
      const lines = [
        '{"bundle":"holdpoint-bundle/1","origin":"","scope":"log","size":0}',
        JSON.stringify({ receipt: jws }),
        '{"end":{"receipts":1,"openings":0,"checkpoints":0}}',
      ]
      const second = await secondOpinion(lines, { keys })
      expect([name, second.ok, result === 'good' || second.results[result]]).toEqual([
        name,
        result === 'good',
        result === 'good' || 'fail',
      ])
    }
  })

  it('of bundles come out as they say, check by check, by both verifiers', async () => {
    for (const { name, file, trust, ...expected } of JSON.parse(read('bundles.json')) as readonly BundleVector[]) {
      const lines = read(file).trimEnd().split('\n')
      const { ok, complete, checks } = await verifyBundle(lines, trust as BundleTrust)
      const results = Object.fromEntries(checks.map(({ check, result }) => [check, result]))
      expect([name, { ok, complete, results }]).toEqual([name, expected])
      const second = await secondOpinion(lines, trust as BundleTrust)
      expect([name, { ok: second.ok, complete: second.complete, results: second.results }]).toEqual([name, expected])
    }
  })
})
