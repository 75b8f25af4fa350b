import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import { loadPolicies } from '../../src/policy/load.ts'
import { withShortForm } from '../../src/policy/short-form.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { ShortCondition, ShortOtherwise, ShortRule } from '../../src/types.ts'
import { said } from '../support/approvals.ts'
import { decide, evaluationRequest } from '../support/evaluation.ts'

const ASK = { path: 'ask/v1', text: readFileSync(new URL('../../policies/ask.cedar', import.meta.url), 'utf8') }

type Said = Omit<ShortCondition, 'path' | 'at'> & { readonly path?: readonly string[] }

/** A rule on `shop/refund`, as the configuration hands it over. */
function rule(conditions: readonly Said[], otherwise: Omit<ShortOtherwise, 'at'> = {}): ShortRule {
  const placed = conditions.map((condition, index) => ({
    path: ['amount'],
    at: `holdpoint.yaml:${6 + index}:7`,
    ...condition,
  }))
  const left = { at: 'holdpoint.yaml:9:5', ...otherwise }
  return {
    name: 'refund',
    tool: 'shop/refund',
    at: 'holdpoint.yaml:3:3',
    says: { kind: 'permit-when', conditions: placed, otherwise: left },
  }
}

const DENY: ShortRule = { name: 'wipe', tool: 'shop/wipe', at: 'holdpoint.yaml:11:3', says: { kind: 'deny' } }

/** A point of the default policy and these rules. */
function pointWith(...rules: readonly ShortRule[]) {
  return createCedarPoint(withShortForm([ASK], rules))
}

function textOf(...rules: readonly ShortRule[]): string {
  return withShortForm([], rules)[0]?.text ?? ''
}

const YES = { confirmed: true, roles: [] }
const FINANCE = { confirmed: false, roles: ['finance'] }

describe('a rule in the short form', () => {
  it('becomes Cedar that a person could have written', () => {
    const full = rule([{ max: 500 }, { path: ['currency'], oneOf: ['EUR', 'USD'] }], {
      ask: 'finance',
      say: 'Refunds above 500 EUR need approval from finance.',
    })
    expect(textOf(full, DENY)).toBe(`@id("yaml/refund/permit")
permit (principal, action == Action::"shop/refund", resource)
when
{
  context.derived has "/amount" &&
  context.derived["/amount"] has amount &&
  context.derived["/amount"].amount.lessThanOrEqual(decimal("500.0")) &&
  context.arguments has currency &&
  ["EUR", "USD"].contains(context.arguments.currency)
};

@id("yaml/refund/asked")
@requires("approval:finance")
@refusal("Refunds above 500 EUR need approval from finance.")
permit (principal, action == Action::"shop/refund", resource);

@id("yaml/refund/otherwise")
@requires("approval:finance")
@refusal("Refunds above 500 EUR need approval from finance.")
forbid (principal, action == Action::"shop/refund", resource)
unless
{
  context.derived has "/amount" &&
  context.derived["/amount"] has amount &&
  context.derived["/amount"].amount.lessThanOrEqual(decimal("500.0")) &&
  context.arguments has currency &&
  ["EUR", "USD"].contains(context.arguments.currency)
}
unless { context.approval.roles.contains("finance") };

@id("yaml/wipe/deny")
forbid (principal, action == Action::"shop/wipe", resource);
`)
  })

  it('has the place in the configuration as the place of its policies', () => {
    const { policies } = loadPolicies(withShortForm([], [rule([{ max: 5 }], { ask: 'finance' }), DENY]))
    expect(policies.map(({ id, at }) => [id, at])).toEqual([
      ['yaml/refund/asked', 'holdpoint.yaml:9'],
      ['yaml/refund/otherwise', 'holdpoint.yaml:9'],
      ['yaml/refund/permit', 'holdpoint.yaml:3'],
      ['yaml/wipe/deny', 'holdpoint.yaml:11'],
    ])
  })

  it('changes the policy digest, which is known before any tool is registered', () => {
    const digest = pointWith(rule([{ max: 500 }])).policyDigest
    expect(pointWith(rule([{ max: 500 }])).policyDigest).toBe(digest)
    expect(pointWith(rule([{ max: 501 }])).policyDigest).not.toBe(digest)
    expect(createCedarPoint([ASK]).policyDigest).not.toBe(digest)
  })

  it('names its line when a file holds a policy of the same id', () => {
    const file = { path: 'mine.cedar', text: '@id("yaml/wipe/deny") forbid (principal, action, resource);' }
    expect(() => createCedarPoint(withShortForm([file], [DENY]))).toThrow(
      /^holdpoint\.yaml:11:3: @id\("yaml\/wipe\/deny"\) is taken by the policy at mine\.cedar:1/,
    )
  })

  it('has ids of a usable length and apart from one another, however long the names of its tools', () => {
    const long = ['x', 'y'].map((last) => ({
      ...DENY,
      name: 'a'.repeat(160) + last,
      tool: `shop/${'a'.repeat(100)}${last}`,
    }))
    expect(loadPolicies(withShortForm([], long)).policies).toHaveLength(2)
  })

  it('writes texts that reach for the syntax as plain texts', () => {
    const hostile = '"]) || true; //\\ \n\u202e'
    const point = pointWith(rule([{ path: ['has'], oneOf: [hostile] }]))
    expect(decide(point, { arguments: { has: hostile } }).kind).toBe('permit')
    expect(decide(point, { arguments: { has: 'x' } }).kind).toBe('deny')
  })
})

