import { describe, expect, it } from 'vitest'
import { createFunctionPoint } from '../../src/policy/function.ts'
import { type PolicyRules, policy } from '../../src/policy/typed.ts'
import { testGate } from '../../src/testing.ts'
import { decide, type Told } from '../support/evaluation.ts'

interface Tools {
  readonly refund: { readonly inputSchema: { readonly _type: { readonly amount: number } } }
  readonly 'a/b': object
}

const RULES: PolicyRules<Tools> = {
  refund: ({ args, principal }) =>
    args.amount <= 500 || principal.roles.includes('finance') ? 'permit' : { ask: 'confirmation', say: 'Sure?' },
  'files/read': () => 'permit',
}

function kind(told: Told, others?: Parameters<typeof policy>[1]): string {
  const point = createFunctionPoint(policy<Tools>(RULES, others), { server: 'shop' })
  const decision = decide(point, told)
  return decision.kind === 'silence' ? decision.cause.kind : decision.kind
}

describe('a typed policy', () => {
  it('decides by the rule of the tool, with its arguments and its principal', () => {
    expect(kind({ arguments: { amount: 500 } })).toBe('permit')
    expect(kind({ arguments: { amount: 501 } })).toBe('requestable')
    expect(kind({ arguments: { amount: 501 }, approval: { confirmed: true, roles: [] } })).toBe('permit')
    expect(kind({ arguments: { amount: 501 }, roles: ['finance'] })).toBe('permit')
  })

  it('permits no tool without a rule, and none whose name only an object would know', () => {
    for (const tool of ['shop/wipe', 'shop/constructor', 'shop/__proto__', 'shop/toString']) {
      expect(kind({ tool })).toBe('no_permit')
    }
    expect(kind({ tool: 'shop/wipe' }, () => 'deny')).toBe('deny')
  })

  it('does not take the tool of another server for its own of the same name', () => {
    expect(kind({ tool: 'evil/refund', arguments: { amount: 1 } })).toBe('no_permit')
    expect(kind({ tool: 'shop/read' })).toBe('no_permit')
    expect(kind({ tool: 'files/read' })).toBe('permit')
  })

  it('refuses what a rule throws, and what is no answer', async () => {
    for (const rule of [
      () => {
        throw new Error('oops')
      },
      () => undefined,
      () => Promise.reject(new Error('later')),
      () => true,
    ]) {
      const gate = testGate({ policy: policy<Tools>({ refund: rule as never }), server: 'shop' })
      gate.register([{ name: 'refund', origin: 'own' }])
      const admission = await gate.as({ user: 'ada' }).admit({ tool: 'refund', input: { amount: 1 } })
      expect(admission.outcome).toBe('refused')
      await gate.close()
    }
  })

  it('runs behind a gate under that gate’s own name of the server', async () => {
    const gate = testGate({ policy: policy<Tools>(RULES), server: 'shop' })
    gate.register([{ name: 'refund', origin: 'own' }])
    const me = gate.as({ user: 'ada' })
    expect((await me.admit({ tool: 'refund', input: { amount: 5 } })).outcome).toBe('permitted')
    expect((await me.admit({ tool: 'refund', input: { amount: 900 } })).outcome).toBe('refused')
    await gate.close()
  })

  it('has a digest that follows its rules', () => {
    const digest = (rules: PolicyRules<Tools>, others?: Parameters<typeof policy>[1]): string =>
      createFunctionPoint(policy<Tools>(rules, others)).policyDigest
    expect(digest(RULES)).toBe(digest({ ...RULES }))
    expect(digest(RULES)).not.toBe(digest({ refund: () => 'permit' }))
    expect(digest(RULES)).not.toBe(digest(RULES, () => 'deny'))
  })

  it('says which rule is no function', () => {
    expect(() => policy<Tools>({ refund: 'permit' as never })).toThrow(
      /the rule for "refund" must be a function, not string/,
    )
  })
})
