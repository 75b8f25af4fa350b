import { verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createFloor } from '../../bench/floor.mjs'
import { cedarRequest, leanCedarRequest, refundInput } from '../../bench/refund.mjs'
import { createVerifyFloor } from '../../bench/verify-floor.mjs'
import { gateKey, Process } from '../support/bundles.ts'

const floor = readFileSync(new URL('../../bench/floor.mjs', import.meta.url), 'utf8')
const shapes = readFileSync(new URL('../../bench/refund.mjs', import.meta.url), 'utf8')

/** What a module imports, by specifier. */
function imports(source: string): string[] {
  return [...source.matchAll(/\bfrom '([^']+)'|\bimport\(?\s*'([^']+)'/g)].map((match) => match[1] ?? match[2] ?? '')
}

describe('the floor that the bench is measured against', () => {
  it('stays short enough to be read in a minute', () => {
    expect(floor.trimEnd().split('\n').length).toBeLessThanOrEqual(60)
  })

  it('imports node:crypto, Cedar and plain data, and nothing of the project', () => {
    expect(imports(floor)).toEqual(['node:crypto', 'node:fs', '@cedar-policy/cedar-wasm/nodejs', './refund.mjs'])
    expect(imports(shapes)).toEqual([])
  })

  it('signs two receipts of about 1 KB that verify, each chained to the one before', () => {
    const { publicKey, call } = createFloor()
    const { permitted, receipts } = call(refundInput(1), 'call-1')
    expect(permitted).toBe(true)
    const [decision, outcome] = receipts ?? []
    for (const receipt of [decision, outcome]) {
      expect(receipt?.payload.length).toBeGreaterThan(700)
      expect(receipt?.payload.length).toBeLessThan(1300)
      expect(verify(null, Buffer.from(receipt?.payload ?? ''), publicKey, receipt?.signature ?? Buffer.alloc(64))).toBe(
        true,
      )
    }
    expect(JSON.parse(outcome?.payload ?? '{}')).toMatchObject({
      prev: decision?.hash,
      decision: decision?.hash,
      seq: 2,
    })
  })

  it.each([
    ['with the whole request', cedarRequest],
    ['with only what the policies read', leanCedarRequest],
  ])('really asks Cedar, %s: above the cap, in another currency or to a fresh account nothing runs', (_, toCedar) => {
    const { call } = createFloor(toCedar)
    const refund = refundInput(1)
    expect(call({ ...refund, amount: 500 }, 'a').permitted).toBe(true)
    expect(call({ ...refund, amount: 500.5 }, 'b').permitted).toBe(false)
    expect(call({ ...refund, currency: 'GBP' }, 'c').permitted).toBe(false)
    expect(call({ ...refund, payee: { ...refund.payee, accountAgeDays: 2 } }, 'd').permitted).toBe(false)
  })
})

describe('the floor that checking a receipt is measured against', () => {
  const source = readFileSync(new URL('../../bench/verify-floor.mjs', import.meta.url), 'utf8')

  it('is short, and has nothing of the project', () => {
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(60)
    expect(imports(source)).toEqual(['node:crypto'])
  })

  it('takes what the gate signed, and not what somebody else did', () => {
    const [signer, stranger] = [gateKey(), gateKey()]
    const { jws } = new Process(signer, 'floor').open()
    expect(createVerifyFloor(signer.publicJwk)(jws)).toMatchObject({ kind: 'open', kid: signer.kid })
    expect(() => createVerifyFloor(stranger.publicJwk)(jws)).toThrow('does not hold')
  })
})
