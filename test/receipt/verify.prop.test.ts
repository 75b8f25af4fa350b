import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
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

const signer = generateSigner()
const stranger = generateSigner()
const trust = { keys: [signer.publicJwk] }
let good: readonly string[]
let strange: readonly string[]

async function write(by: typeof signer): Promise<readonly string[]> {
  const store = createMemoryStore()
  const chain = await openedChain(store, { signer: by })
  for (let call = 0; call < 4; call += 1) {
    const { receipt } = await chain.commit(decisionDraft(), claim(`call ${call}`))
    await chain.append(outcomeDraft(receipt?.hash ?? ''))
    await chain.append(refusedDraft())
  }
  await chain.append({ kind: 'seal', count: 13, open_calls: 0, status: 'complete' })
  return jwsOf(await collect(store.receipts()))
}

beforeAll(async () => {
  good = await write(signer)
  strange = await write(stranger)
})

type Change = (jws: readonly string[]) => readonly string[]

const place = fc.nat(13)
const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.nat(12).map((at) => (jws: readonly string[]) => jws.filter((_, index) => index !== at)),
  fc.tuple(place, place).map(
    ([a, b]) =>
      (jws: readonly string[]) =>
        jws.map((one, index) => (index === a ? (jws[b] ?? one) : index === b ? (jws[a] ?? one) : one)),
  ),
  fc.tuple(place, place).map(
    ([from, to]) =>
      (jws: readonly string[]) =>
        jws.toSpliced(to, 0, jws[from] ?? ''),
  ),
  place.map((at) => (jws: readonly string[]) => jws.with(at, strange[at] ?? '')),
  fc
    .tuple(place, fc.nat(4_000), fc.integer({ min: 1, max: 127 }))
    .map(([at, position, by]) => (jws: readonly string[]) => {
      const one = jws[at] ?? ''
      const index = position % one.length
      return jws.with(
        at,
        one.slice(0, index) + String.fromCharCode((one.charCodeAt(index) + by) % 128) + one.slice(index + 1),
      )
    }),
)

describe('I6: offline verification', () => {
  it('I6: finds every receipt that was dropped, moved, repeated, replaced or edited by one character', async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (change) => {
        const changed = change(good)
        fc.pre(changed.length !== good.length || changed.some((jws, index) => jws !== good[index]))
        const report = await verifyReceipts(changed, trust)
        expect(report.ok).toBe(false)
        expect(report.failures.length).toBeGreaterThan(0)
      }),
      { numRuns: 400 },
    )
  })

  it('I6: says the same of receipts that come in other pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...good.keys()], { minLength: 1 }), async (kept) => {
        const some = kept.map((index) => good[index] ?? '')
        const streamed = (async function* () {
          yield* some
        })()
        expect(await verifyReceipts(streamed, trust)).toEqual(await verifyReceipts(some, trust))
      }),
      { numRuns: 60 },
    )
  })
})
