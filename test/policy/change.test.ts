import { describe, expect, it } from 'vitest'
import { derive } from '../../src/call/derived.ts'
import { readAnswer } from '../../src/decide/answer.ts'
import { createChangeFinder } from '../../src/policy/change.ts'
import { loadPolicies } from '../../src/policy/load.ts'
import type { Json, JsonSchema } from '../../src/types.ts'
import { evaluationRequest, pointOf, type Told } from '../support/evaluation.ts'

/** The smallest change that these policies permit, and how often they were asked. */
function change(text: string, told: Told, schema?: JsonSchema) {
  const { digest, policies } = loadPolicies([{ path: 'test.cedar', text }])
  const point = pointOf(text)
  const asked: Json[] = []
  const found = createChangeFinder(digest, policies)(evaluationRequest(told), schema, (input) => {
    asked.push(input)
    const request = evaluationRequest({ ...told, arguments: input })
    expect(request.context.derived).toEqual(derive(input).derived)
    return readAnswer(point.evaluate(request, { signal: new AbortController().signal, schema })).kind === 'permit'
  })
  return { found: found?.map(({ path, to }) => [path, to]), asked }
}

const permit = (condition: string, id = 'p'): string =>
  `@id("${id}") permit (principal, action, resource) when { ${condition} };\n`
const forbid = (condition: string, id = 'f'): string =>
  `@id("${id}") forbid (principal, action, resource) when { ${condition} };\n`
const INTEGER: JsonSchema = { type: 'object', properties: { amount: { type: 'integer' } } }
const NUMBER: JsonSchema = { type: 'object', properties: { amount: { type: 'number' } } }
const AMOUNT = 'context.derived["/amount"].amount'

