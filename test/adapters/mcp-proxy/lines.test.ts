import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lines } from '../../../adapters/mcp-proxy/lines.ts'

/** What is heard of a text that comes in pieces of these sizes. */
function heardOf(text: string, sizes: readonly number[], longest = 1_000): readonly string[] {
  const heard: string[] = []
  const lines = new Lines(longest, {
    line: (bytes) => heard.push(Buffer.from(bytes).toString()),
    tooLong: () => heard.push('too long'),
  })
  let rest = Buffer.from(text)
  for (const size of sizes) {
    lines.feed(rest.subarray(0, size))
    rest = rest.subarray(size)
  }
  lines.feed(rest)
  return heard
}

describe('lines of a stream', () => {
  it('are the same however the bytes come, also in the middle of a character', () => {
    const text = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), { maxLength: 10 })
    fc.assert(
      fc.property(text, fc.array(fc.nat(7), { maxLength: 60 }), (lines, sizes) => {
        const plain = lines.map((line) => line.replaceAll(/[\s\ufeff]/g, 'x'))
        expect(heardOf(plain.map((line) => `${line}\n`).join(''), sizes)).toEqual(plain)
      }),
    )
  })

  it('that never end are told of once, and the line after them is heard whole', () => {
    expect(heardOf(`${'x'.repeat(5_000)}\nnext\n`, [10, 995, 1_000, 2_000])).toEqual(['too long', 'next'])
    expect(heardOf(`${'x'.repeat(1_000)}\n`, [999])).toEqual(['x'.repeat(1_000)])
    expect(heardOf(`${'x'.repeat(1_001)}\n`, [999])).toEqual(['too long'])
  })

  it('without anything on them are no frames, and one without an end is not one yet', () => {
    expect(heardOf('\n \t\r\n{"a":1}\r\n{"half', [])).toEqual(['{"a":1}\r'])
  })
})
