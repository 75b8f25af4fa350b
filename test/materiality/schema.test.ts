import { describe, expect, it } from 'vitest'
import { Contracts } from '../../src/call/contract.ts'
import { classify } from '../../src/materiality/classify.ts'
import { fromSchema } from '../../src/materiality/schema.ts'
import type { Classification, Json, JsonObject, ToolDefinition } from '../../src/types.ts'

function classed(
  inputSchema: JsonObject | undefined,
  name = 'get_thing',
  origin: ToolDefinition['origin'] = 'third-party',
): Classification {
  const definition: ToolDefinition = { name, origin, ...(inputSchema === undefined ? {} : { inputSchema }) }
  const [contract] = new Contracts().register('s', [definition], new Map())
  if (contract === undefined) throw new Error('nothing was registered')
  return classify(contract, {})
}

const member = (name: string, value: JsonObject): JsonObject => ({ type: 'object', properties: { [name]: value } })

describe('what cannot be read of a schema is high', () => {
  const nested = (depth: number): JsonObject => (depth === 0 ? {} : member('a', nested(depth - 1)))
  const tree = {
    type: 'object',
    properties: { root: { $ref: '#/$defs/node' } },
    $defs: { node: { properties: { child: { $ref: '#/$defs/node' } } } },
  }
  const table: readonly (readonly [string, JsonObject | undefined, string])[] = [
    ['none at all', undefined, 'no schema says what this tool takes'],
    ['one that allows anything', {}, 'no schema says what this tool takes'],
    ['a recursive one', tree, 'its schema is without an end'],
    [
      'one that is its own reference',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } },
      'its schema is without an end',
    ],
    ['a reference to nothing', member('a', { $ref: '#/$defs/none' }), 'its schema is not all here'],
    ['a reference to another place', member('a', { $ref: 'https://example.com/a.json' }), 'its schema is not all here'],
    ['a reference to what every object has', member('a', { $ref: '#/constructor' }), 'its schema is not all here'],
    ['one too deep', nested(26), 'its schema is deeper than is read'],
  ]
  for (const [what, schema, because] of table) {
    it(what, () => {
      const { materiality, evidence } = classed(schema)
      expect({ materiality, because: evidence.find(({ argues }) => argues === 'high')?.because }).toEqual({
        materiality: 'high',
        because,
      })
    })
  }

  const long: readonly (readonly [string, JsonObject])[] = [
    ['one text', member('a', { description: 'x'.repeat(2_000_000) })],
    [
      'names',
      { properties: Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`argument number ${i}`, {}])) },
    ],
    ['choices', member('mode', { enum: Array.from({ length: 60_000 }, (_, i) => `choice number ${i}`) })],
    ['alternatives', { anyOf: Array.from({ length: 60_000 }, () => ({ type: 'string' })) }],
  ]
  for (const [what, schema] of long) {
    it(`one of two megabytes, in ${what}, which the gate does not take either`, () => {
      expect(() => classed(schema)).toThrow('definition that is not plain JSON')
      expect(fromSchema(schema, 'low', false).evidence.at(-1)).toMatchObject({
        argues: 'high',
        because: 'its schema is longer than is read',
      })
    })
  }

  it('has no known surface, whatever the name says', () => expect(classed(undefined).surface).toBe('unknown'))

  it('says so of a third party alone: an own tool may do without', () => {
    expect(classed(undefined, 'get_thing', 'own').materiality).toBe('low')
  })

  it('does the work of a megabyte at most, however many ways lead to the same part', () => {
    const doubled: Record<string, Json> = { a0: { type: 'string' } }
    for (let i = 1; i <= 23; i += 1)
      doubled[`a${i}`] = { allOf: [{ $ref: `#/$defs/a${i - 1}` }, { $ref: `#/$defs/a${i - 1}` }] }
    expect(classed({ $ref: '#/$defs/a23', $defs: doubled }).materiality).toBe('high')
  })

  it('follows a reference that ends', () => {
    const schema = { $ref: '#/$defs/a', $defs: { a: member('command', {}) } }
    expect(classed(schema).evidence.at(-1)).toMatchObject({ argues: 'high', at: '/command' })
    expect(
      classed({ ...member('a', { $ref: '#/$defs/a~1b' }), $defs: { 'a/b': { type: 'string' } } }).materiality,
    ).toBe('low')
  })
})

describe('what a schema lets a caller choose', () => {
  const action = member('action', { enum: ['list', 'create', 'delete'] })

  it('is what the tool can be told to do, where no verb in the name reads', () => {
    expect(classed(action, 'user_sessions')).toMatchObject({ materiality: 'high' })
    expect(classed(action, 'user_sessions').evidence.at(-1)).toEqual({
      source: 'schema',
      argues: 'high',
      surface: 'internal-write',
      at: '/action',
      because: 'the tool can be told to "delete"',
    })
    expect(
      classed(member('operations', { type: 'array', items: { enum: ['delete'] } }), 'user_sessions').materiality,
    ).toBe('high')
    expect(classed(member('action', { enum: ['list', 'get_comments'] }), 'user_sessions').materiality).toBe('low')
  })

  it('is read wherever it is listed', () => {
    const deletes = { enum: ['list', 'delete'] }
    const schemas: readonly JsonObject[] = [
      member('action', { anyOf: [deletes, { type: 'null' }] }),
      member('action', { oneOf: [{ const: 'list' }, { const: 'delete' }] }),
      { ...member('action', { $ref: '#/$defs/act' }), $defs: { act: deletes } },
    ]
    for (const schema of schemas) expect(classed(schema, 'user_sessions').materiality).toBe('high')
  })

  it('is anything, where it is not listed: a noun for a name says nothing of it', () => {
    expect(classed(member('action', { type: 'string' }), 'user_sessions').materiality).toBe('high')
    expect(classed(member('mode', { type: 'string' }), 'user_sessions').materiality).toBe('low')
    expect(classed(member('action', { type: 'string' }), 'list_sessions').materiality).toBe('low')
    expect(
      classed(member('action', { anyOf: [{ enum: ['list'] }, { type: 'null' }] }), 'user_sessions').materiality,
    ).toBe('low')
  })

  it('is a filter, where one does', () => expect(classed(action, 'list_adjustments').materiality).toBe('low'))

  it('insists on an act, and takes away from a reading', () => {
    const insists = (name: string, on: string) => classed(member(on, { type: 'boolean' }), name).materiality
    expect([insists('create_x', 'force'), insists('list_x', 'recursive'), insists('fetch_x', 'prune')]).toEqual([
      'high',
      'low',
      'medium',
    ])
  })
})

it('keeps few pieces, and the strongest among them', () => {
  const amounts = Array.from({ length: 100 }, (_, i): [string, JsonObject] => [`a${i}`, member('amount', {})])
  const { evidence } = fromSchema({ properties: Object.fromEntries([...amounts, ['command', {}]]) }, 'low', false)
  expect(evidence.length).toBeLessThan(20)
  expect(evidence.some(({ argues }) => argues === 'high')).toBe(true)
})