describe('the smallest change that would be permitted', () => {
  it.each<[string, string, Json, readonly [string, Json][], JsonSchema?]>([
    ['a limit', permit('context.arguments.amount <= 500'), { amount: 900 }, [['/amount', 500]], INTEGER],
    [
      'a limit that is not included',
      permit('context.arguments.amount < 500'),
      { amount: 900 },
      [['/amount', 499]],
      INTEGER,
    ],
    [
      'a limit of a number',
      permit('context.arguments.amount.lessThan(decimal("5.0"))'),
      { amount: 9 },
      [['/amount', 4.9999]],
      NUMBER,
    ],
    [
      'a limit between whole numbers',
      permit(`${AMOUNT}.lessThanOrEqual(decimal("5.5"))`),
      { amount: 9 },
      [['/amount', 5]],
      INTEGER,
    ],
    ['a lower limit', permit('context.arguments.amount > 5'), { amount: 1 }, [['/amount', 6]], INTEGER],
    ['a limit turned round', permit('500 >= context.arguments.amount'), { amount: 900 }, [['/amount', 500]], INTEGER],
    [
      'a limit that a forbid sets',
      permit('true') + forbid('context.arguments.amount > 500'),
      { amount: 900 },
      [['/amount', 500]],
      INTEGER,
    ],
    [
      'the tighter of two limits',
      permit(`${AMOUNT}.lessThanOrEqual(decimal("100.0"))`) + forbid(`${AMOUNT}.greaterThan(decimal("500.0"))`),
      { amount: 900 },
      [['/amount', 100]],
    ],
    [
      'an amount that is written as text',
      permit(`${AMOUNT}.lessThanOrEqual(decimal("5.0"))`),
      { amount: '9.50' },
      [['/amount', '5']],
    ],
    [
      'one of a list',
      permit('["EUR", "USD"].contains(context.arguments.currency)'),
      { currency: 'XMR' },
      [['/currency', 'EUR']],
    ],
    [
      'only what is on a list',
      permit('["a", "b"].containsAll(context.arguments.to)'),
      { to: ['x', 'b'] },
      [['/to', ['b']]],
    ],
    ['the first few of a list', permit('context.lengths["/to"] <= 2'), { to: ['a', 'b', 'c'] }, [['/to', ['a', 'b']]]],
    [
      'a folder, with the same file in it',
      permit('context.derived["/path"].ancestors.contains("/srv")'),
      { path: '/etc/../root/x.txt' },
      [['/path', '/srv/x.txt']],
    ],
    [
      'a folder of the environment',
      permit('context.derived["/path"].ancestors.contains(context.environment.root)'),
      { path: '/etc/x' },
      [['/path', '/home/x']],
    ],
    [
      'a host, with the same path there',
      permit('context.derived["/url"].domains.contains("example.com")'),
      { url: 'https://evil.io/a?b=1' },
      [['/url', 'https://example.com/a?b=1']],
    ],
    [
      'a mail domain',
      permit('context.derived["/to"].domains.contains("example.com")'),
      { to: 'a@evil.io' },
      [['/to', 'a@example.com']],
    ],
    ['a flag', permit('context.arguments.dry_run'), { dry_run: false }, [['/dry_run', true]]],
    [
      'a flag that must not be',
      permit('true') + forbid('context.arguments.force'),
      { force: true },
      [['/force', false]],
    ],
    ['a text', permit('context.arguments.mode == "safe"'), { mode: 'wild' }, [['/mode', 'safe']]],
    [
      'an argument inside another',
      permit('context.arguments.payee.country == "CH"'),
      { payee: { country: 'XX', name: 'x' } },
      [['/payee/country', 'CH']],
    ],
    [
      'an argument that was left out',
      permit('context.arguments has mode && context.arguments.mode == "safe"'),
      {},
      [['/mode', 'safe']],
    ],
    [
      'several arguments at once',
      permit('context.arguments.a == "x" && context.arguments.b == "y"'),
      { a: '1', b: '2' },
      [
        ['/a', 'x'],
        ['/b', 'y'],
      ],
    ],
    [
      'the nearer of two permits',
      permit('context.arguments.a == "x" && context.arguments.b == "y"', 'far') +
        permit('context.arguments.b == "z"', 'near'),
      { a: '1', b: '2' },
      [['/b', 'z']],
    ],
  ])('%s', (_, text, input, expected, schema) => {
    const { found } = change(text, { arguments: input, environment: { root: '/home' } }, schema)
    expect(found).toEqual(expected)
  })

  it('is what a budget leaves', () => {
    const text = permit('true') + forbid('!context.session.here.after.lessThanOrEqual(decimal("2000.0"))')
    const session = { calls: {}, spent: { 'shop/refund': '1950.25' } }
    expect(change(text, { arguments: { amount: 900 }, session }).found).toEqual([['/amount', 49.75]])
  })

  it.each(['here.surface.after', 'here.hour.after', 'here.day.after', 'here.day.surface.after'])(
    'is what a budget of %s leaves',
    (sum) => {
      const text = permit('true') + forbid(`!context.session.${sum}.lessThanOrEqual(decimal("2000.0"))`)
      const none = { calls: {}, spent: {} }
      const counted = (tool: string, surface: string) => ({
        ...none,
        spent: { 'shop/refund': tool },
        surfaces: { ...none, spent: { financial: surface } },
      })
      const session = { ...counted('1.0', '1990.0'), hour: counted('1980.0', '3.0'), day: counted('1970.0', '1960.0') }
      const left = new Map([
        ['here.surface.after', 10],
        ['here.hour.after', 20],
        ['here.day.after', 30],
        ['here.day.surface.after', 40],
      ]).get(sum)
      expect(change(text, { arguments: { amount: 900 }, session }).found).toEqual([['/amount', left]])
    },
  )

  it('is only ever one that the policies permit when they are asked', () => {
    const { found, asked } = change(permit('context.arguments.a == "x"') + forbid('context.arguments has a', 'f'), {
      arguments: { a: 'y' },
    })
    expect(found).toBeUndefined()
    expect(asked.length).toBeLessThanOrEqual(256)
  })

  it('is none where no value helps: a role, a pattern, a forbid of everything', () => {
    expect(change(permit('principal in Role::"finance"'), { arguments: { amount: 1 } }).found).toBeUndefined()
    expect(change(permit('context.arguments.a like "x*"'), { arguments: { a: 'y' } }).found).toBeUndefined()
    expect(
      change(`${permit('context.arguments.amount <= 5')}${forbid('true')}`, { arguments: { amount: 9 } }, INTEGER)
        .found,
    ).toBeUndefined()
  })

  it('is looked for within bounds, however many rules there are', () => {
    const many = Array.from({ length: 40 }, (_, index) =>
      forbid(`context.arguments.a${index} == "x" || context.arguments.b${index} == "x"`, `f${index}`),
    )
    const input = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        [`a${index}`, 'x'],
        [`b${index}`, 'x'],
      ]).flat(),
    )
    expect(change(many.join(''), { arguments: input }).asked.length).toBeLessThanOrEqual(256)
  })
})
