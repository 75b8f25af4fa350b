import { describe, expect, it } from 'vitest'
import type { Constraint, JsonSchema } from '../../src/types.ts'
import { evaluationRequest, pointOf, type Told } from '../support/evaluation.ts'

const SCHEMA: JsonSchema = { type: 'object', properties: { amount: { type: 'number' }, pieces: { type: 'integer' } } }

function explain(policies: string, told: Told) {
  return pointOf(policies).explain(evaluationRequest(told), SCHEMA)
}

/** Constraints without their policy: `/amount at most 500 (900)`. */
function constraints(policies: string, told: Told): readonly string[] {
  return explain(policies, told).constraints.map(
    ({ path, requires, actual }: Constraint) => `${path} ${requires} (${actual})`,
  )
}

const permitWhen = (condition: string): string => `@id("p") permit (principal, action, resource) when { ${condition} };`
const forbidWhen = (condition: string): string => `@id("f") forbid (principal, action, resource) when { ${condition} };`
const forbidUnless = (condition: string): string =>
  `@id("f") forbid (principal, action, resource) unless { ${condition} };`

describe('what an argument would have to be', () => {
  it.each<[string, string, Told['arguments'], readonly string[]]>([
    [
      'a cap',
      permitWhen('context.arguments.amount.lessThanOrEqual(decimal("500.0"))'),
      { amount: 900 },
      ['/amount at most 500 (900)'],
    ],
    [
      'a cap the other way round',
      permitWhen('decimal("500.0").greaterThan(context.arguments.amount)'),
      { amount: 900 },
      ['/amount less than 500 (900)'],
    ],
    ['a whole number', permitWhen('context.arguments.pieces < 3'), { pieces: 3 }, ['/pieces less than 3 (3)']],
    ['an equality', permitWhen('context.arguments.to == "bob"'), { to: 'eve' }, ['/to exactly "bob" (eve)']],
    [
      'one of a list',
      permitWhen('["EUR", "USD"].contains(context.arguments.currency)'),
      { currency: 'XMR' },
      ['/currency one of "EUR", "USD" (XMR)'],
    ],
    [
      'only some of a list',
      permitWhen('["a", "b"].containsAll(context.arguments.to)'),
      { to: ['a', 'c'] },
      ['/to only "a", "b" (["a","c"])'],
    ],
    [
      'a pattern',
      permitWhen('context.arguments.mail like "*@example.com"'),
      { mail: 'a@evil.test' },
      ['/mail like "*@example.com" (a@evil.test)'],
    ],
    ['a switch', permitWhen('context.arguments.dry_run'), { dry_run: false }, ['/dry_run true (false)']],
    ['something that is missing', permitWhen('context.arguments has note'), {}, ['/note given (nothing)']],
    [
      'a folder',
      permitWhen('context.derived["/path"].ancestors.contains("/srv")'),
      { path: '/etc/passwd' },
      ['/path inside "/srv" (/etc/passwd)'],
    ],
    [
      'a domain',
      permitWhen('context.derived["/url"].domains.contains("example.com")'),
      { url: 'https://evil.test/' },
      ['/url at or below "example.com" (https://evil.test/)'],
    ],
    ['a size', permitWhen('context.derived["/text"].bytes <= 3'), { text: 'äöü' }, ['/text at most 3 bytes (6 bytes)']],
    ['a count', permitWhen('context.lengths["/to"] <= 1'), { to: ['a', 'a'] }, ['/to at most 1 item (2 items)']],
    [
      'a nested argument',
      permitWhen('context.arguments.payee.iban like "DE*"'),
      { payee: { iban: 'FR1' } },
      ['/payee/iban like "DE*" (FR1)'],
    ],
    [
      'what a forbid forbids',
      forbidWhen('context.arguments.amount.greaterThan(decimal("500.0"))'),
      { amount: 900 },
      ['/amount at most 500 (900)'],
    ],
    [
      'what a guarded forbid forbids',
      forbidWhen('context.arguments has amount && context.arguments.amount.greaterThan(decimal("500.0"))'),
      { amount: 900 },
      ['/amount at most 500 (900)'],
    ],
    [
      'what a forbid demands',
      forbidUnless('context.arguments has to && context.arguments.to == "bob"'),
      { to: 'eve' },
      ['/to exactly "bob" (eve)'],
    ],
    [
      'every conjunct that failed',
      permitWhen('context.arguments.pieces < 3 && context.arguments.to == "bob"'),
      { pieces: 5, to: 'eve' },
      ['/pieces less than 3 (5)', '/to exactly "bob" (eve)'],
    ],
    [
      'any of several ways out',
      permitWhen('context.arguments.to == "bob" || context.arguments.to == "ann"'),
      { to: 'eve' },
      ['/to exactly "bob", or exactly "ann" (eve)'],
    ],
    [
      'a value that the rule could not read',
      forbidWhen('context.arguments.amount.greaterThan(decimal("5.0"))'),
      { amount: 1.00001 },
      ['/amount at most 5 (1.00001)'],
    ],
  ])('%s', (_, policies, input, expected) => {
    expect(constraints(policies, { arguments: input ?? null })).toEqual(expected)
  })

  it('says nothing of conditions behind the one that settled the matter', () => {
    const guarded = permitWhen('context.arguments has amount && context.arguments.amount.lessThan(decimal("5.0"))')
    expect(constraints(guarded, { arguments: {} })).toEqual(['/amount given (nothing)'])
  })

  it('says nothing of a permit for another tool', () => {
    const other =
      '@id("p") permit (principal, action == Action::"shop/other", resource) when { context.arguments.pieces < 3 };'
    expect(constraints(other, { arguments: { pieces: 5 } })).toEqual([])
  })

  it('names what stands in the way first: while a forbid applies, no permit helps', () => {
    const both = `${permitWhen('context.arguments.pieces < 3')} ${forbidWhen('context.arguments.to == "eve"')}`
    expect(constraints(both, { arguments: { pieces: 5, to: 'eve' } })).toEqual(['/to anything but "eve" (eve)'])
  })
})

