import { describe, expect, it } from 'vitest'
import { generateSigner, sealReceipt } from '../../../src/receipt/sign.ts'
import { type Found, keyOf, Ledger, type Permit } from '../../../src/store/postgres/ledger.ts'
import type { Receipt } from '../../../src/types.ts'
import { claim, openDraft, SESSION } from '../../support/receipt-drafts.ts'

const signer = generateSigner()
const NOTHING: Found = { heads: [], claims: [], seen: [], uses: [], spendable: [], permits: [] }
const STREAM = 'AAAAAAAAAAAAAAAAAAAAAA'

function receipt(seq: number, prev?: string): Receipt {
  const place = { stream: STREAM, seq, ts: 1, mono: 0, ...(prev === undefined ? {} : { prev }) }
  return sealReceipt(signer, { ...openDraft, kid: signer.kid, v: 1, iss: 'test', ...place })
}

function ledger(found: Partial<Found>, mine: ReadonlyMap<string, Permit> = new Map()): Ledger {
  return new Ledger({ ...NOTHING, ...found }, { slot: 3, mine })
}

describe('one batch of a store in PostgreSQL', () => {
  const held = {
    call_key: keyOf('call', 'k'),
    input_digest: 'i',
    decision: 'd',
    receipt: 'r_1',
    status: 'claimed',
  } as const

  it('I2: gives a key that another gate holds to nobody, and one that nobody holds to the first who asks', () => {
    const [first, second] = [receipt(0), receipt(1)]
    expect(ledger({ claims: [held] }).commit(first, claim('k'), undefined)).toEqual({
      outcome: 'taken',
      receipt: 'r_1',
      inputDigest: 'i',
      status: 'claimed',
    })
    const batch = ledger({})
    expect(batch.commit(first, claim('k'), undefined)).toEqual({ outcome: 'claimed' })
    expect(batch.commit({ ...second, prev: first.hash }, claim('k'), undefined)).toMatchObject({ outcome: 'taken' })
    expect(batch.entries().claims).toHaveLength(1)
  })

  it('I2: ends a permit only while it is its own: whoever took it over ends it, and there is one outcome', () => {
    const mine = new Map([['d', { callKey: held.call_key, session: SESSION }]])
    const settles = { decision: 'd', status: 'not_executed' } as const
    const over = ledger({ claims: [held] }, mine)
    expect(() => over.append(receipt(0), settles, undefined)).toThrow(/another process has taken this permit over/)
    expect(over.entries()).toMatchObject({ receipts: [], ended: [], freed: [] })

    const own = ledger({ claims: [held], permits: ['d'] }, mine)
    const first = receipt(0)
    expect(own.append(first, settles, undefined)).toEqual({ outcome: 'stored' })
    expect(own.append(receipt(1, first.hash), settles, undefined)).toEqual({ outcome: 'stored' })
    expect(own.entries().ended).toHaveLength(1)
    expect(own.entries().freed.map(({ calls }) => calls)).toEqual([1, 1, 1, 1])
  })

  it('I6: goes on with no stream that began in another slot, because readers go slot by slot', () => {
    const first = receipt(0)
    const head = { stream: STREAM, seq: 0, hash: first.hash }
    const next = receipt(1, first.hash)
    expect(ledger({ heads: [{ ...head, slot: 2 }] }).append(next, undefined, undefined).outcome).toBe('discontinuous')
    expect(ledger({ heads: [{ ...head, slot: 3 }] }).append(next, undefined, undefined).outcome).toBe('stored')
  })

  it('I2: spends a yes and a use of an override once within itself, too', () => {
    const batch = ledger({ spendable: ['hp_1'], uses: [{ id: 'ov', uses: 1 }] })
    const first = receipt(0)
    const override = { id: 'ov', most: 2 }
    expect(batch.commit(first, claim('a', { approval: 'hp_1', override }), undefined)).toEqual({
      outcome: 'claimed',
      use: 2,
    })
    const second = receipt(1, first.hash)
    expect(batch.commit(second, claim('b', { approval: 'hp_1' }), undefined)).toEqual({ outcome: 'approval_spent' })
    expect(batch.commit(second, claim('b', { override }), undefined)).toEqual({ outcome: 'override_spent' })
    expect(batch.entries()).toMatchObject({ spent: ['hp_1'], uses: [{ id: 'ov', uses: 1 }] })
  })

  it('takes conversations and principals of one name for two', () => {
    expect(keyOf('conversation', 'x')).not.toBe(keyOf('principal', 'x'))
    expect(keyOf('call', '\ud800')).not.toBe(keyOf('call', '\ufffd'))
  })
})
