import { createCodeMode, createTool } from '@mastra/core/tools'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { tool as vercelTool } from 'ai'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  approvalFor,
  type GuardOptions,
  guardTools,
  holdpointHooks,
  isRefusal,
  reportOf,
  requestOf,
} from '../../../adapters/mastra/index.ts'
import type { Gate } from '../../../src/index.ts'
import { type TestGate, type TestGateOptions, testGate } from '../../../src/testing.ts'
import { ASK, scriptedPoint } from '../../support/scripted-point.ts'
import { agentOf, scriptedModel } from './host.ts'

const NO_ERASING = `@id("all") permit (principal, action, resource);
@id("no") @refusal("Nothing is erased here.") forbid (principal, action == Action::"test/erase", resource);`

const PERMIT = { kind: 'permit', determining: ['script'], obligations: [], errors: [] } as const

const asking = () =>
  scriptedPoint((request) =>
    request.resource.id === 'test/pay' && !request.context.approval.confirmed ? (ASK as never) : (PERMIT as never),
  )

function gateOf(
  options: TestGateOptions = {},
  channel: 'chat' | 'none' = 'none',
): { readonly gate: TestGate; readonly me: Gate } {
  const gate = testGate(options)
  return { gate, me: gate.as({ user: 'alice' }, { conversation: 'talk', channel }) }
}

interface Runs {
  execute(input: unknown, context?: unknown): Promise<unknown>
}

function noting(id: string, ran: unknown[], more: object = {}) {
  return createTool({
    id,
    description: id,
    inputSchema: z.object({ path: z.string(), force: z.boolean().default(false) }),
    execute: async (input: unknown) => {
      ran.push(input)
      return { done: true }
    },
    ...more,
  } as never) as unknown as Runs
}

function call(tool: string, input: unknown = { path: '/x' }, id = 'c1') {
  return { tool, input, id }
}

/** What the model was told last. */
async function told(tools: object, more: object, ...step: ReturnType<typeof call>[]): Promise<string> {
  const { model, prompts } = scriptedModel([step])
  const { agent } = agentOf(model, tools, more)
  const { text } = await agent.generate('go', { maxSteps: 4 })
  expect(text).toBe('done')
  return JSON.stringify(
    prompts()
      .at(-1)
      ?.filter(({ role }) => role === 'tool'),
  )
}