describe('what the words permit', () => {
  it.each<[string, Said, readonly unknown[], readonly unknown[]]>([
    [
      'max',
      { max: 500 },
      [500, 499.9999, 0, -1, '500.00'],
      [500.0001, 501, 1e21, 0.00001, '501', '5e2', null, [1], true],
    ],
    ['min', { min: 5 }, [5, 5.5], [4.9999, -5, '4']],
    ['min and max', { min: 1, max: 2 }, [1, 2], [0, 3]],
    ['oneOf of numbers', { oneOf: [5, 7.5] }, [5, 7.5], [6, 'five']],
  ])('%s', (_, said, inside, outside) => {
    const point = pointWith(rule([said]))
    for (const amount of inside)
      expect([amount, decide(point, { arguments: { amount } as never }).kind]).toEqual([amount, 'permit'])
    for (const amount of outside)
      expect([amount, decide(point, { arguments: { amount } as never }).kind]).toEqual([amount, 'deny'])
    expect(decide(point, { arguments: {} }).kind).toBe('deny')
  })

  it('a limit holds for any number, whatever it is called and however the schema types it', () => {
    const point = pointWith(rule([{ path: ['page_size'], max: 10 }]))
    for (const type of ['integer', 'number', undefined]) {
      const schema = type === undefined ? undefined : { type: 'object', properties: { page_size: { type } } }
      expect(decide(point, { arguments: { page_size: 10 } }, schema).kind).toBe('permit')
      expect(decide(point, { arguments: { page_size: 11 } }, schema).kind).toBe('deny')
    }
  })

  it.each<[string, Said, readonly unknown[], readonly unknown[]]>([
    ['oneOf of texts', { path: ['a'], oneOf: ['x', 'y'] }, ['x', 'y'], ['z', 'X', '', 1, ['x'], null]],
    ['oneOf of booleans', { path: ['a'], oneOf: [true] }, [true], [false, 'true', 1]],
    [
      'under',
      { path: ['path'], under: ['/srv/reports'] },
      ['/srv/reports', '/srv/reports/a', '/srv/x/../reports/a'],
      ['/srv/reports-old/a', '/srv/reports/../../etc/passwd', 'reports/a', '/srv/reports/%2e%2e/x', 5],
    ],
    ['under one of two', { path: ['path'], under: ['/a', '/b'] }, ['/a/x', '/b'], ['/c', '/ab']],
    [
      'host',
      { path: ['url'], host: ['example.com'] },
      ['https://example.com/x', 'https://a.example.com', 'HTTPS://EXAMPLE.COM.'],
      [
        'https://example.com.evil.io',
        'https://evil.io/example.com',
        'https://example.com@evil.io',
        'https://notexample.com',
        '//example.com',
      ],
    ],
    [
      'host of a mail address',
      { path: ['to'], host: ['example.com'] },
      ['a@example.com'],
      ['a@evil.com', 'a@example.com, b@evil.com', ['a@example.com']],
    ],
  ])('%s', (_, said, inside, outside) => {
    const point = pointWith(rule([said]))
    const name = said.path?.[0] ?? ''
    for (const value of inside)
      expect([value, decide(point, { arguments: { [name]: value } as never }).kind]).toEqual([value, 'permit'])
    for (const value of outside)
      expect([value, decide(point, { arguments: { [name]: value } as never }).kind]).toEqual([value, 'deny'])
  })

  it('reaches into records', () => {
    const point = pointWith(rule([{ path: ['payee', 'country code'], oneOf: ['CH'] }]))
    expect(decide(point, { arguments: { payee: { 'country code': 'CH' } } }).kind).toBe('permit')
    expect(decide(point, { arguments: { payee: { country: 'CH' } } }).kind).toBe('deny')
    expect(decide(point, { arguments: { payee: 'CH' } }).kind).not.toBe('permit')
  })
})

