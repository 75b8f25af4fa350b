import { describe, expect, it } from 'vitest'
import { Contracts } from '../../src/call/contract.ts'
import type { Contract, Json, JsonSchema, OperatorWord, ToolDefinition } from '../../src/types.ts'

const none = new Map<string, OperatorWord>()
const own = (definition: Partial<ToolDefinition> = {}): ToolDefinition => ({
  name: 'refund',
  origin: 'own',
  ...definition,
})

function contractOf(definition: ToolDefinition): Contract {
  const [contract] = new Contracts().register('shop', [definition], none)
  if (contract === undefined) throw new Error('nothing was registered')
  return contract
}

function missOf(inputSchema: JsonSchema, input: Json, origin: ToolDefinition['origin'] = 'own') {
  return contractOf(own({ inputSchema, origin })).check(input)
}

describe('Contracts', () => {
  it('I6: refuses words of a tool’s author that no receipt may hold', () => {
    for (const declared of [
      { surface: 'internal' },
      { materiality: 'lo' },
      { materiality: 'low', surface: 'toString' },
    ])
      expect(() => contractOf(own({ declared: declared as NonNullable<ToolDefinition['declared']> }))).toThrow(
        /declares the (surface|materiality) .*: it is/,
      )
    expect(contractOf(own({ declared: { materiality: 'low', surface: 'read' } })).id).toBe('shop/refund')
  })

  it('refuses names that look like another, are invisible in part or reach past the name', () => {
    for (const name of [
      '',
      '\u0430',
      'a b',
      'refund\u200b',
      '\uff52efund',
      '\u212a',
      'a'.repeat(129),
      'refund\n',
      '\u2024',
      '\ufb01le',
      'a\\b',
      '"',
    ]) {
      expect(() => new Contracts().register('shop', [own({ name })], none), JSON.stringify(name)).toThrow(
        expect.objectContaining({ code: 'ERR_TOOL' }),
      )
    }
  })

  it('refuses server names that could be taken for a path or another server', () => {
    for (const server of ['', 'Shop', '-a', 'a/b', 'a.b', 'ü', 'a'.repeat(33)]) {
      expect(() => new Contracts().register(server, [own()], none)).toThrow(
        expect.objectContaining({ code: 'ERR_TOOL' }),
      )
    }
  })

  it('refuses twins that differ only in case, and learns nothing of that listing', () => {
    const contracts = new Contracts()
    contracts.register('shop', [own({ name: 'payments.refund' })], none)
    expect(() => contracts.register('shop', [own({ name: 'other' }), own({ name: 'Payments.Refund' })], none)).toThrow(
      /only in case/,
    )
    expect(contracts.find('shop', 'other')).toBeUndefined()
    expect(() => contracts.register('b', [own({ name: 'a' }), own({ name: 'A' })], none)).toThrow(/only in case/)
    expect(() => contracts.register('b', [own({ name: 'a' }), own({ name: 'a' })], none)).toThrow(/listed twice/)
  })

  it('lets nobody take over the name of a tool from elsewhere, so that none is judged by words about another', () => {
    const declared = { materiality: 'low' } as const
    const mine = own({ declared })
    const theirs = own({ origin: 'third-party' })
    for (const [first, second] of [
      [mine, theirs],
      [theirs, mine],
    ] as const) {
      const contracts = new Contracts()
      const [known] = contracts.register('shop', [first], none)
      expect(() => contracts.register('shop', [own({ name: 'other' }), second], none)).toThrow(
        expect.objectContaining({
          code: 'ERR_TOOL',
          message: expect.stringMatching(/shop\/refund.*`server` of its own/),
        }),
      )
      expect(contracts.find('shop', 'refund')).toBe(known)
      expect(contracts.find('shop', 'other')).toBeUndefined()
      expect(contracts.register('elsewhere', [second], none)).toHaveLength(1)
    }
  })

  it('learns a thousand names of one server, and not one more however they are listed', () => {
    const contracts = new Contracts()
    const tools = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => own({ name: `tool_${from + n}` }))
    for (let from = 0; from < 1_000; from += 100) contracts.register('shop', tools(from, 100), none)
    expect(contracts.register('shop', tools(0, 1_000), none)).toHaveLength(1_000)
    expect(() => contracts.register('shop', tools(999, 2), none)).toThrow(
      expect.objectContaining({ code: 'ERR_TOOL', message: expect.stringMatching(/"shop".*1001 names.*1000/) }),
    )
    expect(contracts.find('shop', 'tool_1000')).toBeUndefined()
    expect(contracts.register('elsewhere', tools(0, 1), none)).toHaveLength(1)
  })

  it("takes a third party's changed definition, which has another digest", () => {
    const contracts = new Contracts()
    const [first] = contracts.register('shop', [own({ origin: 'third-party' })], none)
    const [changed] = contracts.register('shop', [own({ origin: 'third-party', description: 'new' })], none)
    expect(changed?.definitionDigest).not.toBe(first?.definitionDigest)
    expect(contracts.find('shop', 'refund')).toBe(changed)
  })

  it('keeps tools of one name on two servers apart', () => {
    const contracts = new Contracts()
    contracts.register('a', [own({ description: 'of a' })], none)
    contracts.register('b', [own({ description: 'of b' })], none)
    expect(contracts.find('a', 'refund')?.definition.description).toBe('of a')
    expect(contracts.find('c', 'refund')).toBeUndefined()
    expect(contracts.all().map(({ id }) => id)).toEqual(['a/refund', 'b/refund'])
  })

  it('finds no tool under a name that every object has', () => {
    const contracts = new Contracts()
    contracts.register('shop', [own()], none)
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(contracts.find('shop', name)).toBeUndefined()
    }
    const [known] = contracts.register('shop', [own({ name: 'constructor' })], none)
    expect(contracts.find('shop', 'constructor')).toBe(known)
  })

  it('keeps the same contract when nothing changed, and takes a new one for each thing that did', () => {
    const contracts = new Contracts()
    const [first] = contracts.register('shop', [own({ description: 'x', inputSchema: { type: 'object' } })], none)
    const [again] = contracts.register('shop', [own({ description: 'x', inputSchema: { type: 'object' } })], none)
    expect(again).toBe(first)
    const changes: Partial<ToolDefinition>[] = [
      { description: 'y' },
      { description: 'x', title: 't' },
      { description: 'x', inputSchema: { type: 'array' } },
      { description: 'x', outputSchema: {} },
      { description: 'x', annotations: { readOnlyHint: true } },
    ]
    const digests = changes.map((change) => {
      const [contract] = contracts.register('shop', [own({ inputSchema: { type: 'object' }, ...change })], none)
      expect(contracts.find('shop', 'refund')).toBe(contract)
      return contract?.definitionDigest
    })
    expect(new Set([first?.definitionDigest, ...digests]).size).toBe(changes.length + 1)
  })

  it('takes a description that is computed each time out of the digest, and still shows the newest', () => {
    const contracts = new Contracts()
    const [monday] = contracts.register('shop', [own({ description: 'Monday', dynamicDescription: true })], none)
    const [tuesday] = contracts.register('shop', [own({ description: 'Tuesday', dynamicDescription: true })], none)
    expect(tuesday?.definitionDigest).toBe(monday?.definitionDigest)
    expect(contracts.find('shop', 'refund')?.definition.description).toBe('Tuesday')
  })

  it('takes a new word of the operator', () => {
    const contracts = new Contracts()
    contracts.register('shop', [own()], none)
    const word: OperatorWord = { materiality: 'low', source: 'holdpoint.yaml:3' }
    const [contract] = contracts.register('shop', [own()], new Map([['refund', word]]))
    expect(contract?.operator).toEqual(word)
  })

  it('checks and shows what the digest was taken of, whatever becomes of the original', () => {
    const inputSchema = { type: 'object', properties: { amount: { maximum: 500 } } }
    const contract = contractOf(own({ inputSchema }))
    inputSchema.properties.amount.maximum = 1e6
    expect(contract.check({ amount: 900 })).toEqual({ path: '/amount', requires: 'must be at most 500' })
  })

  it('refuses a definition that has no exact form, naming tool and place', () => {
    const inputSchema = { default: 10n } as unknown as JsonSchema
    expect(() => contractOf(own({ inputSchema }))).toThrow(/shop\/refund.*\/inputSchema\/default is a BigInt/)
  })
})

