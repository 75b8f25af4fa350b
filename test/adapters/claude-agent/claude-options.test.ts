/** What the host may hand over wrongly, and what it may ask by itself: on the hooks alone. */
import { describe, expect, it } from 'vitest'
import { type ClaudeOptions, claudeOptions, guardTools, toolNameOf } from '../../../adapters/claude-agent/index.ts'
import type { Gate } from '../../../src/index.ts'
import { type TestGateOptions, testGate } from '../../../src/testing.ts'
import { DENY, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'

function stage(options: TestGateOptions = {}, guard: ClaudeOptions = {}) {
  const gate = testGate(options)
  const me = gate.as({ user: 'alice', agent: 'support' }, { conversation: 'talk', channel: 'chat' })
  const { hooks, canUseTool } = claudeOptions(me, guard)
  const signal = new AbortController().signal
  const call = (event: keyof typeof hooks, more: object) =>
    hooks[event].at(event === 'PreToolUse' ? -1 : 0)?.hooks[0]?.({ hook_event_name: event, ...more }, 'c1', { signal })
  const outcomes = () => gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
  const warned = () => gate.events.flatMap((event) => (event.event === 'programmer-warned' ? [event.code] : []))
  return { gate, me, hooks, canUseTool, signal, call, outcomes, warned }
}

const bash = { tool_name: 'Bash', tool_input: { command: 'ls' }, tool_use_id: 'c1' }
const decisionOf = (answer: unknown) =>
  Reflect.get(Object(Reflect.get(Object(answer), 'hookSpecificOutput')), 'permissionDecision')

describe('the hooks of a query', () => {
  it('hand the host the decided arguments, and settle the call when the host says how it went', async () => {
    const { call, outcomes } = stage()
    const allowed = await call('PreToolUse', bash)
    expect(allowed).toEqual({
      hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'allow', updatedInput: { command: 'ls' } },
    })
    await call('PostToolUse', { ...bash, tool_response: { stdout: 'a' } })
    expect(outcomes()).toEqual(['ok'])
  })

  it('tell the model that nobody checked a call that the host ran', async () => {
    const { gate, call } = stage({ failMode: { low: 'open' }, tools: { 'claude-code/Bash': { materiality: 'low' } } })
    gate.outage('refused')
    await call('PreToolUse', bash)
    expect(await call('PostToolUse', { ...bash, tool_response: {} })).toEqual({
      hookSpecificOutput: {
        hookEventName: 'PostToolUse',
        additionalContext: expect.stringContaining('no policy answered for this call'),
      },
    })
  })

  it.each([
    ['no tool', { tool_input: {}, tool_use_id: 'c1' }],
    ['no call id', { tool_name: 'Bash', tool_input: {} }],
    ['an empty call id', { ...bash, tool_use_id: '' }],
    ['a server without a source', { ...bash, tool_name: 'mcp__a__b', mcp_server: { name: 'a' } }],
    ['a name that no tool may have', { ...bash, tool_name: 'Ba sh' }],
    ['arguments that are no object', { ...bash, tool_input: 'ls' }],
    ['arguments with a reserved name', { ...bash, tool_input: { __entity: 1 } }],
    ['nothing at all', {}],
  ])('deny what comes with %s', async (_, event) => {
    const { call } = stage()
    expect(decisionOf(await call('PreToolUse', event))).toBe('deny')
  })

  it('deny when the gate itself fails, and block where the hook does', async () => {
    const { me, hooks } = stage()
    const broken = Object.create(me, { admit: { value: () => Promise.reject(new Error('gone')) } }) as Gate
    const { hooks: failing } = claudeOptions(broken)
    const answer = await failing.PreToolUse[0]?.hooks[0]?.({ hook_event_name: 'PreToolUse', ...bash } as never, 'c1', {
      signal: new AbortController().signal,
    })
    expect(decisionOf(answer)).toBe('deny')
    expect(hooks.PreToolUse.map(({ onFailure, timeout }) => [onFailure, timeout])).toEqual([['block', 60]])
  })

  it('give a decision up before the host does', async () => {
    const { call } = stage(
      { timeoutMs: 60_000, policy: scriptedPoint(() => new Promise(() => undefined)) },
      { timeout: 1 },
    )
    const denied = await call('PreToolUse', bash)
    expect(JSON.stringify(denied)).toContain('cancelled')
  })

  it('permit an id once', async () => {
    const { call } = stage()
    const [one, other] = await Promise.all([call('PreToolUse', bash), call('PreToolUse', bash)])
    expect([decisionOf(one), decisionOf(other)].sort()).toEqual(['allow', 'deny'])
  })

  it('leave the last word to the host’s own rules where they are told to', async () => {
    const { call } = stage({}, { onPermit: 'leave' })
    expect(decisionOf(await call('PreToolUse', bash))).toBeUndefined()
  })

  it('say of what nothing was heard that nobody knows, when the turn is over: the agent’s own alone', async () => {
    const { call, outcomes } = stage()
    await call('PreToolUse', bash)
    await call('PreToolUse', { ...bash, tool_use_id: 'c2', agent_id: 'sub' })
    await call('Stop', {})
    expect(outcomes()).toEqual(['unknown'])
    await call('SubagentStop', { agent_id: 'sub' })
    expect(outcomes()).toEqual(['unknown', 'unknown'])
  })

  it('say that an interrupted tool was cancelled', async () => {
    const { call, outcomes } = stage()
    await call('PreToolUse', bash)
    await call('PostToolUseFailure', { ...bash, error: 'stopped', is_interrupt: true })
    expect(outcomes()).toEqual(['cancelled'])
  })

  it('keep the app’s own hooks', () => {
    const mine = { hooks: [async () => ({})] }
    const { hooks } = claudeOptions(testGate().as({ user: 'a' }), {
      hooks: { PreToolUse: [mine], SessionStart: [mine] },
    })
    expect(hooks.PreToolUse[0]).toBe(mine)
    expect(hooks.PreToolUse).toHaveLength(2)
    expect(Reflect.get(hooks, 'SessionStart')).toEqual([mine])
  })
})

