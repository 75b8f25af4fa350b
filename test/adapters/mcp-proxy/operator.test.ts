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
