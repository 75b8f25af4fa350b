import { type Context, isAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeRead } from '../../src/policy/encode.ts'
import { shapeOf } from '../../src/policy/shape.ts'
import type { Decision, JsonSchema, Materiality } from '../../src/types.ts'
import { decide, evaluationRequest, pointOf } from '../support/evaluation.ts'
import { type Facts, type Rule, referenceDecision } from '../support/reference-reader.ts'

const SCHEMA: JsonSchema = { type: 'object', properties: { amount: { type: 'number' } } }

const tier = fc.constantFrom<Materiality>('low', 'medium', 'high')
const role = fc.constantFrom('finance', 'legal')
const limit = fc.integer({ min: 0, max: 4 })
const condition: fc.Arbitrary<Rule['condition']> = fc.oneof(
  fc.constantFrom('always' as const, 'never' as const, 'errs' as const),
  limit.map((atMost) => ({ atMost })),
  limit.map((guardedAtMost) => ({ guardedAtMost })),
)
const scope = { role: fc.option(role, { nil: undefined }), tier: fc.option(tier, { nil: undefined }), condition }
const requires = fc.option(fc.constantFrom('confirmation', 'approval:finance', 'approval:legal'), { nil: undefined })
const rule: fc.Arbitrary<Rule> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ effect: fc.constant('permit' as const), requires, ...scope }) },
  { weight: 1, arbitrary: fc.record({ effect: fc.constant('forbid' as const), requires, ...scope }) },
) as fc.Arbitrary<Rule>
const facts: fc.Arbitrary<Facts> = fc.record({
  roles: fc.uniqueArray(role),
  materiality: tier,
  amount: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(1.5, 2.00001, 'two', undefined)),
  approval: fc.record({ confirmed: fc.boolean(), roles: fc.uniqueArray(role) }),
})

function cedarText(rules: readonly Rule[]): string {
  return rules
    .map((one, index) => {
      const annotations = [
        `@id("rule-${index}")`,
        ...(one.requires === undefined ? [] : [`@requires("${one.requires}")`]),
      ]
      const principal = one.role === undefined ? 'principal' : `principal in Role::"${one.role}"`
      const action = one.tier === undefined ? 'action' : `action in Action::"${one.tier}"`
      return `${annotations.join(' ')} ${one.effect} (${principal}, ${action}, resource) when { ${conditionText(one.condition)} }${liftText(one)};`
    })
    .join('\n')
}

function liftText({ effect, requires }: Rule): string {
  if (effect === 'permit' || requires === undefined) return ''
  const role = requires.replace('approval:', '')
  return ` unless { ${role === requires ? 'context.approval.confirmed' : `context.approval.roles.contains("${role}")`} }`
}

function conditionText(of: Rule['condition']): string {
  if (of === 'always') return 'true'
  if (of === 'never') return 'false'
  if (of === 'errs') return 'context.arguments.nowhere == 1'
  const atMost = (n: number): string => `context.arguments.amount.lessThanOrEqual(decimal("${n}.0"))`
  return 'atMost' in of ? atMost(of.atMost) : `context.arguments has amount && ${atMost(of.guardedAtMost)}`
}

function short(decision: Decision): string {
  if (decision.kind !== 'silence') return decision.kind
  const { cause } = decision
  if (cause.kind === 'requestable') return `ask ${cause.requires}`
  return cause.kind === 'wrong' ? cause.fault : cause.kind
}

/** 2.00001 has five places: Cedar cannot hold it, so to the reader it is as unreadable as text. */
function asRead(one: Facts): Facts {
  return one.amount === 2.00001 ? { ...one, amount: 'unreadable' } : one
}

