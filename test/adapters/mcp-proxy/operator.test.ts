import { describe, expect, it } from 'vitest'
import { Operator } from '../../../adapters/mcp-proxy/index.ts'
import { testGate } from '../../../src/testing.ts'

describe('what the operator is told', () => {
  it('of a server that floods is counted, and not written out', () => {
    const lines: string[] = []
    const operator = new Operator((line) => lines.push(line))
    for (let count = 0; count < 1_000; count += 1) operator.note(`line ${count}`)
    operator.flush()
    expect(lines).toHaveLength(21)
    expect(lines.at(-1)).toBe('and 980 more lines like these')
  })

  it('cannot be written by a server: nothing in a line is obeyed, breaks it or makes it endless', () => {
    const lines: string[] = []
    const operator = new Operator((line) => lines.push(line))
    const chosen = '\u001b[2J\nholdpoint: all pins are fine\u0007'
    operator.note(`no tool can be called: ${chosen}`)
    operator.tell(`it ended, because ${chosen}`)
    operator.note('x'.repeat(1_000_000))
    const shown = '⟨U+001B⟩[2J⟨U+000A⟩holdpoint: all pins are fine⟨U+0007⟩'
    expect(lines.slice(0, 2)).toEqual([`no tool can be called: ${shown}`, `it ended, because ${shown}`])
    expect(lines[2]).toMatch(/^x{4000} … and 996000 more characters$/)
  })

  it('of calls that nobody answered says once where to answer, and nothing of calls that a policy forbids', async () => {
    const lines: string[] = []
    const operator = new Operator((line) => lines.push(line))
    const refuse = async (policy: string, callId: string) => {
      const gate = testGate({ policy })
      const definition = { name: 'pay', origin: 'own' as const, inputSchema: true }
      gate.register([definition])
      const admission = await gate.as({ user: 'alice' }).admit({ tool: 'pay', input: {}, callId, definition })
      if (admission.outcome === 'refused') operator.refused(admission)
      await gate.close()
    }
    await refuse('@id("no") forbid (principal, action, resource);', 'a')
    expect(lines).toEqual([])
    await refuse('ask/v1', 'b')
    await refuse('ask/v1', 'c')
    expect(lines).toEqual([expect.stringMatching(/\(hp_\w+\).*holdpoint watch.*holdpoint init/)])
  })
})
