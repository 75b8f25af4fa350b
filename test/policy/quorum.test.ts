import { describe, expect, it } from 'vitest'
import { readAnswer } from '../../src/decide/answer.ts'
import { joined } from '../../src/decide/join.ts'
import { createGate } from '../../src/index.ts'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import { createMemoryStore, generateSigner } from '../../src/testing.ts'
import type { Decision } from '../../src/types.ts'
import { askedBy, asksFinance, refundOf, shop } from '../support/refunds.ts'

const load = (text: string) => createCedarPoint([{ path: 'test.cedar', text }])
const permit = 'permit (principal, action, resource);'
const asking = (requires: string, quorum?: number): Decision => ({
  kind: 'silence',
  cause: { kind: 'requestable', requires, ...(quorum === undefined ? {} : { quorum }) },
  determining: [],
  errors: [],
})

describe('how many persons a policy wants', () => {
  it.each([
    ['@id("a") @quorum("2")', 'belongs beside @requires'],
    ['@id("a") @requires("confirmation") @quorum("2")', 'belongs beside @requires'],
    ...['0', '17', '-1', '1.5', 'two', '', ' 2', '0x2'].map((persons) => [
      `@id("a") @requires("approval:finance") @quorum("${persons}")`,
      'must be a number of persons from 1 to 16',
    ]),
  ])('is refused where it is none: %s', (annotations, message) => {
    expect(() => load(`${annotations} ${permit}`)).toThrow(message)
  })

  it('is one unless said, and stands in the request', async () => {
    expect((await askedBy(shop().alice)).quorum).toBe(1)
    const request = await askedBy(shop({ quorum: 3 }).alice)
    expect(request.quorum).toBe(3)
    expect(request.question).toContain('yeses of 3 persons of finance are asked for')
  })

  it('is the most that any rule wants which must be satisfied, and asked once', async () => {
    const forbid = (id: string, quorum: number) =>
      `@id("${id}") @requires("approval:finance") @quorum("${quorum}")
       forbid (principal, action, resource) unless { context.approval.roles.contains("finance") };`
    const all = '@id("all") permit (principal, action, resource);'
    expect((await askedBy(shop({ policy: all + forbid('a', 2) + forbid('b', 3) }).alice)).quorum).toBe(3)
    expect((await askedBy(shop({ policy: asksFinance(3) + forbid('a', 2) }).alice)).quorum).toBe(3)
    expect((await askedBy(shop({ policy: asksFinance(2) + forbid('a', 3) }).alice)).quorum).toBe(3)
  })

  it('is the least of the permits, each of which is enough', async () => {
    const dearer = asksFinance(4).replace('"small"', '"s"').replace('"large"', '"a"')
    expect((await askedBy(shop({ policy: asksFinance(2) + dearer }).alice)).quorum).toBe(2)
  })

  it('is the most of several policy points, which must all permit', () => {
    const points = [asking('approval:finance', 2), asking('approval:finance', 3), asking('approval:finance')]
    expect(joined(points)).toMatchObject({ cause: { requires: 'approval:finance', quorum: 3 } })
    expect(joined([asking('confirmation'), asking('approval:finance', 3)])).toMatchObject({
      cause: { kind: 'requestable' },
    })
  })

  it('is read strictly from a policy point', () => {
    expect(readAnswer(asking('approval:finance', 2))).toEqual(asking('approval:finance', 2))
    for (const quorum of [0, 17, 1.5, '2', null])
      expect(readAnswer(asking('approval:finance', quorum as never))).toMatchObject({ cause: { fault: 'malformed' } })
    expect(readAnswer(asking('confirmation', 2))).toMatchObject({ cause: { fault: 'malformed' } })
  })

  it('can be said in the short form, and by a function', async () => {
    const gate = createGate({
      config: false,
      server: 'shop',
      tools: { refund: { permit: { amount: { max: 500 } }, otherwise: { ask: 'finance', quorum: 2 } } },
      effects: { store: createMemoryStore(), signer: generateSigner() },
    })
    gate.register([{ name: 'refund', origin: 'own' }])
    expect((await askedBy(gate.as({ user: 'alice' }), refundOf())).quorum).toBe(2)
    expect((await askedBy(shop({ policy: () => ({ ask: 'finance', quorum: 2 }) }).alice)).quorum).toBe(2)
    expect(() =>
      createGate({ config: false, tools: { refund: { otherwise: { ask: 'confirmation', quorum: 2 } } } }),
    ).toThrow(/how many persons of a role/)
  })
})
