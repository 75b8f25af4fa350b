import { describe, expect, it } from 'vitest'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import { withShortForm } from '../../src/policy/short-form.ts'
import type { JsonSchema, PolicyMisfit, ToolDefinition } from '../../src/types.ts'
import { pointOf } from '../support/evaluation.ts'

const SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    amount: { type: 'number' },
    pieces: { type: 'integer' },
    currency: { type: 'string' },
    note: { type: 'string' },
    path: { type: 'string' },
    to: { type: 'array', items: { type: 'string' } },
    payee: { type: 'object', properties: { iban: { type: 'string' } }, required: ['iban'] },
    either: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
    maybe: { type: ['integer', 'null'] },
  },
  required: ['amount', 'pieces', 'currency', 'path', 'to', 'payee', 'either', 'maybe'],
  additionalProperties: false,
}

function tool(name: string, inputSchema?: JsonSchema): ToolDefinition {
  return { name, origin: 'own', ...(inputSchema === undefined ? {} : { inputSchema }) }
}

const REFUND = tool('refund', SCHEMA)
const SCOPE = 'principal, action == Action::"shop/refund", resource'

/** What does not fit when shop registers its tools. The policy's condition stands in line 3. */
function misfits(condition: string, tools = [REFUND], scope = SCOPE): readonly PolicyMisfit[] {
  return pointOf(`@id("p")\npermit (${scope})\nwhen { ${condition} };`).register('shop', tools)
}

describe('policies that fit', () => {
  it.each([
    'context.arguments.amount.lessThanOrEqual(decimal("500.0"))',
    'context.arguments.pieces <= 5',
    '["EUR"].contains(context.arguments.currency)',
    'context.arguments has note && context.arguments.note == "x"',
    'context.arguments.to.contains("a@example.com") && context.lengths["/to"] <= 3',
    'context.arguments.payee.iban like "DE*"',
    'context.derived["/path"].ancestors.contains(context.environment.root)',
    'context.derived["/amount"].amount.lessThan(decimal("1.0"))',
    'context.derived has "/to/0" && context.derived["/to/0"].domain == "example.com"',
    'context.arguments.either == "x"',
    'context.arguments.either < 3',
    'context.environment.limit > 3 && context.environment.flags.beta',
    'context.session.here.after.lessThan(decimal("5.0"))',
    'context.session.spent has "shop/refund" && context.session.spent["shop/refund"].lessThan(decimal("5.0"))',
    'context.session.here.day.surface.after.lessThan(decimal("5.0")) && context.session.here.hour.calls < 9',
    'context.session.day.surfaces.spent["data-egress"].lessThan(decimal("5.0")) && context.session.surfaces.calls.read < 9',
    'context.session.hour.calls has "shop/refund" && context.session.hour.calls["shop/refund"] < 3',
    'context.session.private_data_read && !context.session.untrusted_content_read',
    'context.approval.roles.contains("legal") && context has agent && context.agent == "support"',
    'principal in Role::"finance" && action in Action::"high" && resource == Server::"shop"',
    '!(action in Action::"low")',
  ])('%s', (condition) => {
    expect(misfits(condition)).toEqual([])
  })

  it('takes a policy at its word about a tool that declares no arguments, once it asks whether they are there', () => {
    expect(misfits('context.arguments has amount && context.arguments.amount <= 3', [tool('refund')])).toEqual([])
    expect(misfits('context.arguments.amount <= 3', [tool('refund')])).not.toEqual([])
  })

  it('leaves policies about other servers in peace', () => {
    expect(misfits('context.arguments.zzz', [REFUND], 'principal, action == Action::"bank/pay", resource')).toEqual([])
    expect(misfits('context.arguments.zzz', [REFUND], 'principal, action, resource == Server::"bank"')).toEqual([])
    expect(
      misfits('action == Action::"bank/pay" && context.arguments.zzz == 1', [REFUND], 'principal, action, resource'),
    ).toEqual([])
  })

  it('leaves a tool alone that another agent of the server may have', () => {
    expect(misfits('true', [REFUND], 'principal, action == Action::"shop/cancel_everything", resource')).toEqual([])
  })

  it('lets a rule for many tools pass over those without the argument', () => {
    const many = [REFUND, tool('search', { type: 'object', properties: { query: { type: 'string' } } })]
    const guarded = 'context.arguments has amount && context.arguments.amount.lessThan(decimal("5.0"))'
    expect(misfits(guarded, many, 'principal, action in Action::"high", resource')).toEqual([])
  })
})