describe('calls outside of a rule', () => {
  const inside = { arguments: { amount: 500 } }
  const outside = { arguments: { amount: 900 } }

  it('are refused, whatever the default policy would let a person confirm', () => {
    const point = pointWith(rule([{ max: 500 }]))
    expect(decide(point, inside)).toMatchObject({ kind: 'permit', determining: ['yaml/refund/permit'] })
    for (const approval of [undefined, YES, FINANCE]) {
      expect(decide(point, { ...outside, ...(approval && { approval }) }).kind).toBe('deny')
    }
  })

  it('are refused although the tool is one that the default policy lets run', () => {
    expect(decide(pointWith(rule([{ max: 500 }])), { ...outside, materiality: 'low', surface: 'read' }).kind).toBe(
      'deny',
    )
  })

  it('ask whom the rule says, with its sentence: a confirmation is no approval', () => {
    const point = pointWith(rule([{ max: 500 }], { ask: 'finance', say: 'Ask finance.' }))
    const asks = {
      kind: 'silence',
      cause: { kind: 'requestable', requires: 'approval:finance' },
      sentence: 'Ask finance.',
    }
    expect(decide(point, outside)).toMatchObject(asks)
    expect(decide(point, { ...outside, materiality: 'low' })).toMatchObject(asks)
    expect(decide(point, { ...outside, approval: YES })).toMatchObject(asks)
    expect(decide(point, { ...outside, approval: FINANCE })).toMatchObject({
      kind: 'permit',
      determining: ['yaml/refund/asked'],
    })
  })

  it('ask the principal, where the rule says so, and run once confirmed', () => {
    const point = pointWith(rule([{ max: 500 }], { ask: 'confirmation' }))
    expect(decide(point, outside)).toMatchObject({ cause: { kind: 'requestable', requires: 'confirmation' } })
    expect(decide(point, { ...outside, approval: YES }).kind).toBe('permit')
    expect(decide(point, inside).kind).toBe('permit')
  })

  it('are told what would run without asking', () => {
    const point = pointWith(rule([{ max: 500 }, { path: ['currency'], oneOf: ['EUR'] }], { ask: 'finance' }))
    const { constraints } = point.explain(evaluationRequest({ arguments: { amount: 900, currency: 'XMR' } }), undefined)
    expect(constraints).toMatchObject([
      { path: '/amount', requires: 'at most 500', actual: '900' },
      { path: '/currency', requires: 'one of "EUR"', actual: 'XMR' },
    ])
  })

  it('are all calls where nothing is permitted', () => {
    const point = pointWith(rule([], { ask: 'finance' }))
    expect(decide(point, inside)).toMatchObject({ cause: { requires: 'approval:finance' } })
    expect(decide(point, { ...inside, approval: FINANCE }).kind).toBe('permit')
  })

  it('are none where every call is permitted', () => {
    const always: ShortRule = { ...rule([]), says: { kind: 'permit' } }
    expect(decide(pointWith(always), outside)).toMatchObject({ kind: 'permit', determining: ['yaml/refund/permit'] })
  })

  it('stay refused by a forbid of a file, though a person said yes', () => {
    const file = { path: 'mine.cedar', text: '@id("stop") forbid (principal, action, resource);' }
    const point = createCedarPoint(withShortForm([ASK, file], [rule([{ max: 500 }], { ask: 'finance' })]))
    expect(decide(point, outside)).toMatchObject({ kind: 'deny', determining: ['stop'] })
    expect(decide(point, { ...outside, approval: FINANCE }).kind).toBe('deny')
  })

  it('of a tool that is denied never run', () => {
    for (const approval of [YES, FINANCE]) {
      expect(decide(pointWith(DENY), { tool: 'shop/wipe', materiality: 'low', approval }).kind).toBe('deny')
    }
    expect(decide(pointWith(DENY), { tool: 'shop/other', materiality: 'low' }).kind).toBe('permit')
  })
})

