import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { generateSigner } from '../../src/receipt/sign.ts'
import type { Receipt } from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { claim, decisionDraft, jwsOf, newChain, openDraft, refusedDraft } from '../support/receipt-drafts.ts'
import { type Fate, type Line, ScriptedStore } from '../support/scripted-store.ts'

const signer = generateSigner()
/** Short where scripts hang, so that a run ends; out of reach where none does, so that a slow machine is not a fault. */
const SHORT_MS = 25
const NEVER_MS = 60_000

const calm: readonly Fate[] = ['store', 'taken', 'approval_spent', 'stale']
const troubled: readonly Fate[] = [...calm, 'store', 'reject', 'reject_but_persist', 'hang', 'hang_but_persist']

const lines = (fates: readonly Fate[]): fc.Arbitrary<Line[]> =>
  fc.array(fc.record({ fate: fc.constantFrom(...fates), delay: fc.nat(6) }), { maxLength: 24 })
/** What callers do: a permit or a refusal, in bursts; `wait` lets everything settle in between. */
const acts = fc.array(fc.constantFrom('commit' as const, 'append' as const, 'wait' as const), {
  minLength: 1,
  maxLength: 14,
})

interface Played {
  readonly store: ScriptedStore
  readonly acknowledged: readonly { readonly act: number; readonly receipt: Receipt }[]
  /** Acts that were told that nothing was written. */
  readonly unwritten: readonly number[]
  readonly rejected: readonly number[]
  readonly final: Receipt
}

/** Plays callers against a scripted store; every caller must get an answer. */
async function play(
  script: readonly Line[],
  doing: readonly ('commit' | 'append' | 'wait')[],
  deadlineMs: number,
): Promise<Played> {
  const store = new ScriptedStore([{ fate: 'store', delay: 0 }, ...script])
  const chain = newChain(store, { signer, deadlineMs })
  await chain.open(openDraft)
  const acknowledged: { act: number; receipt: Receipt }[] = []
  const unwritten: number[] = []
  const rejected: number[] = []
  let under: Promise<void>[] = []
  for (const [act, what] of doing.entries()) {
    if (what === 'wait') {
      await Promise.all(under)
      under = []
      continue
    }
    const note = `act ${act}`
    const work =
      what === 'append'
        ? chain.append(refusedDraft({ note })).then((receipt) => void acknowledged.push({ act, receipt }))
        : chain.commit(decisionDraft({ note }), claim(note)).then(({ receipt }) => {
            if (receipt === undefined) unwritten.push(act)
            else acknowledged.push({ act, receipt })
          })
    under.push(work.catch(() => void rejected.push(act)))
  }
  await Promise.all(under)
  store.heal()
  const final = await chain.append(refusedDraft({ note: 'final' }))
  return { store, acknowledged, unwritten, rejected, final }
}

function noteOf(receipt: Receipt): string {
  const [, payload = ''] = receipt.jws.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')).note
}

async function check({ store, acknowledged, unwritten, final }: Played): Promise<void> {
  const report = await verifyReceipts(jwsOf(store.persisted), { keys: [signer.publicJwk] })
  const held = new Set(store.persisted.map(({ hash }) => hash))
  expect(report.failures).toEqual([])
  expect(report.count).toBe(store.persisted.length)
  for (const { receipt, act } of acknowledged) {
    expect(held.has(receipt.hash)).toBe(true)
    expect(noteOf(receipt)).toBe(`act ${act}`)
  }
  expect(held.has(final.hash)).toBe(true)
  const notes = store.persisted.map(noteOf).filter((note) => note !== undefined)
  expect(new Set(notes).size).toBe(notes.length)
  for (const act of unwritten) expect(notes).not.toContain(`act ${act}`)
}

describe('I6: a chain of receipts', () => {
  it('I6: has no hole and loses nothing it acknowledged, whatever the store answers and in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(lines(troubled), acts, async (script, doing) => {
        await check(await play(script, doing, SHORT_MS))
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  it('I6: never leaves its stream, and rejects nobody, while the store answers with certainty', async () => {
    await fc.assert(
      fc.asyncProperty(lines(calm), acts, async (script, doing) => {
        const played = await play(script, doing, NEVER_MS)
        await check(played)
        expect(played.rejected).toEqual([])
        expect(new Set(played.store.persisted.map(({ stream }) => stream)).size).toBe(1)
      }),
      { numRuns: 150 },
    )
  }, 60_000)
})