describe('a forbid that a yes would lift', () => {
  const asked = `@id("asked") @requires("confirmation") forbid (principal, action, resource)
    when { context.arguments.amount.greaterThan(decimal("10.0")) } unless { context.approval.confirmed };`
  const small = permitWhen('context.arguments.amount.lessThan(decimal("5.0"))')

  it('names what would permit the call, where nothing does behind it', () => {
    expect(constraints(`${asked} ${small}`, { arguments: { amount: 20 } })).toEqual(['/amount less than 5 (20)'])
  })

  it('names its own limit, where a permit stands behind it', () => {
    const any = '@id("any") permit (principal, action, resource);'
    expect(constraints(`${asked} ${any}`, { arguments: { amount: 20 } })).toEqual(['/amount at most 10 (20)'])
  })
})

describe('what stays out of a refusal', () => {
  const hidden = permitWhen(
    'principal in Role::"secret-role" && context.environment.region == "eu" && context.session.here.calls < 1 && context.arguments.pieces < 3',
  )
  const told: Told = {
    arguments: { pieces: 5 },
    environment: { region: 'us' },
    session: { calls: { 'shop/refund': 4 }, spent: {} },
  }

  it('I9: conditions on principal, session and environment, which the person sees in full', () => {
    expect(constraints(hidden, told)).toEqual(['/pieces less than 3 (5)'])
    const [policy] = explain(hidden, told).policies
    expect(policy?.conditions).toEqual([
      { text: 'when principal in Role::"secret-role"', holds: false, requires: 'in Role "secret-role"' },
      { text: 'when context.environment.region == "eu"', holds: false, requires: 'exactly "eu"' },
      { text: 'when context.session.here.calls < 1', holds: false, requires: 'less than 1' },
      {
        text: 'when context.arguments.pieces < 3',
        holds: false,
        path: '/pieces',
        requires: 'less than 3',
        actual: '5',
      },
    ])
  })

  it("I9: the environment's own value, also where an argument is compared with it", () => {
    const root = permitWhen('context.derived["/path"].ancestors.contains(context.environment.root)')
    const found = explain(root, { arguments: { path: '/etc' }, environment: { root: '/home/hidden' } })
    expect(JSON.stringify(found)).not.toContain('hidden')
    expect(found.constraints[0]?.requires).toBe('inside context.environment.root')
  })

  it('I9: the value, for a rule that discloses it to people only, or to nobody', () => {
    const rule = (who: string): string =>
      permitWhen('context.arguments.pieces < 3').replace('permit', `@disclose("${who}") permit`)
    const shown = (who: string) => {
      const { constraints, policies } = explain(rule(who), { arguments: { pieces: 5 } })
      return [constraints[0]?.actual, policies[0]?.conditions[0]?.actual]
    }
    expect(shown('model')).toEqual(['5', '5'])
    expect(shown('person')).toEqual([undefined, '5'])
    expect(shown('none')).toEqual([undefined, undefined])
  })
})

describe('every policy that spoke', () => {
  it('says whether it applied, and why not', () => {
    const { policies } = explain(
      `${permitWhen('context.arguments.pieces < 3')}\n@id("q") permit (principal in Role::"finance", action, resource);`,
      { arguments: { pieces: 2 } },
    )
    expect(policies.map(({ id, at, effect, applied }) => ({ id, at, effect, applied }))).toEqual([
      { id: 'p', at: 'test.cedar:1', effect: 'permit', applied: true },
      { id: 'q', at: 'test.cedar:2', effect: 'permit', applied: false },
    ])
    expect(policies[1]?.conditions).toEqual([{ text: 'principal in Role::"finance"', holds: false }])
  })

  it('marks a condition that could not be evaluated', () => {
    const { policies } = explain(forbidWhen('context.arguments.amount > 5'), { arguments: {} })
    expect(policies[0]).toMatchObject({ applied: false, conditions: [{ holds: 'error', path: '/amount' }] })
  })
})

describe('a call that only waits for a person', () => {
  const asked =
    '@id("asked") @requires("confirmation") permit (principal, action, resource) when { context.arguments has source };'
  const other =
    '@id("other") permit (principal, action, resource) when { context.arguments has path && context.arguments.path == "/a" };'

  it('is not told of arguments that belong to other calls', () => {
    expect(constraints(`${asked}\n${other}`, { arguments: { source: '/b' } })).toEqual([])
  })

  it('is told what would let it pass without asking', () => {
    expect(constraints(`${asked}\n${other}`, { arguments: { source: '/b', path: '/c' } })).toEqual([
      '/path exactly "/a" (/c)',
    ])
  })
})
