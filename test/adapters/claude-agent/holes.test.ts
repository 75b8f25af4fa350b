/** The holes that the host's own ways of asking leave, each on the real CLI. */
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { createSdkMcpServer, type Options, query, type SDKResultMessage, tool } from '@anthropic-ai/claude-agent-sdk'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type ClaudeOptions, claudeOptions, guardTools, reportOf } from '../../../adapters/claude-agent/index.ts'
import type { PolicyDecisionPoint } from '../../../src/index.ts'
import { type TestGate, type TestGateOptions, testGate } from '../../../src/testing.ts'
import { ASK, DENY, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { type Block, Surroundings, toldIn } from './cli.ts'

const open: Surroundings[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

/** A place for one or several queries, a gate, and a tool of the app's own that notes what it was run with. */
function stage(options: TestGateOptions = {}) {
  const surroundings = new Surroundings()
  open.push(surroundings)
  const gate = testGate(options)
  const me = gate.as({ user: 'alice', agent: 'support' }, { conversation: 'talk', channel: 'chat' })
  const ran: unknown[] = []
  const erase = tool('erase', 'erase', { path: z.string() }, async (given) => {
    ran.push(given)
    return { content: [{ type: 'text', text: 'gone' }] }
  })
  return { surroundings, gate, me, ran, erase, file: (name: string) => path.join(surroundings.root, name) }
}

interface Spoken {
  readonly told: ReadonlyMap<string, string>
  readonly result: SDKResultMessage | undefined
}

/** One query in which the model says these replies, one after another. */
async function converse(
  { surroundings, me, erase }: ReturnType<typeof stage>,
  replies: readonly (readonly Block[])[],
  more: { readonly guard?: ClaudeOptions; readonly options?: (guarded: object) => object; readonly bare?: true } = {},
): Promise<Spoken> {
  const { model } = surroundings
  model.replies = [...replies]
  model.asked = []
  const guarded = claudeOptions(me, more.guard)
  const tools = more.bare === true ? [erase] : guardTools([erase], me, { server: 'test' })
  const options: Options = {
    ...(await surroundings.options()),
    ...guarded,
    tools: ['Bash'],
    mcpServers: { test: createSdkMcpServer({ name: 'test', tools }) },
    ...more.options?.(guarded),
  }
  let result: SDKResultMessage | undefined
  for await (const message of query({ prompt: 'go', options })) if (message.type === 'result') result = message
  return { told: new Map(toldIn(model.asked.at(-1) ?? []).map(({ callId, text }) => [callId, text])), result }
}

function bash(command: string, id: string): Block {
  return { type: 'tool_use', id, name: 'Bash', input: { command } }
}

function erasing(target: string, id: string): Block {
  return { type: 'tool_use', id, name: 'mcp__test__erase', input: { path: target } }
}

const denying = (id: string): PolicyDecisionPoint =>
  scriptedPoint((request) => (request.resource.id === id ? { ...DENY, sentence: 'Not today.' } : PERMIT))

function outcomes(gate: TestGate): readonly (readonly [string, string])[] {
  return gate.events.flatMap((event) => (event.event === 'call-settled' ? [[event.tool, event.status] as const] : []))
}

function warnings(gate: TestGate): readonly string[] {
  return gate.events.flatMap((event) => (event.event === 'programmer-warned' ? [event.code] : []))
}

describe('a query of the Claude Agent SDK', () => {
  it('runs no denied tool, its own or the app’s, although allowedTools lists them and canUseTool is never asked', async () => {
    const here = stage({ policy: denying('test/erase') })
    const denied = await converse(
      here,
      [[erasing('/x', 'c1')], [bash('echo written > kept; exit 3', 'c2')], [bash('echo fine', 'c3')]],
      { options: () => ({ allowedTools: ['mcp__test__erase', 'Bash'] }) },
    )
    expect(here.ran).toEqual([])
    expect(denied.told.get('c1')).toContain('Not today.')
    expect(denied.told.get('c3')).toBe('fine')
    expect(outcomes(here.gate)).toEqual([
      ['claude-code/Bash', 'tool_error'],
      ['claude-code/Bash', 'ok'],
    ])
    expect(here.gate.coverage()).toContainEqual({
      host: 'claude-agent',
      server: 'claude-code',
      tool: 'Bash',
      standing: 'gated',
    })
    expect(reportOf(here.me, 'c3')?.receipts.map(({ kind }) => kind)).toEqual(['decision', 'outcome'])
    expect(warnings(here.gate)).toEqual([])
  })

  it('runs no denied tool where the host’s own permissions are bypassed', async () => {
    const here = stage({ policy: denying('claude-code/Bash') })
    const { env } = await here.surroundings.options()
    // The CLI lets nobody bypass them as root, but in what says that it is a sandbox.
    const bypassing = {
      permissionMode: 'bypassPermissions' as const,
      allowDangerouslySkipPermissions: true,
      env: { ...env, IS_SANDBOX: '1' },
    }
    const said = [[bash('echo written > leaked', 'c1')], [erasing('/x', 'c2')]]
    const denied = await converse(here, said, { options: () => bypassing })
    expect(existsSync(here.file('leaked'))).toBe(false)
    expect(denied.told.get('c1')).toContain('Not today.')
    expect(here.ran).toEqual([{ path: '/x' }])

    const ungated = await converse(here, [[bash('echo written > leaked', 'c3')]], {
      options: () => ({ ...bypassing, hooks: {} }),
    })
    expect([existsSync(here.file('leaked')), ungated.result?.subtype]).toEqual([true, 'success'])
  })

  it('runs nothing when the hook itself throws', async () => {
    const here = stage()
    const broken = await converse(here, [[bash('echo written > leaked', 'c1')], [erasing('/x', 'c2')]], {
      options: (guarded) => {
        const { hooks } = guarded as ReturnType<typeof claudeOptions>
        const throwing = async () => {
          throw new Error('no such table')
        }
        const PreToolUse = hooks.PreToolUse.map((matcher) => ({ ...matcher, hooks: [throwing] }))
        return { hooks: { ...hooks, PreToolUse }, allowedTools: ['Bash', 'mcp__test__erase'] }
      },
    })
    expect(existsSync(here.file('leaked'))).toBe(false)
    expect(here.ran).toEqual([])
    expect(broken.told.size).toBe(2)
  })

  it('decides anew on what another hook made of the arguments; of the host’s own tools it says that they ran otherwise', async () => {
    const here = stage({
      policy: scriptedPoint((request) =>
        JSON.stringify(request.context.arguments).includes('meddled') ? DENY : PERMIT,
      ),
    })
    const meddle = async (input: { readonly tool_name?: string }) => {
      // It answers last, and the host takes the last word.
      await new Promise((resolve) => setTimeout(resolve, 400))
      const updatedInput = input.tool_name === 'Bash' ? { command: 'echo meddled' } : { path: 'meddled' }
      return {
        hookSpecificOutput: {
          hookEventName: 'PreToolUse' as const,
          permissionDecision: 'allow' as const,
          updatedInput,
        },
      }
    }
    const spoken = await converse(here, [[erasing('/x', 'c1')], [bash('echo fine', 'c2')]], {
      guard: { hooks: { PreToolUse: [{ hooks: [meddle] }] } },
    })
    expect(here.ran).toEqual([])
    expect(spoken.told.get('c1')).toContain('denied_by_policy')
    expect(spoken.told.get('c2')).toBe('meddled')
    expect(warnings(here.gate)).toEqual(['ran_with_other_arguments'])
    expect(outcomes(here.gate)).toContainEqual(['claude-code/Bash', 'unknown'])
    expect(here.gate.coverage()).toContainEqual(
      expect.objectContaining({
        tool: 'Bash',
        standing: 'unknown',
        because: 'ran with other arguments than were decided',
      }),
    )
  })

  it('gates its own tools in their handlers where the hooks were lost, and says of others that they ran past it', async () => {
    const here = stage({ policy: denying('test/erase') })
    const spoken = await converse(here, [[erasing('/x', 'c1')], [bash('echo past', 'c2')]], {
      options: (guarded) => {
        const { hooks } = guarded as ReturnType<typeof claudeOptions>
        return { hooks: { ...hooks, PreToolUse: [] }, allowedTools: ['mcp__test__erase', 'Bash'] }
      },
    })
    expect(here.ran).toEqual([])
    expect(spoken.told.get('c1')).toContain('Not today.')
    expect(spoken.told.get('c2')).toBe('past')
    expect(warnings(here.gate)).toEqual(['ran_without_admission'])
    expect(here.gate.coverage()).toContainEqual(expect.objectContaining({ tool: 'Bash', standing: 'unknown' }))
  })

  it('asks the person about its own tools, too: runs what they approved, once, and nothing that they declined', async () => {
    const here = stage({
      policy: scriptedPoint((request) => (request.context.approval.confirmed ? PERMIT : ASK)),
    })
    const questions: string[] = []
    const asked = await converse(here, [[bash('echo yes > approved', 'c1')], [bash('echo no > declined', 'c2')]], {
      guard: {
        ask: async ({ request }) => {
          questions.push(request.argumentsText)
          return request.argumentsText.includes('declined') ? 'declined' : 'approved'
        },
      },
    })
    expect(questions).toEqual(['{"command":"echo yes > approved"}', '{"command":"echo no > declined"}'])
    expect(existsSync(here.file('approved'))).toBe(true)
    expect(existsSync(here.file('declined'))).toBe(false)
    expect(asked.told.get('c2')).toContain('approval_declined')
    expect(outcomes(here.gate)).toEqual([['claude-code/Bash', 'ok']])
  })
})

describe('a query that waits for a person', () => {
  const policy = scriptedPoint((request) => (request.context.approval.confirmed ? PERMIT : ASK))
  const guard: ClaudeOptions = { onApproval: 'defer' }
  const from = (result: SDKResultMessage | undefined) => () => ({ resume: result?.session_id })

  it('ends, and is resumed when there is an answer: the call runs once, and not again from a copy of the session', async () => {
    const here = stage({ policy })
    const { gate, me, surroundings, file } = here
    const paused = await converse(here, [[bash('echo once >> ran', 'c1')]], { guard })
    expect(paused.result).toMatchObject({ stop_reason: 'tool_deferred', deferred_tool_use: { id: 'c1', name: 'Bash' } })
    expect(existsSync(file('ran'))).toBe(false)
    const kept = path.join(surroundings.root, '.claude')
    cpSync(kept, file('copy'), { recursive: true })

    const [request] = await me.approvals()
    await me.answer(request?.ref ?? '', 'approved')
    const resumed = await converse(here, [], { guard, options: from(paused.result) })
    expect(resumed.result).toMatchObject({ stop_reason: 'end_turn' })
    expect(readFileSync(file('ran'), 'utf8')).toBe('once\n')

    rmSync(kept, { recursive: true })
    cpSync(file('copy'), kept, { recursive: true })
    const replayed = await converse(here, [], { guard, options: from(paused.result) })
    expect(replayed.told.get('c1')).toContain('already_executed')
    expect(readFileSync(file('ran'), 'utf8')).toBe('once\n')
    expect(gate.calls.map(({ code }) => code)).toEqual(['approval_required', undefined, 'already_executed'])
  })
})