describe('I4: only a literal permit runs', () => {
  it('decides what the reference reader decides, for any rules and any call', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 6 }), facts, (rules, call) => {
        const { amount, ...told } = call
        const arguments_ = { note: 'x', ...(amount === undefined ? {} : { amount }) }
        const decided = short(decide(cedarText(rules), { ...told, arguments: arguments_ }, SCHEMA))
        seen.set(decided, (seen.get(decided) ?? 0) + 1)
        expect(decided).toBe(referenceDecision(rules, asRead(call)))
      }),
      { numRuns: 300, seed: 20_261_121 },
    )
    // The run means nothing unless every kind of answer came up.
    for (const kind of ['permit', 'deny', 'no_permit', 'policy_error', 'ask confirmation', 'ask approval:finance']) {
      expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(0)
    }
  })
})

describe('I4: nobody is asked in vain', () => {
  // Rules that say no to a yes, or want two, are what makes a yes worthless.
  const awkward = fc.constantFrom(
    '@id("awkward") forbid (principal, action, resource) when { context.approval.confirmed };',
    '@id("awkward") @requires("confirmation") forbid (principal, action, resource) unless { context.approval.roles.contains("legal") };',
    '@id("awkward") permit (principal, action, resource) unless { context.approval.confirmed };',
    '@id("awkward") forbid (principal, action, resource) when { context.approval.confirmed && context.arguments.x > 1 };',
    '',
  )

  const waiting = fc.record({
    effect: fc.constantFrom<Rule['effect']>('permit', 'permit', 'forbid'),
    requires: fc.constantFrom('confirmation', 'approval:finance', 'approval:legal'),
    condition: fc.constant<Rule['condition']>('always'),
  })
  const mixed = fc.array(fc.oneof({ weight: 3, arbitrary: waiting }, { weight: 1, arbitrary: rule }), {
    minLength: 1,
    maxLength: 4,
  })

  it('a yes that is asked for makes the call a permit, whatever the rules are', () => {
    let asked = 0
    fc.assert(
      fc.property(mixed, awkward, facts, (rules, extra, call) => {
        const { amount, ...told } = call
        const given = { ...told, arguments: { note: 'x', ...(amount === undefined ? {} : { amount }) } }
        const text = `${cedarText(rules)}\n${extra}`
        const decided = short(decide(text, given, SCHEMA))
        if (!decided.startsWith('ask ')) return
        asked += 1
        const { confirmed, roles } = told.approval
        const approval =
          decided === 'ask confirmation'
            ? { confirmed: true, roles }
            : { confirmed, roles: [...roles, decided.replace('ask approval:', '')] }
        expect(short(decide(text, { ...given, approval }, SCHEMA)), text).toBe('permit')
      }),
      { numRuns: 400, seed: 20_261_121 },
    )
    // The run means nothing unless many were asked.
    expect(asked).toBeGreaterThan(30)
  })
})

