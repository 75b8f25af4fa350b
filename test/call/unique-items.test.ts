import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSchema } from '../../src/call/schema-check.ts'
import type { Json, JsonSchema } from '../../src/types.ts'

const tags = { type: 'array', uniqueItems: true } as const
const schema: JsonSchema = { type: 'object', properties: { tags, notes: { type: 'array' } } }
const check = compileSchema(schema, 'own')
const numbers = (length: number): Json[] => Array.from({ length }, (_, index) => index)

describe('a list of which each element may stand once', () => {
  it('is refused for a repeat however long it is, and says where', () => {
    for (const length of [2, 100, 5_000]) {
      expect(check({ tags: numbers(length) })).toBeUndefined()
      expect(check({ tags: [...numbers(length), 0] })).toMatchObject({ path: '/tags' })
      expect(check({ tags: [...numbers(length).map((a) => ({ a })), { a: 0 }] })).toMatchObject({ path: '/tags' })
    }
  })

  it('does not ask the same of another list', () => {
    expect(check({ notes: [...numbers(5_000), 0] })).toBeUndefined()
    expect(check({ tags: numbers(5_000), notes: [1, 1] })).toBeUndefined()
  })

  it('is found behind a reference and in a list of lists', () => {
    const elsewhere: readonly JsonSchema[] = [
      { properties: { tags: { $ref: '#/$defs/unique' } }, $defs: { unique: tags } },
      { properties: { rows: { type: 'array', items: tags } } },
    ]
    const long = [...numbers(2_000), 0]
    const [byReference, inLists] = elsewhere.map((each) => compileSchema(each, 'own'))
    expect(byReference?.({ tags: long })).toMatchObject({ path: '/tags' })
    expect(inLists?.({ rows: [numbers(2_000), long] })).toMatchObject({ path: '/rows/1' })
    expect(inLists?.({ rows: [numbers(2_000), numbers(3)] })).toBeUndefined()
  })

  it('still has to meet the rest of its schema when it is long', () => {
    const short = compileSchema({ properties: { tags: { ...tags, maxItems: 10 } } }, 'own')
    expect(short({ tags: numbers(5_000) })).toMatchObject({ path: '/tags' })
  })

  it('is judged alike by the library and by ourselves', () => {
    const filler = numbers(1_000)
    const values = fc.array(
      fc.oneof(
        fc.integer({ min: 0, max: 5 }),
        fc.constantFrom('0', null, true),
        fc.record({ a: fc.integer({ min: 0, max: 2 }) }),
      ),
      { maxLength: 5 },
    )
    fc.assert(
      fc.property(values, (list) => {
        const byLibrary = check({ tags: list }) === undefined
        expect(check({ tags: list, notes: filler }) === undefined).toBe(byLibrary)
      }),
    )
  })

  it('is a matter of time linear in the list: ten thousand elements are decided', () => {
    // Compared with each other these take minutes, in which nobody else is decided.
    const lists = Array.from({ length: 20 }, () => ({ tags: Array.from({ length: 4_900 }, (_, a) => ({ a })) }))
    for (const input of lists) expect(check(input)).toBeUndefined()
  })
})
