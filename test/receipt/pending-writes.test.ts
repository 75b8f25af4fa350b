import { describe, expect, it } from 'vitest'
import { PendingWrites } from '../../src/receipt/pending-writes.ts'
import { testGate } from '../../src/testing.ts'

const READ = { name: 'read_note', origin: 'own', description: 'Reads a note.' } as const

/** A gate with one tool, and how a call of it gets as far as having run. */
function gated() {
  const gate = testGate({ tools: { read_note: { materiality: 'low' } } })
  gate.register([READ])
  const run = async () => {
    const admission = await gate.admit({ tool: 'read_note', input: {} })
    if (admission.outcome !== 'permitted') throw new Error(admission.refusal.message)
    admission.begin()
    return admission
  }
  const kinds = async () => (await gate.receipts()).map(({ kind }) => kind)
  return { gate, run, kinds }
}

describe('an outcome that nobody waits for', () => {
  it('is on record before the next decision', async () => {
    const { run, kinds } = gated()
    const first = await run()
    const outcome = first.settle({ status: 'ok' }, 'soon')
    await run()
    expect(await kinds()).toEqual(['open', 'decision', 'outcome', 'decision'])
    expect((await outcome)?.kind).toBe('outcome')
  })

  it('is on record without another call, too', async () => {
    const { run, kinds } = gated()
    await (await run()).settle({ status: 'ok' }, 'soon')
    expect(await kinds()).toEqual(['open', 'decision', 'outcome'])
  })

  it('is on record before the seal of a gate that is closed', async () => {
    const { gate, run, kinds } = gated()
    const outcome = (await run()).settle({ status: 'ok' }, 'soon')
    await gate.close()
    await outcome
    expect(await kinds()).toEqual(['open', 'decision', 'outcome', 'seal'])
  })

  it('goes along with an outcome that somebody waits for, and before it', async () => {
    const { gate, run } = gated()
    const [first, second] = [await run(), await run()]
    const soon = first.settle({ status: 'ok' }, 'soon')
    const now = await second.settle({ status: 'ok' })
    const all = (await gate.receipts()).map(({ hash }) => hash)
    expect(all.indexOf((await soon)?.hash ?? '')).toBe(all.indexOf(now?.hash ?? '') - 1)
  })
})

describe('pending writes', () => {
  it('does every write once, in the order in which they came, whoever releases them', async () => {
    const done: number[] = []
    let later: (() => void) | undefined
    const pending = new PendingWrites((_ms, run) => {
      later = run
      return () => {
        later = undefined
      }
    })
    const writes = [1, 2, 3].map((n) => pending.wait(async () => done.push(n)))
    expect(done).toEqual([])
    pending.release()
    expect(later).toBeUndefined()
    pending.release()
    await Promise.all(writes)
    expect(done).toEqual([1, 2, 3])
  })
})
