import { describe, expect, it } from 'vitest'
import { Listing } from '../../../adapters/mcp/listing.ts'
import { testGate } from '../../../src/testing.ts'

/** What one tool of a stranger's becomes at the gate. */
async function called(tool: unknown, input: object) {
  const gate = testGate()
  const listing = new Listing(gate, 'notes', 'third-party')
  listing.take({}, { tools: [tool] })
  const asked = { tool: 'read_note', server: 'notes', input, definition: listing.find('read_note') }
  const admission = await gate.as({ user: 'alice' }).admit(asked)
  return admission.outcome === 'permitted' ? 'permitted' : admission.refusal.code
}

describe('a tool of a server that was made from 64-bit types', () => {
  const limit = { type: 'integer', minimum: -(2 ** 63), maximum: 2 ** 63 }
  const tool = { name: 'read_note', inputSchema: { type: 'object', properties: { limit } } }

  it('can be called', async () => {
    expect(await called(tool, { limit: 5 })).toBe('permitted')
  })

  it('takes no number that two readers could read differently', async () => {
    expect(await called(tool, { limit: 2 ** 60 })).toBe('arguments_rejected')
  })
})
