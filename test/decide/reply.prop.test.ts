import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AbsentAnswer, WrongAnswer } from '../../src/decide/absent.ts'
import { readAnswer } from '../../src/decide/answer.ts'
import { readAuthzen } from '../../src/decide/authzen.ts'
import { readCerbos } from '../../src/decide/cerbos.ts'
import { readOpa } from '../../src/decide/opa.ts'
import { readReply } from '../../src/decide/reply.ts'
import type { Decision, Json } from '../../src/types.ts'

const asked = { kind: 'tool', id: 'shop/refund', action: 'tools/call', requestId: 'r1' }
const readers: readonly ((json: Json) => Decision)[] = [
  (json) => readAuthzen(json, 'pdp'),
  (json) => readOpa(json, 'shop/decision'),
  (json) => readCerbos(json, asked),
]

/** JSON that comes near an answer: its words in any places. */
const words = fc.constantFrom('decision', 'result', 'context', 'requires', 'obligations', 'error', 'reason', 'policies')
const { near } = fc.letrec<{ near: Json }>((tie) => ({
  near: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(true, false, null, 'true', 'confirmation', 1),
    fc.dictionary(words, tie('near')),
    fc.array(tie('near'), { maxLength: 3 }),
  ),
}))

describe('I4: whatever a policy service sends', () => {
  it('is a reply, nobody’s answer or a wrong one: nothing else comes out', () => {
    const headers = fc.dictionary(
      fc.constantFrom('content-type', 'x-request-id', 'age', 'content-encoding', 'retry-after'),
      fc.array(fc.oneof(fc.constantFrom('application/json', 'r1', '7', 'gzip'), fc.string()), { maxLength: 2 }),
    )
    const body = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => new TextEncoder().encode(text)),
    )
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), headers, body, (status, sent, bytes) => {
        const terms = { requestId: 'r1', echo: 'required', now: 0, hearsErrors: false } as const
        try {
          readReply({ status, headers: new Map(Object.entries(sent)), body: bytes }, terms)
          expect([status, sent['x-request-id']]).toEqual([200, ['r1']])
        } catch (cause) {
          expect(cause instanceof AbsentAnswer || cause instanceof WrongAnswer).toBe(true)
        }
      }),
    )
  })

  it('is a decision that the strict reader takes as it is, or a wrong answer', () => {
    fc.assert(
      fc.property(fc.constantFrom(...readers), near, (read, json) => {
        let decision: Decision
        try {
          decision = read(json)
        } catch (cause) {
          expect(cause).toBeInstanceOf(WrongAnswer)
          return
        }
        expect(readAnswer(decision)).toEqual(decision)
      }),
    )
  })

  it('permits only with a literal true at the one place that counts', () => {
    fc.assert(
      fc.property(near, (json) => {
        const permits = (read: (json: Json) => Decision): boolean => {
          try {
            return read(json).kind === 'permit'
          } catch {
            return false
          }
        }
        const member = (from: unknown, name: string): unknown =>
          typeof from === 'object' && from !== null ? (from as Record<string, unknown>)[name] : undefined
        const [authzen, opa] = readers.map(permits)
        if (authzen === true) expect(member(json, 'decision')).toBe(true)
        if (opa === true) {
          const result = member(json, 'result')
          expect(result === true || member(result, 'decision') === true).toBe(true)
        }
      }),
    )
  })
})