const refund: JsonSchema = {
  type: 'object',
  properties: {
    order: { type: 'string', minLength: 1, maxLength: 4, pattern: '^A' },
    amount: { type: 'number', exclusiveMinimum: 0, maximum: 500, multipleOf: 0.01 },
    currency: { enum: ['EUR', 'USD'] },
    lines: {
      type: 'array',
      maxItems: 2,
      uniqueItems: true,
      items: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } },
    },
    note: { type: ['string', 'null'] },
    day: { type: 'string', format: 'date' },
    fixed: { const: 7 },
    'a/b~c d%#': { type: 'integer' },
  },
  required: ['order'],
  additionalProperties: false,
}

describe('check says where arguments miss the schema, and what would pass', () => {
  const table: readonly (readonly [Json, string, string])[] = [
    [{}, '/order', 'is required'],
    [{ order: 7 }, '/order', 'must be a string'],
    [{ order: '' }, '/order', 'must have at least 1 character'],
    [{ order: 'A1234' }, '/order', 'must have at most 4 characters'],
    [{ order: 'B' }, '/order', "must match the schema's pattern"],
    [{ order: 'A', amount: 900 }, '/amount', 'must be at most 500'],
    [{ order: 'A', amount: 0 }, '/amount', 'must be more than 0'],
    [{ order: 'A', amount: 1.001 }, '/amount', 'must be a multiple of 0.01'],
    [{ order: 'A', amount: '1' }, '/amount', 'must be a number'],
    [{ order: 'A', currency: 'GBP' }, '/currency', 'must be one of "EUR", "USD"'],
    [{ order: 'A', lines: [{ sku: 'x' }, {}] }, '/lines/1/sku', 'is required'],
    [{ order: 'A', lines: [{ sku: 'x' }, { sku: 1 }] }, '/lines/1/sku', 'must be a string'],
    [{ order: 'A', lines: [{ sku: 'x' }, { sku: 'x' }] }, '/lines', 'must not repeat an element'],
    [{ order: 'A', lines: {} }, '/lines', 'must be an array'],
    [{ order: 'A', note: 1 }, '/note', 'must be a string or null'],
    [{ order: 'A', day: '2025-02-30' }, '/day', 'must be in the format date'],
    [{ order: 'A', fixed: 8 }, '/fixed', 'must be 7'],
    [{ order: 'A', 'a/b~c d%#': 1.5 }, '/a~1b~0c d%#', 'must be an integer'],
    [{ order: 'A', admin: true }, '/admin', 'is not a known argument'],
    [7, '', 'must be an object'],
    [null, '', 'must be an object'],
  ]
  for (const [input, path, requires] of table) {
    it(`${JSON.stringify(input)} → ${path} ${requires}`, () =>
      expect(missOf(refund, input)).toEqual({ path, requires }))
  }

  it('lets through what conforms', () => {
    const input = {
      order: 'A1',
      amount: 12.34,
      currency: 'EUR',
      lines: [{ sku: 'x' }],
      note: null,
      day: '2025-02-28',
      fixed: 7,
    }
    expect(missOf(refund, input)).toBeUndefined()
    expect(contractOf(own()).check({ anything: 1 })).toBeUndefined()
    expect(missOf(false, {})).toEqual({ path: '', requires: expect.stringContaining('no arguments') })
  })

  it('names the place inside the alternative that was meant', () => {
    const either: JsonSchema = {
      properties: {
        act: {
          oneOf: [
            {
              type: 'object',
              properties: { kind: { const: 'move' }, to: { type: 'string' } },
              required: ['kind', 'to'],
            },
            {
              type: 'object',
              properties: { kind: { const: 'wait' }, ms: { type: 'number' } },
              required: ['kind', 'ms'],
            },
          ],
        },
        id: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
        both: { oneOf: [{ type: 'number' }, { type: 'integer' }] },
      },
    }
    expect(missOf(either, { act: { kind: 'wait' } })).toEqual({ path: '/act/ms', requires: 'is required' })
    expect(missOf(either, { act: { kind: 'move', to: 1 } })).toEqual({ path: '/act/to', requires: 'must be a string' })
    expect(missOf(either, { act: { kind: 'x' } })).toEqual({ path: '/act/kind', requires: 'must be "move" or "wait"' })
    expect(missOf(either, { id: true })).toEqual({ path: '/id', requires: 'must be a string or an integer' })
    expect(missOf(either, { both: 1 })?.path).toBe('/both')
  })

  it('does not take what every object inherits for a given argument', () => {
    expect(missOf({ required: ['toString'] }, {})).toEqual({ path: '/toString', requires: 'is required' })
    expect(missOf({ properties: { toString: { type: 'string' } }, additionalProperties: false }, {})).toBeUndefined()
    expect(missOf({ additionalProperties: false }, { valueOf: 1 })?.path).toBe('/valueOf')
  })
})