describe('guarded tools', () => {
  it('never run on other arguments than were decided, though the host reads them once more', async () => {
    const { me } = gateOf()
    const ran: unknown[] = []
    const inputSchema = z.object({ amount: z.number().transform((amount) => amount * 100) })
    const { pay } = guardTools({ pay: noting('pay', ran, { inputSchema }) }, me)
    for (const context of [undefined, { workflow: { runId: 'r1', workflowId: 'w' } }])
      await expect(pay.execute({ amount: 4 }, context)).rejects.toThrow('other arguments than were decided')
    expect(ran).toEqual([])
    const { read } = guardTools({ read: noting('read', ran) }, me)
    await read.execute({ path: '/x' })
    expect(ran).toEqual([{ path: '/x', force: false }])
  })

  it('hold in code mode, which no hook sees: with hooks alone the call runs', async () => {
    const { me } = gateOf({ policy: NO_ERASING })
    const ran: unknown[] = []
    const results: unknown[] = []
    const transport = {
      requiresSandbox: false,
      run: async ({ dispatch }: { dispatch(tool: string, args: unknown): Promise<unknown> }) => {
        const result = await dispatch('erase', { path: '/x' }).catch((error: unknown) => String(error))
        results.push(result)
        return { success: true, result, logs: [] }
      },
    }
    const code = (tools: object) => ({
      execute_typescript: createCodeMode({ tools } as never, transport as never).tool,
    })
    const asked: string[] = []
    const hooks = { beforeToolCall: async ({ toolName }: { toolName: string }) => void asked.push(toolName) }
    const program = call('execute_typescript', { code: 'x' })
    await told(code({ erase: noting('erase', ran) }), { hooks }, program)
    expect([asked, ran]).toEqual([['execute_typescript'], [{ path: '/x', force: false }]])

    await told(code(guardTools({ erase: noting('erase', ran) }, me)), { hooks }, program)
    expect(ran).toHaveLength(1)
    expect(results.at(-1)).toContain('Nothing is erased here.')
  })

  it('hold where hooks of one run take the place of the agent’s', async () => {
    const { me } = gateOf({ policy: NO_ERASING })
    const ran: unknown[] = []
    const tools = guardTools({ erase: noting('erase', ran) }, me)
    const { model, prompts } = scriptedModel([[call('erase')]])
    const { agent } = agentOf(model, tools, { hooks: holdpointHooks(me, { tools }) })
    await agent.generate('go', { hooks: { beforeToolCall: () => undefined } })
    expect(ran).toEqual([])
    expect(JSON.stringify(prompts().at(-1))).toContain('Nothing is erased here.')
  })

  it('hold when a program calls them, with what their schema makes of the arguments', async () => {
    const { gate, me } = gateOf({ policy: NO_ERASING })
    const ran: unknown[] = []
    const { read, erase } = guardTools({ read: noting('read', ran), erase: noting('erase', ran) }, me)
    expect(await read.execute({ path: '/x' })).toEqual({ done: true })
    expect(ran).toEqual([{ path: '/x', force: false }])
    const refused = await erase.execute({ path: '/x' })
    expect(isRefusal(refused)).toBe(true)
    expect(refused).toMatchObject({
      error: true,
      code: 'denied_by_policy',
      validationErrors: { errors: [expect.any(String)] },
    })
    expect(await read.execute({ path: 7 })).toMatchObject({ error: true, code: 'arguments_rejected' })
    expect(await read.execute(undefined)).toMatchObject({ error: true, code: 'arguments_rejected' })
    expect(ran).toHaveLength(1)
    expect(gate.calls.map(({ code }) => code)).toEqual([
      undefined,
      'denied_by_policy',
      'arguments_rejected',
      'arguments_rejected',
    ])
  })

  it('keep a refusal away from the output schema, and from the tool’s own words to the model', async () => {
    const { me } = gateOf({ policy: NO_ERASING })
    const formatted: unknown[] = []
    const erase = noting('erase', [], {
      outputSchema: z.object({ done: z.boolean() }),
      toModelOutput: (output: unknown) => ({ type: 'text', value: `formatted ${formatted.push(output)}` }),
    })
    const text = await told(guardTools({ erase }, me), {}, call('erase'))
    expect(text).toContain('Nothing is erased here.')
    expect(text).not.toContain('validation failed')
    expect(formatted).toEqual([])
  })

  it('of the AI SDK hold in an agent as well', async () => {
    const { me } = gateOf({ policy: NO_ERASING })
    const ran: unknown[] = []
    const erase = vercelTool({
      description: 'd',
      inputSchema: z.object({ path: z.string() }),
      execute: async (input) => String(ran.push(input)),
    })
    expect(await told(guardTools({ erase }, me), {}, call('erase'))).toContain('Nothing is erased here.')
    expect(ran).toEqual([])
  })

  it('run once for a call id that comes again, and tell the model of a tool that it does not have', async () => {
    const { me } = gateOf()
    const ran: unknown[] = []
    const tools = guardTools({ read: noting('read', ran) }, me)
    await told(tools, {}, call('read'), call('read'))
    expect(await told(tools, {}, call('read'))).toContain('already_executed')
    expect(ran).toHaveLength(1)
    expect(await told(tools, {}, call('ghost', {}, 'c3'))).toContain('not found')
  })

  it('tell the model of a call that ran unchecked, beside whatever the tool gives and says', async () => {
    const { gate, me } = gateOf({
      failMode: { low: 'open' },
      tools: { text: { materiality: 'low' }, object: { materiality: 'low' }, worded: { materiality: 'low' } },
    })
    gate.outage('refused')
    const execute = async () => ({ a: 1 })
    const formatted: unknown[] = []
    const tools = guardTools(
      {
        text: noting('text', [], { execute: async () => 'x' }),
        object: noting('object', [], { execute }),
        worded: noting('worded', [], {
          execute,
          toModelOutput: (output: unknown) => ({ type: 'text', value: `worded ${formatted.push(output)}` }),
        }),
      },
      me,
    )
    for (const name of ['text', 'object', 'worded'])
      expect(await told(tools, {}, call(name, { path: '/' }, name)), name).toContain('no policy answered')
    expect(formatted).toEqual([{ a: 1 }])
  })

  it('keep back of result and previews what policy wants kept back', async () => {
    const { me } = gateOf({
      policy: `@id("all") @obligation("redact_output:{\\"paths\\":[\\"/secret\\"]}") permit (principal, action, resource);`,
    })
    const read = noting('read', [], {
      execute: async (_: unknown, { writer }: { writer?: { write(chunk: unknown): Promise<void> } }) => {
        await writer?.write({ secret: 's 3', step: 1 })
        return { secret: 's 3', plain: 'yes' }
      },
    })
    const { model, prompts } = scriptedModel([[call('read')]])
    const { agent } = agentOf(model, guardTools({ read }, me))
    const output = await agent.stream('go')
    const chunks: unknown[] = []
    for await (const chunk of output.fullStream) chunks.push(chunk)
    expect(JSON.stringify(chunks)).toContain('"step":1')
    expect(JSON.stringify([chunks, prompts()])).not.toContain('s 3')
  })

  it('leave what became of a call in the side channel', async () => {
    const { gate, me } = gateOf({ policy: NO_ERASING })
    await told(guardTools({ erase: noting('erase', []) }, me), {}, call('erase'))
    const [receipt] = (await gate.receipts()).filter(({ kind }) => kind === 'decision')
    expect(reportOf(me, 'c1')).toMatchObject({ outcome: 'refused', receipts: [{ id: receipt?.id }] })
  })
})