describe('policies that do not fit are reported with line and remedy', () => {
  it.each<[string, string, RegExp]>([
    ['a misspelt argument', 'context.arguments.ammount.lessThan(decimal("5.0"))', /ammount.*did you mean `amount`/],
    [
      'a misspelt argument behind `has`',
      'context.arguments has ammount',
      /no argument "ammount"; did you mean "amount"\?/,
    ],
    ['an argument like none behind `has`', '!(context.arguments has zzz)', /no argument "zzz"; it has amount, pieces/],
    ['a misspelt member', 'context.arguments has payee.ibam', /no argument "payee\.ibam"; did you mean "iban"\?/],
    ['a fact about a misspelt argument', 'context.derived has "/pth"', /no argument "pth"; did you mean "path"\?/],
    [
      'a limit on a text',
      'context.derived has "/note" && context.derived["/note"] has amount',
      /takes a text as \/note: only a number, or a text that is named like money/,
    ],
    [
      'a folder around a list',
      'context.derived has "/to" && context.derived["/to"] has ancestors',
      /takes a list as \/to/,
    ],
    ['the length of a text', 'context.lengths has "/note"', /a length was expected of a list/],
    [
      'a decimal compared as a whole number',
      'context.arguments.amount <= 500',
      /write context\.arguments\.amount\.lessThanOrEqual\(decimal\("500\.0"\)\)/,
    ],
    ['a decimal that equals a whole number', 'context.arguments.amount == 500', /decimal\("500\.0"\)/],
    ['an optional argument read unasked', 'context.arguments.note == "x"', /context\.arguments has note/],
    ['a nullable argument read unasked', 'context.arguments.maybe < 3', /context\.arguments has maybe/],
    ['a list compared with a text', 'context.arguments.to == "a"', /not compatible/],
    ['a fact about no argument', 'context.derived["/pth"].bytes < 3', /did you mean.*path/],
    [
      '`like` on a raw path',
      'context.arguments.path like "/srv/*"',
      /led astray by "\.\.".*derived\["\/path"\]\.ancestors/,
    ],
    ['`like` on anything as if it were a path', 'context.arguments.currency like "/srv/*"', /led astray/],
    ['a mistake behind a condition on the tier', '!(action in Action::"high") && context.arguments.typo == 1', /typo/],
  ])('%s', (_, condition, message) => {
    const [first] = misfits(condition)
    expect(first).toMatchObject({ policy: 'p', message: expect.stringMatching(message) })
    expect(first?.at).toMatch(/^test\.cedar:[13]:\d+$/)
  })

  it('says of the short form which line asks for an argument that the tool does not have, or for another type', () => {
    const conditions = [
      { path: ['ammount'], at: 'holdpoint.yaml:5:7', max: 5 },
      { path: ['note'], at: 'holdpoint.yaml:6:7', min: 5 },
      { path: ['to'], at: 'holdpoint.yaml:7:7', host: ['example.com'] },
    ]
    const says = { kind: 'permit-when', conditions, otherwise: { at: 'holdpoint.yaml:9:7' } } as const
    const rule = { name: 'refund', tool: 'shop/refund', at: 'holdpoint.yaml:3:3', says }
    const found = createCedarPoint(withShortForm([], [rule])).register('shop', [REFUND])
    expect(found.map(({ at, message }) => `${at} ${message}`)).toEqual([
      'holdpoint.yaml:5:7 refund has no argument "ammount"; did you mean "amount"?',
      'holdpoint.yaml:6:7 refund takes a text as /note: only a number, or a text that is named like money, can be compared with numbers',
      'holdpoint.yaml:7:7 refund takes a list as /to: a host was expected of one address, which is a text',
    ])
  })

  it.each<[string, string, readonly (string | boolean)[], string]>([
    ['a text is looked for in place of a number', 'pieces', ['one'], 'a number is never equal to a text'],
    ['a text is looked for in place of a list', 'to', ['one'], 'a text is never equal to a list'],
    ['a boolean is looked for in place of a text', 'currency', [true], 'a boolean is never equal to a text'],
  ])('says of the short form, without a word of Cedar, where %s', (_, argument, oneOf, says_) => {
    const conditions = [{ path: [argument], at: 'holdpoint.yaml:8:7', oneOf }]
    const says = { kind: 'permit-when', conditions, otherwise: { at: 'holdpoint.yaml:9:7' } } as const
    const rule = { name: 'refund', tool: 'shop/refund', at: 'holdpoint.yaml:3:3', says }
    expect(createCedarPoint(withShortForm([], [rule])).register('shop', [REFUND])).toMatchObject([
      { policy: 'yaml/refund/otherwise', at: 'holdpoint.yaml:8:7', message: expect.stringContaining(says_) },
    ])
  })

  it('names the tool that a policy almost named', () => {
    expect(misfits('true', [REFUND], 'principal, action == Action::"shop/refnd", resource')).toContainEqual({
      policy: 'p',
      at: 'test.cedar:2:38',
      message: 'no tool shop/refnd; did you mean "shop/refund"?',
    })
  })

  it('is satisfied once the tools fit', () => {
    const point = pointOf(
      '@id("p") permit (principal, action == Action::"shop/refund", resource) when { context.arguments.sum == "x" };',
    )
    expect(point.register('shop', [REFUND])).toHaveLength(1)
    const sum = { type: 'object', properties: { sum: { type: 'string' } }, required: ['sum'] }
    expect(point.register('shop', [tool('refund', sum)])).toEqual([])
  })

  it.each<[string, JsonSchema | undefined]>([
    ['no schema', undefined],
    ['a schema that says nothing', true],
    ['a schema without names', { type: 'object' }],
    ['a schema that is open', { type: 'object', properties: { note: { type: 'string' } }, additionalProperties: true }],
  ])('takes a rule on a fact of an argument at its word for a tool with %s', (_, schema) => {
    const limit =
      'context.derived has "/amount" && context.derived["/amount"] has amount && context.derived["/amount"].amount.lessThan(decimal("5.0"))'
    const count = 'context.lengths has "/items" && context.lengths["/items"] == 1'
    const refund = tool('refund', schema)
    expect(misfits(limit, [refund])).toEqual([])
    expect(misfits(count, [refund])).toEqual([])
    expect(misfits('context.derived["/amount"].amount.lessThan(decimal("5.0"))', [refund])).toHaveLength(1)
  })

  it('survives a schema that nests without end', () => {
    const endless: JsonSchema = {
      $defs: {
        node: {
          type: 'object',
          properties: { left: { $ref: '#/$defs/node' }, right: { $ref: '#/$defs/node' }, name: { type: 'string' } },
        },
      },
      $ref: '#/$defs/node',
    }
    const condition =
      'context.arguments has left.left.left.left.left.name && context.arguments.left.left.left.left.left.name == "x"'
    expect(misfits(condition, [tool('refund', endless)])).toEqual([])
  })
})

describe('a listing', () => {
  const point = () => pointOf('@id("p")\npermit (principal, action, resource)\nwhen { context.arguments.amount > 5 };')
  const whole: JsonSchema = { type: 'object', properties: { amount: { type: 'integer' } }, required: ['amount'] }

  it('is validated for what it names: tools that a server listed before do not make each later one dearer', () => {
    const asked = point()
    expect(asked.register('shop', [tool('old', { type: 'object', properties: {} })])).not.toEqual([])
    expect(asked.register('shop', [tool('new', whole)])).toEqual([])
  })

  it('is validated together with the tools that a policy names, listed now or before', () => {
    const asked = pointOf(
      '@id("p")\npermit (principal, action == Action::"shop/two", resource)\nwhen { context.arguments.amount > 5 };',
    )
    const found = asked.register('shop', [tool('two', { type: 'object', properties: {} })])
    expect(found).not.toEqual([])
    expect(asked.register('shop', [tool('one', whole)])).toEqual(found)
    expect(asked.register('shop', [tool('two', whole)])).toEqual([])
  })
})