describe('the host’s own question', () => {
  it('is a no where nobody can be asked, and the permitted call is cancelled', async () => {
    const { call, canUseTool, signal, outcomes } = stage()
    await call('PreToolUse', bash)
    expect(await canUseTool('Bash', { command: 'ls' }, { signal, toolUseID: 'c1' })).toMatchObject({ behavior: 'deny' })
    expect(outcomes()).toEqual(['cancelled'])
  })

  it('never comes instead of the gate’s', async () => {
    const { canUseTool, signal } = stage(
      { policy: scriptedPoint(() => DENY) },
      { canUseTool: async () => ({ behavior: 'allow' }) },
    )
    expect(await canUseTool('Bash', { command: 'ls' }, { signal, toolUseID: 'c1' })).toMatchObject({ behavior: 'deny' })
  })

  it('is answered with the decided arguments; others are decided anew', async () => {
    const policy = scriptedPoint((request) =>
      JSON.stringify(request.context.arguments).includes('rm') ? DENY : PERMIT,
    )
    const answers = [{ command: 'ls' }, { command: 'pwd' }, { command: 'rm -r .' }]
    const { call, canUseTool, signal, outcomes } = stage(
      { policy },
      {
        canUseTool: async () => ({ behavior: 'allow', updatedInput: answers.shift() ?? {} }),
      },
    )
    const asked = async (toolUseID: string) => {
      await call('PreToolUse', { ...bash, tool_use_id: toolUseID })
      return await canUseTool('Bash', { command: 'ls' }, { signal, toolUseID })
    }
    expect(await asked('c1')).toEqual({ behavior: 'allow', updatedInput: { command: 'ls' } })
    expect(await asked('c2')).toEqual({ behavior: 'allow', updatedInput: { command: 'pwd' } })
    expect(await asked('c3')).toMatchObject({ behavior: 'deny', message: expect.stringContaining('denied_by_policy') })
    expect(outcomes()).toEqual(['cancelled', 'cancelled'])
  })

  it('is a no when whoever asks throws', async () => {
    const { call, canUseTool, signal } = stage(
      {},
      {
        canUseTool: async () => {
          throw new Error('no window')
        },
      },
    )
    await call('PreToolUse', bash)
    expect(await canUseTool('Bash', { command: 'ls' }, { signal, toolUseID: 'c1' })).toMatchObject({ behavior: 'deny' })
  })
})

