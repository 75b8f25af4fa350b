import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../../adapters/mcp/message.ts'
import { DENY, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { rest, Wire } from './wire.ts'

/** What either side may do next; `nth` picks among the requests so far, so that ids are answered, cancelled and used twice. */
const act = fc.oneof(
  fc.record({ kind: fc.constant('call' as const), tool: fc.constantFrom('read_note', 'write_note', 'no_note') }),
  fc.record({ kind: fc.constant('call-again' as const), nth: fc.nat(9) }),
  fc.record({ kind: fc.constant('ask' as const), method: fc.constantFrom('tools/list', 'ping', 'tasks/get') }),
  fc.record({ kind: fc.constant('cancel' as const), nth: fc.nat(9) }),
  fc.record({ kind: fc.constant('answer' as const), nth: fc.nat(9), fails: fc.boolean() }),
  fc.record({ kind: fc.constant('answer-oddly' as const), nth: fc.nat(9) }),
  fc.record({ kind: fc.constant('change-tools' as const) }),
  fc.record({ kind: fc.constant('rest' as const) }),
)
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never

/** Permits reading and denies writing; answers now, or a little later. */
function policy() {
  let asked = 0
  return scriptedPoint(async ({ resource }) => {
    asked += 1
    for (let turn = 0; turn < asked % 4; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    return resource.id === 'notes/read_note' ? PERMIT : DENY
  })
}

/** @returns how often each id was asked under */
async function play(wire: Wire, acts: readonly Act[]): Promise<ReadonlyMap<unknown, number>> {
  const asked = new Map<unknown, number>()
  const ids: (string | number)[] = []
  const note = (id: string | number) => {
    ids.push(id)
    asked.set(id, (asked.get(id) ?? 0) + 1)
  }
  const pick = (nth: number) => ids[nth % Math.max(ids.length, 1)] ?? 0
  for (const next of acts) {
    switch (next.kind) {
      case 'call':
        note(wire.call(next.tool))
        break
      case 'call-again':
        note(wire.ask('tools/call', { name: 'write_note', arguments: {} }, pick(next.nth)))
        break
      case 'ask':
        note(wire.ask(next.method))
        break
      case 'cancel':
        wire.fromClient({ method: 'notifications/cancelled', params: { requestId: pick(next.nth) } })
        break
      case 'answer':
        wire.fromServer({
          id: pick(next.nth),
          ...(next.fails ? { error: { code: 1, message: 'no' } } : { result: {} }),
        })
        break
      case 'answer-oddly':
        wire.fromServer({ id: pick(next.nth), result: {}, error: {} })
        break
      case 'change-tools':
        wire.fromServer({ method: 'notifications/tools/list_changed' })
        break
      case 'rest':
        await rest()
    }
  }
  return asked
}

describe('I4: whatever either side does, in whatever order', () => {
  it('nothing runs but what is permitted, nobody is answered twice, and every permit has its outcome', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 24 }), async (acts) => {
        const wire = new Wire({ policy: policy() })
        const asked = await play(wire, acts)
        await rest()
        const names = wire.calls.map(({ params }) => (params as Message)['name'])
        expect(names.filter((name) => name !== 'read_note')).toEqual([])
        const sent = wire.calls.map(({ id }) => id)
        expect(new Set(sent).size).toBe(sent.length)

        const answers = wire.toClient.filter(({ method, id }) => method === undefined && id !== null)
        for (const [id, times] of asked)
          expect(answers.filter((answer) => answer['id'] === id).length).toBeLessThanOrEqual(times)

        wire.link.close()
        const permits = wire.gate.calls.filter(({ outcome }) => outcome === 'permitted').length
        if (permits > 0) await wire.settled(permits)
        await rest()
        expect(wire.gate.events.filter(({ event }) => event === 'call-settled')).toHaveLength(permits)
        expect(permits).toBeGreaterThanOrEqual(sent.length)
      }),
      { numRuns: 200 },
    )
  })
})