describe('a workflow', () => {
  function paying(tool: object) {
    return createWorkflow({
      id: 'w',
      inputSchema: z.object({ path: z.string(), force: z.boolean() }),
      outputSchema: z.any(),
    })
      .then(createStep(tool as never))
      .then(
        createStep({
          id: 'after',
          inputSchema: z.any(),
          outputSchema: z.any(),
          execute: async ({ inputData }) => ({ after: inputData }),
        }),
      )
      .commit()
  }
  const inputData = { path: '/x', force: true }
  const withOutput = { outputSchema: z.any() }

  it('fails at a refused step: nothing after it takes the refusal for a result', async () => {
    const { me } = gateOf({ policy: NO_ERASING })
    const ran: unknown[] = []
    const { erase } = guardTools({ erase: noting('erase', ran, withOutput) }, me)
    const run = await paying(erase).createRun()
    const result = await run.start({ inputData })
    expect(result.status).toBe('failed')
    expect(JSON.stringify(result.steps)).not.toContain('"after"')
    expect(result.status === 'failed' && result.error.message).toContain('Nothing is erased here.')
    expect(ran).toEqual([])
  })

  it('runs a step once in one run, however often it is tried again, and each run by itself', async () => {
    const { me } = gateOf()
    const ran: unknown[] = []
    const { read } = guardTools({ read: noting('read', ran, withOutput) }, me)
    const workflow = paying(read)
    for (const _ of [1, 2]) expect((await (await workflow.createRun()).start({ inputData })).status).toBe('success')
    expect(ran).toHaveLength(2)
    const again = { workflow: { runId: 'r1', workflowId: 'w' } }
    await read.execute(inputData, again)
    await expect(read.execute(inputData, again)).rejects.toThrow('already_executed')
    expect(ran).toHaveLength(3)
  })

  it('may repeat a step that is named for it', async () => {
    const { me } = gateOf()
    const ran: unknown[] = []
    const { read } = guardTools({ read: noting('read', ran) }, me, { repeats: ['read'] })
    for (const _ of [1, 2]) await read.execute(inputData, { workflow: { runId: 'r1' } })
    expect(ran).toHaveLength(2)
  })
})