describe('guardTools', () => {
  const me = () => testGate().as({ user: 'alice' })
  const good = { name: 'erase', description: 'd', inputSchema: {}, handler: async () => ({ content: [] }) }

  it.each([
    [
      'guarded twice',
      () => guardTools(guardTools([good], me(), { server: 'shop' }), me(), { server: 'shop' }),
      'ERR_TOOL',
    ],
    ['without a name', () => guardTools([{ ...good, name: undefined as never }], me(), { server: 'shop' }), 'ERR_TOOL'],
    [
      'with a name that none may have',
      () => guardTools([{ ...good, name: 'a b' }], me(), { server: 'shop' }),
      'ERR_TOOL',
    ],
    [
      'without a handler',
      () => guardTools([{ ...good, handler: undefined as never }], me(), { server: 'shop' }),
      'ERR_HOST',
    ],
    ['of a server that none may be', () => guardTools([good], me(), { server: 'My Shop' }), 'ERR_TOOL'],
  ])('throws for a tool %s', (_, guard, code) => {
    expect(guard).toThrow(expect.objectContaining({ code }))
  })

  it('gates a handler that something else than the host calls, too', async () => {
    const gate = testGate({ policy: scriptedPoint(() => DENY) })
    const ran: unknown[] = []
    const handler = async (input: unknown) => {
      ran.push(input)
      return { content: [] }
    }
    const [guarded] = guardTools([{ ...good, handler }], gate.as({ user: 'alice' }), { server: 'shop' })
    expect(await guarded.handler({})).toMatchObject({ isError: true })
    expect(ran).toEqual([])
  })
})

describe('the name of a host’s tool in policies', () => {
  const named = (tool_name: string, name?: string, source = 'project', servers = {}) => {
    const mcp_server = name === undefined ? undefined : { name, source }
    const { server, tool } = toolNameOf({ tool_name, ...(mcp_server === undefined ? {} : { mcp_server }) }, { servers })
    return `${server}/${tool}`
  }

  it.each([
    ['Bash', undefined, 'project', 'claude-code/Bash'],
    ['mcp__shop__refund', 'shop', 'sdk', 'shop/refund'],
    ['mcp__shop__refund', 'shop', 'project', 'project-shop/refund'],
    ['mcp__my__shop__refund', 'my__shop', 'user', 'user-my-shop-x43iek7bp/refund'],
    ['mcp__claude_ai_Gmail__send', 'claude.ai Gmail', 'user', 'user-claude-ai-gmail-x9p9gldvb/send'],
    ['mcp__shop__refund', undefined, 'project', 'mcp-shop/refund'],
    ['mcp__other__refund', 'shop', 'sdk', 'shop/refund'],
  ])('%s of %s (%s) is %s', (tool, server, source, expected) => {
    expect(named(tool, server, source)).toBe(expected)
  })

  it('is the operator’s where they gave one, and never by the name alone', () => {
    const servers = { 'user:github': 'github' }
    expect(named('mcp__github__push', 'github', 'user', servers)).toBe('github/push')
    expect(named('mcp__github__push', 'github', 'project', servers)).toBe('project-github/push')
  })

  it('differs where two servers do', () => {
    const names = ['My Shop', 'my shop', 'my.shop', 'MY-SHOP', '', 'x'.repeat(80), 'x'.repeat(81)].map((name) =>
      named('mcp__a__b', name),
    )
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,31}\/b$/)
  })
})
