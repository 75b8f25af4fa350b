import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answerMcp, isApproved, settleMcp } from '../../../adapters/shared/held-mcp.ts'
import { testGate } from '../../../src/testing.ts'

const held = (q: string) => ({
  type: 'mcp_approval_request',
  id: 'mr_1',
  name: 'ask',
  server_label: 'wiki',
  arguments: JSON.stringify({ q }),
})

describe('two held calls under one id', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('I1: have an outcome each: the earlier is given up, and takes nothing of the later with it', async () => {
    const gate = testGate()
    const me = gate.as({ user: 'alice' }, { conversation: 'c' })
    me.register([{ name: 'ask', origin: 'third-party' }], { server: 'wiki' })
    expect(await answerMcp(held('a'), me)).toEqual({ approve: true })
    await vi.advanceTimersByTimeAsync(9 * 60_000)
    expect(await answerMcp(held('b'), me)).toEqual({ approve: true })
    await vi.advanceTimersByTimeAsync(2 * 60_000)
    expect(isApproved(me, 'mr_1')).toBe(true)
    const call = { ...held('b'), type: 'mcp_call', approval_request_id: 'mr_1', output: 'forty-two' }
    expect((await settleMcp([call], me, 'openai')).size).toBe(1)
    const settled = gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
    expect(settled).toEqual(['timeout', 'ok'])
  })
})