describe('approvals', () => {
  function paused(options: GuardOptions = {}) {
    const { gate, me } = gateOf({ policy: asking() }, 'chat')
    const ran: unknown[] = []
    const tools = guardTools({ pay: noting('pay', ran) }, me, options)
    const { model, prompts } = scriptedModel([[call('pay')]])
    const { agent } = agentOf(model, tools)
    return { gate, me, ran, tools, agent, last: () => JSON.stringify(prompts().at(-1)) }
  }

  it('suspend the run; the host’s own yes is a pointer, and runs nothing that our store has no yes for', async () => {
    const { me, ran, tools, agent, last } = paused()
    const requireToolApproval = approvalFor(tools)
    const { runId = '', finishReason } = await agent.generate('go', { requireToolApproval })
    expect(finishReason).toBe('suspended')
    expect(await requestOf(tools.pay, { path: '/x' })).toMatchObject({ argumentsText: '{"force":false,"path":"/x"}' })
    expect(await requestOf(tools.pay, { path: '/other' })).toBeUndefined()
    expect(await me.approvals()).toHaveLength(1)
    await agent.approveToolCallGenerate({ runId, toolCallId: 'c1', requireToolApproval } as never)
    expect(ran).toEqual([])
    expect(last()).toContain('approval_')
  })

  it('are declined in the host’s own way, and nothing runs', async () => {
    const { ran, tools, agent, last } = paused()
    const { runId = '' } = await agent.generate('go', { requireToolApproval: approvalFor(tools) })
    await agent.declineToolCallGenerate({ runId, toolCallId: 'c1', reason: 'too much' } as never)
    expect(ran).toEqual([])
    expect(last()).toContain('too much')
  })

  it('are left out by a program that forgets to ask: the call is refused with a reference', async () => {
    const { ran, agent, last } = paused()
    const { finishReason } = await agent.generate('go')
    expect(finishReason).not.toBe('suspended')
    expect(last()).toMatch(/approval_required.*hp_/)
    expect(ran).toEqual([])
  })
})

describe('a tool that suspends its run by itself', () => {
  function booking(options: GuardOptions) {
    const { gate, me } = gateOf()
    const ran: unknown[] = []
    const book = createTool({
      id: 'book',
      description: 'books',
      inputSchema: z.object({ name: z.string() }),
      suspendSchema: z.object({ really: z.string() }),
      resumeSchema: z.object({ yes: z.boolean() }),
      execute: async ({ name }: { name: string }, context: never) => {
        const { resumeData, suspend } = Reflect.get(context, 'agent') as {
          resumeData?: { yes: boolean }
          suspend(payload: object): Promise<void>
        }
        if (resumeData === undefined) return await suspend({ really: name })
        ran.push(resumeData)
        return `booked ${name}`
      },
    } as never)
    const tools = guardTools({ book } as never, me, options)
    const { model, prompts } = scriptedModel([[call('book', { name: 'x' })]])
    const { agent } = agentOf(model, tools)
    return { gate, ran, agent, last: () => JSON.stringify(prompts().at(-1)) }
  }

  it('runs once: on resuming it is refused, and its programmer is told what to say', async () => {
    const { gate, ran, agent, last } = booking({})
    const { runId = '', finishReason } = await agent.generate('go')
    expect(finishReason).toBe('suspended')
    await agent.resumeGenerate({ yes: true }, { runId, toolCallId: 'c1' } as never)
    expect(ran).toEqual([])
    expect(last()).toContain('outcome_unknown')
    expect(gate.events).toContainEqual(expect.objectContaining({ code: 'tool_paused' }))
  })

  it('goes on after an answer where it is named in `pauses`', async () => {
    const { gate, ran, agent, last } = booking({ pauses: ['book'] })
    const { runId = '' } = await agent.generate('go')
    await agent.resumeGenerate({ yes: true }, { runId, toolCallId: 'c1' } as never)
    expect(ran).toEqual([{ yes: true }])
    expect(last()).toContain('booked x')
    expect(gate.calls.filter(({ outcome }) => outcome === 'permitted')).toHaveLength(2)
  })
})