describe('I7: the same request and policies give the same decision', () => {
  const reading = fc.constantFrom(
    'context.arguments.a == 1',
    'context.arguments has a.b',
    'context.arguments.a.b == "x"',
    'context.arguments == {}',
    'context has arguments',
    'context.arguments.list.contains("x")',
    'context.arguments["a"].list == ["x"]',
    '(if context.arguments has a then context.arguments else context.arguments).a == 1',
    '{ inner: context.arguments }.inner has a',
  )
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(1, 1.5, 'x', true, null),
      tie('object'),
      fc.array(tie('any'), { maxLength: 2 }),
    ),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'list', 'other'), tie('any'), { maxKeys: 4 }),
  })).object

  it('leaving out what no policy reads changes no answer of the engine', () => {
    fc.assert(
      fc.property(fc.array(reading, { minLength: 1, maxLength: 3 }), value, (conditions, input) => {
        const text = conditions
          .map((one, index) => `@id("rule-${index}") permit (principal, action, resource) when { ${one} };`)
          .join('\n')
        const decision = decide(text, { arguments: input as never })
        const whole = isAuthorized({
          principal: { type: 'User', id: 'alice' },
          action: { type: 'Action', id: 'shop/refund' },
          resource: { type: 'Server', id: 'shop' },
          context: { arguments: encodeRead(input as never, shapeOf(undefined), 'all') } as Context,
          entities: [],
          policies: {
            staticPolicies: Object.fromEntries(text.split('\n').map((one, index) => [`rule-${index}`, one])),
          },
        })
        if (whole.type !== 'success') throw new Error(JSON.stringify(whole.errors))
        expect(decision.errors).toEqual(whole.response.diagnostics.errors.map(({ policyId }) => policyId).sort())
        expect(decision.determining).toEqual([...whole.response.diagnostics.reason].sort())
      }),
      { numRuns: 200 },
    )
  })

  it('leaving out facts, roles and groups that no policy reads changes no answer either', () => {
    const surroundings = fc.constantFrom(
      'context.derived["/path"].ancestors.contains("/srv")',
      'context.derived["/path"] has ancestors',
      'context.derived["/amount"].amount.lessThan(decimal("3.0"))',
      'context.derived has "/to/0"',
      'context.lengths["/to"] == 2',
      'context.environment.region == "eu"',
      'context.session.here.after.lessThan(decimal("3.0"))',
      'context.session.calls["shop/refund"] == 1',
      'context.approval.roles.contains("legal")',
      'context has agent && context.agent == "support"',
      'principal in Role::"finance"',
      'principal in [Role::"legal", Role::"sales"]',
      'principal has tenant && principal.tenant == "acme"',
      'action in [Action::"low", Action::"surface-read"]',
      'principal is User in Role::"legal"',
    )
    const told = fc.record(
      {
        arguments: fc.record(
          {
            path: fc.constantFrom('/srv/a', '/etc/a', '../a'),
            amount: fc.constantFrom(1, 2.5, 9.00001),
            to: fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }),
          },
          { requiredKeys: [] },
        ),
        environment: fc.constantFrom({}, { region: 'eu' }),
        session: fc.constantFrom(
          { calls: {}, spent: {} },
          { calls: { 'shop/refund': 1 }, spent: { 'shop/refund': '1.0' } },
        ),
        approval: fc.constantFrom({ confirmed: false, roles: [] }, { confirmed: true, roles: ['legal'] }),
        roles: fc.uniqueArray(fc.constantFrom('finance', 'legal', 'sales', 'other')),
        materiality: tier,
        surface: fc.constantFrom('read' as const, 'financial' as const),
        agent: fc.constant('support'),
        tenant: fc.constantFrom('acme', 'other'),
      },
      { requiredKeys: ['approval', 'environment', 'session', 'materiality', 'roles', 'surface'] },
    )
    // Applies to nothing, and reads everything.
    const reader = `@id("reader") permit (principal, action, resource) when {
      false && (context == {} || principal.tenant == "" ||
      principal in [Role::"finance", Role::"legal", Role::"sales", Role::"other"] ||
      action in [Action::"low", Action::"medium", Action::"high", Action::"surface-read", Action::"surface-financial"]) };`
    fc.assert(
      fc.property(
        fc.array(fc.tuple(surroundings, fc.boolean()), { minLength: 1, maxLength: 3 }),
        told,
        (rules, call) => {
          const text = rules
            .map(
              ([one, permits], n) =>
                `@id("r${n}") ${permits ? 'permit' : 'forbid'} (principal, action, resource) when { ${one} };`,
            )
            .join('\n')
          expect(decide(text, call)).toEqual(decide(`${text}\n${reader}`, call))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('gives a set one digest, whatever the order of its files and policies', () => {
    const one = '@id("a") permit (principal, action, resource);'
    const other = '@id("b") forbid (principal, action, resource);'
    expect(pointOf(`${one}\n${other}`).policyDigest).toBe(pointOf(`${other}\n\n// a comment\n${one}`).policyDigest)
    expect(pointOf(one).policyDigest).not.toBe(pointOf(one.replace('"a"', '"c"')).policyDigest)
  })
})

it('builds the same request for a test as for a gate', () => {
  expect(evaluationRequest({ arguments: { to: ['a', 'a'] } }).context.lengths).toEqual({ '/to': 2 })
})