describe('check lets nothing through a schema that cannot be used', () => {
  const loops = {
    $ref: '#/$defs/a',
    $defs: {
      a: { allOf: [{ $ref: '#/$defs/b' }, { $ref: '#/$defs/b' }] },
      b: { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] },
    },
  }
  const doubling = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [
      `d${i}`,
      { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
    ]),
  )
  const table: readonly (readonly [string, JsonSchema])[] = [
    ['that refers to itself', { $ref: '#' }],
    ['whose references chase each other', loops],
    [
      'whose references double forty times over',
      { $ref: '#/$defs/d0', $defs: { ...doubling, d40: { type: 'object' } } },
    ],
    ['that lives elsewhere, which is not fetched', { $ref: 'https://example.com/schema.json' }],
    ['that refers to nothing', { $ref: '#/$defs/missing' }],
    ['with a broken pattern', { patternProperties: { '(': {} } }],
    ['with nonsense for a keyword', { required: 7 }],
    ['with an unusable $id', { $id: 'http://[', type: 'object' }],
  ]
  for (const [what, schema] of table) {
    it(what, () => {
      const contract = contractOf(own({ inputSchema: schema, origin: 'third-party' }))
      for (const input of [{}, { a: 1 }])
        expect(contract.check(input)).toEqual({ path: '', requires: expect.stringMatching(/unusable/) })
    })
  }

  it('is not held up by a pattern or a format that backtracks without end', () => {
    const hungry: JsonSchema = { properties: { a: { type: 'string', pattern: '^(a+)+$', format: 'url' } } }
    expect(missOf(hungry, { a: `${'a'.repeat(60)}!` }, 'third-party')).toBeUndefined()
    expect(missOf(hungry, { a: 1 }, 'third-party')).toEqual({ path: '/a', requires: 'must be a string' })
    const slow: JsonSchema = { properties: { a: { format: 'url' } } }
    expect(missOf(slow, { a: `http://${'a'.repeat(60)}!` })).toBeUndefined()
  })

  it("leaves it to a third party's tool whether its elements differ: the check takes time in the square of them", () => {
    const schema: JsonSchema = { properties: { ids: { type: 'array', uniqueItems: true } } }
    expect(missOf(schema, { ids: [1, 1] }, 'third-party')).toBeUndefined()
    expect(missOf(schema, { ids: [1, 1] }, 'own')?.path).toBe('/ids')
  })

  it('is held up by no pattern behind an argument that is named like a keyword', () => {
    // Were one of these checked, it would not say "conforms": the text does not match.
    const pattern = '^(a+)+$'
    const schemas: readonly JsonSchema[] = [
      { properties: { default: { pattern }, enum: { pattern }, const: { pattern }, examples: { pattern } } },
      { $ref: '#/$defs/default', $defs: { default: { additionalProperties: { pattern } } } },
      { $ref: '#/examples', examples: { additionalProperties: { pattern } } },
      { $ref: '#/x', x: { additionalProperties: { pattern } } },
    ]
    for (const schema of schemas) {
      const input = { default: 'a!', enum: 'a!', const: 'a!', examples: 'a!' }
      expect(missOf(schema, input, 'third-party'), JSON.stringify(schema)).toBeUndefined()
      expect(missOf(schema, input, 'own')?.requires).toBe("must match the schema's pattern")
    }
  })

  it("leaves names to the tool when one of a third party's patterns for names is left out", () => {
    const schema: JsonSchema = {
      patternProperties: { '^(x+)+$': { type: 'string' }, '^n[0-9]$': { type: 'number' } },
      additionalProperties: false,
    }
    expect(missOf(schema, { xx: 1, n1: 2 }, 'third-party')).toBeUndefined()
    expect(missOf(schema, { n1: 'x' }, 'third-party')).toEqual({ path: '/n1', requires: 'must be a number' })
    expect(missOf(schema, { y: 1 }, 'own')).toEqual({ path: '/y', requires: 'is not a known argument' })
  })
})

