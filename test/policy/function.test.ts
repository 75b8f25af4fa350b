import { describe, expect, it } from 'vitest'
import { ask } from '../../src/decide/deadline.ts'
import { createFunctionPoint } from '../../src/policy/function.ts'
import type { ApprovalFacts, Decision } from '../../src/types.ts'
import { evaluationRequest } from '../support/evaluation.ts'

const clock = { now: () => 0, monotonic: () => 0 }

async function decideBy(answer: unknown, approval?: ApprovalFacts): Promise<Decision> {
  const point = createFunctionPoint(() => answer, { id: 'mine' })
  const request = evaluationRequest(approval === undefined ? {} : { approval })
  return await ask(point, request, { budgetMs: 1_000, clock, signal: undefined, schema: undefined })
}

describe('a plain function as policy', () => {
  it('permits and denies by a word, and denies with a sentence', async () => {
    expect(await decideBy('permit')).toEqual({ kind: 'permit', obligations: [], determining: ['mine'], errors: [] })
    expect(await decideBy('deny')).toEqual({ kind: 'deny', determining: ['mine'], errors: [] })
    expect(await decideBy({ deny: 'Not now.' })).toMatchObject({ kind: 'deny', sentence: 'Not now.' })
  })

  it('answers later just as well', async () => {
    expect(await decideBy(Promise.resolve('permit'))).toMatchObject({ kind: 'permit' })
    expect(await decideBy(Promise.resolve({ deny: 'No.' }))).toMatchObject({ kind: 'deny', sentence: 'No.' })
  })

  it('asks for a yes, and permits once that very yes is there', async () => {
    const confirm = { ask: 'confirmation', say: 'Sure?' }
    expect(await decideBy(confirm)).toMatchObject({
      cause: { kind: 'requestable', requires: 'confirmation' },
      sentence: 'Sure?',
    })
    expect(await decideBy(confirm, { confirmed: true, roles: [] })).toMatchObject({ kind: 'permit' })
    expect(await decideBy({ ask: 'finance' })).toMatchObject({ cause: { requires: 'approval:finance' } })
    expect(await decideBy({ ask: 'finance' }, { confirmed: true, roles: ['legal'] })).toMatchObject({ kind: 'silence' })
    expect(await decideBy({ ask: 'finance' }, { confirmed: false, roles: ['finance'] })).toMatchObject({
      kind: 'permit',
    })
  })

  it.each<[string, unknown]>([
    ['true', true],
    ['nothing', undefined],
    ['another word', 'PERMIT'],
    ['an empty object', {}],
    ['allow: true', { allow: true }],
    ['a deny that is no sentence', { deny: true }],
    ['a deny with more', { deny: 'No.', permit: true }],
    ['a role that is none', { ask: 'a b' }],
    ['an ask with more', { ask: 'finance', permit: true }],
    // biome-ignore lint/suspicious/noThenProperty: the forgery is the point
    ['something that only pretends to be a promise', { then: (resolve: (value: string) => void) => resolve('permit') }],
    [
      'a getter',
      {
        get deny() {
          return 'No.'
        },
      },
    ],
    ['an array', ['permit']],
    ['a boxed word', new String('permit')],
    ['a promise of true', Promise.resolve(true)],
  ])('I4: takes %s for no answer at all', async (_, answer) => {
    expect(await decideBy(answer)).toMatchObject({ kind: 'silence', cause: { kind: 'wrong' } })
  })

  it('says that its decisions cannot be re-derived, and has a digest of its text', () => {
    const one = createFunctionPoint(() => 'permit')
    const other = createFunctionPoint(() => 'deny')
    expect(one).toMatchObject({ id: 'function', rederivable: false })
    expect(one.policyDigest).not.toBe(other.policyDigest)
  })
})