describe('a gate', () => {
  it('runs what the short form permits, asks for the rest, and runs that once the very yes is there', async () => {
    const gate = createGate({
      config: false,
      server: 'shop',
      tools: {
        refund: {
          materiality: 'low',
          permit: { amount: { max: 500 } },
          otherwise: { ask: 'confirmation', say: 'Sure?' },
        },
        pay: { permit: { amount: { max: 500 } }, otherwise: { ask: 'finance' } },
        wipe: 'deny',
      },
      effects: { store: createMemoryStore(), signer: generateSigner() },
    })
    const inputSchema = { type: 'object', properties: { amount: { type: 'integer' } } }
    const tools = ['refund', 'pay', 'wipe'].map((name) => ({ name, origin: 'own' as const, inputSchema }))
    expect(gate.register(tools)).toEqual([])
    const me = gate.as({ user: 'ada' })
    const admit = async (tool: string, amount: number) => await me.admit({ tool, input: { amount } }, { wait: false })

    expect((await admit('refund', 500)).outcome).toBe('permitted')
    const large = await admit('refund', 900)
    if (large.outcome !== 'refused') throw new Error('it ran')
    expect(large.refusal).toMatchObject({ code: 'approval_required', message: 'Sure?' })
    expect(large.refusal.constraints).toMatchObject([{ path: '/amount', requires: 'at most 500', actual: '900' }])
    expect(said(await me.answer(large.request?.ref ?? '', 'approved', { channel: 'terminal' }))).toBe('recorded')
    expect((await admit('refund', 900)).outcome).toBe('permitted')
    expect((await admit('refund', 901)).outcome).toBe('refused')

    const asked = await admit('pay', 900)
    if (asked.outcome !== 'refused') throw new Error('it ran')
    expect(said(await me.answer(asked.request?.ref ?? '', 'approved', { channel: 'terminal' }))).not.toBe('recorded')
    expect((await admit('pay', 900)).outcome).toBe('refused')
    expect(await admit('wipe', 1)).toMatchObject({ refusal: { code: 'denied_by_policy' } })
    await gate.close()
  })

  it('refuses to take both the short form and a policy in code, since one of them would go unasked', () => {
    expect(() => createGate({ config: false, tools: { wipe: 'deny' }, policy: () => 'permit' })).toThrow(
      /"tools\.wipe" holds a policy, and so does "policy" in code/,
    )
  })
})