describe('hooks', () => {
  it('gate the tools that nobody guarded, refuse those that they were not shown, and leave guarded ones to themselves', async () => {
    const { gate, me } = gateOf({ policy: NO_ERASING })
    const ran: unknown[] = []
    const shown = {
      ...guardTools({ read: noting('read', ran) }, me),
      erase: noting('erase', ran),
      look: noting('look', ran),
    }
    const hooks = holdpointHooks(me, { tools: shown })
    const tools = { ...shown, stray: noting('stray', ran) }
    expect(await told(tools, { hooks }, call('erase'))).toContain('Nothing is erased here.')
    expect(await told(tools, { hooks }, call('stray', {}, 'c2'))).toContain('tool_unknown')
    expect(ran).toEqual([])
    await told(tools, { hooks }, call('look', { path: '/x' }, 'c3'), call('read', { path: '/x' }, 'c4'))
    expect(ran).toHaveLength(2)
    expect(gate.calls).toHaveLength(4)
    expect(gate.events).toContainEqual(expect.objectContaining({ code: 'stray_tool' }))
    expect((await gate.receipts()).filter(({ kind }) => kind === 'outcome')).toHaveLength(2)
  })

  it('trip the wire when another tool has taken a guarded one’s name', async () => {
    const { gate, me } = gateOf()
    const tools = guardTools({ read: noting('read', []) }, me)
    await told({ read: noting('read', []) }, { hooks: holdpointHooks(me, { tools }) }, call('read'))
    expect(gate.events).toContainEqual(expect.objectContaining({ code: 'ran_without_admission' }))
    expect(gate.coverage()).toContainEqual(expect.objectContaining({ tool: 'read', standing: 'unknown' }))
  })

  it('let nothing run unchecked, since they could not tell the model', async () => {
    const { gate, me } = gateOf({ failMode: { low: 'open' }, tools: { look: { materiality: 'low' } } })
    gate.outage('refused')
    const ran: unknown[] = []
    const tools = { look: noting('look', ran) }
    expect(await told(tools, { hooks: holdpointHooks(me, { tools }) }, call('look'))).toContain('did not run')
    expect(ran).toEqual([])
  })
})

describe('what the programmer is told at once', () => {
  const search = { type: 'provider-defined', id: 'acme.search', args: {} }
  const client = createTool({ id: 'pick', description: 'd', inputSchema: z.object({}) })
  const theirs = noting('wipe', [], { mcpMetadata: { serverName: 'files' } })

  it.each([
    ['a tool that the provider runs', { search }, 'ERR_UNGATED', /search.*ungated: \['search'\]/],
    ['a tool without code', { client }, 'ERR_UNGATED', /client/],
    ['a name that no tool may have', { 'a tool': noting('a', []) }, 'ERR_TOOL', /a tool/],
    ['names that differ by case alone', { a: noting('a', []), A: noting('A', []) }, 'ERR_TOOL', /only in case/],
    ['tools over MCP without a server', { wipe: theirs }, 'ERR_TOOL', /wipe.*server/],
  ])('%s', (_, tools, code, message) => {
    const { me } = gateOf()
    const expected = expect.objectContaining({ code, message: expect.stringMatching(message) })
    expect(() => guardTools(tools, me)).toThrow(expected)
    expect(() => holdpointHooks(me, { tools })).toThrow(expected)
  })

  it('that a tool is guarded already; and accepts what is named', () => {
    const { gate, me } = gateOf()
    const once = guardTools({ a: noting('a', []), search }, me, { ungated: ['search'] })
    expect(() => guardTools({ a: once.a }, me)).toThrow(expect.objectContaining({ code: 'ERR_TOOL' }))
    guardTools({ wipe: theirs }, me, { server: 'files' })
    expect(gate.coverage().map(({ server, tool, standing }) => [server, tool, standing])).toEqual([
      ['files', 'wipe', 'gated'],
      ['test', 'a', 'gated'],
      ['test', 'search', 'ungated'],
    ])
  })
})