describe("a third party's schema and a model's arguments together cannot hold up the process", () => {
  const many = <T>(count: number, one: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => one(at))
  const large = 'x'.repeat(400_000)
  const wide = Object.fromEntries(many(9_000, (n) => [`k${n}`, 1]))
  const text = 'a'.repeat(1_000_000)
  const nested = many(50, (n) => `https://a.example/${n}`).reduce<JsonSchema>((not, $id) => ({ $id, not }), {})

  const tooMuch: readonly (readonly [string, JsonSchema, Json])[] = [
    [
      'a thousand alternatives for each of a thousand elements',
      { items: { anyOf: many(1_000, (n) => ({ const: 1_000 - n })) } },
      many(1_000, () => 1),
    ],
    ['many looks at a wide object', { allOf: many(4_000, () => ({})) }, wide],
    [
      'many looks at a wide object by reference',
      { allOf: many(3_000, () => ({ $ref: '#/$defs/a' })), $defs: { a: {} } },
      wide,
    ],
    ['many misses of each member', { anyOf: many(4_000, () => ({ additionalProperties: false })) }, wide],
    ['many patterns on one long text', { allOf: many(3_000, () => ({ pattern: '^a*b' })) }, text],
    ['many lengths of one long text', { allOf: many(4_000, () => ({ minLength: 1 })) }, text],
    [
      'one pattern that many references name',
      { allOf: many(3_000, () => ({ $ref: '#/$defs/a' })), $defs: { a: { pattern: '^a*$' } } },
      text,
    ],
    [
      'names without number that are missing each time',
      { items: { anyOf: [{ required: many(9_000, String) }, {}] } },
      many(900, () => ({})),
    ],
    [
      'names so long that their paths fill the memory',
      { properties: { [large]: { properties: Object.fromEntries(many(4_000, (n) => [`k${n}`, {}])) } } },
      {},
    ],
    ['names of schemas within each other', { not: nested }, {}],
  ]
  for (const [what, schema, input] of tooMuch) {
    it(`refuses ${what}`, () =>
      expect(missOf(schema, input, 'third-party')).toEqual({
        path: '',
        requires: expect.stringMatching(/cannot be checked/),
      }))
  }

  it('never repeats a long constant for each element, and says its beginning once', () => {
    const elements = many(9_900, () => 1)
    for (const items of [{ enum: [large] }, { const: large }]) {
      const miss = missOf({ items }, elements, 'third-party')
      expect(miss).toEqual({ path: '/0', requires: expect.stringMatching(/^must be one of "x+…$/) })
      // The library stops at no miss here: in full, each of them would hold the text.
      expect(missOf({ contains: items }, elements, 'third-party')?.path).toBe('')
      expect(missOf({ items }, [large], 'third-party')).toBeUndefined()
    }
    expect(missOf({ contains: { type: [large, 'string'] } }, elements, 'third-party')?.path).toBe('')
  })

  it('takes a pattern, a format or dependencies in disguise for what the library takes them for', () => {
    const hungry = '^(a+)+$'
    const disguised = (schema: object): JsonSchema => schema as JsonSchema
    const subject = `${'a'.repeat(60)}!`
    for (const schema of [
      disguised({ pattern: [hungry] }),
      disguised({ format: ['url'] }),
      disguised({ $ref: '#/dependencies', dependencies: { pattern: hungry } }),
    ]) {
      expect(missOf(schema, subject, 'third-party')).toBeUndefined()
    }
    const names = disguised({ $ref: '#/dependencies', dependencies: { patternProperties: { [hungry]: false } } })
    expect(missOf(names, { [subject]: 1 }, 'third-party')).toBeUndefined()
  })

  it('still checks large arguments of everyday schemas', () => {
    const item: JsonSchema = {
      type: 'object',
      additionalProperties: false,
      required: ['id'],
      properties: {
        id: { type: 'string', pattern: '^[a-z0-9-]+$' },
        at: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
      },
    }
    const list: JsonSchema = { properties: { list: { items: { $ref: '#/$defs/item' } } }, $defs: { item } }
    const items = many(3_000, (n) => ({ id: `item-${n}`, at: null }))
    expect(missOf(list, { list: items, note: 'x'.repeat(5_000) }, 'third-party')).toBeUndefined()
    expect(missOf(list, { list: [...items, { id: 'A' }] }, 'third-party')).toEqual({
      path: '/list/3000/id',
      requires: "must match the schema's pattern",
    })
    const file: JsonSchema = {
      properties: { path: { pattern: '^[/a-z]+$' }, content: { type: 'string', maxLength: 2_000_000 } },
    }
    expect(missOf(file, { path: '/a', content: text }, 'third-party')).toBeUndefined()
    const country: JsonSchema = { items: { enum: many(200, (n) => `country-${n}`) } }
    expect(
      missOf(
        country,
        many(9_900, (n) => `country-${n % 200}`),
        'third-party',
      ),
    ).toBeUndefined()
    expect(missOf({ additionalProperties: { type: 'number' } }, wide, 'third-party')).toBeUndefined()
  })
})
