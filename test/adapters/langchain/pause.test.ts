import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { Command, interrupt, MemorySaver, MessagesAnnotation, Send, StateGraph } from '@langchain/langgraph'
import { ToolNode } from '@langchain/langgraph/prebuilt'
import { createAgent } from 'langchain'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardTools, holdpointMiddleware, type Question } from '../../../adapters/langchain/index.ts'
import type { Clock, Gate } from '../../../src/index.ts'
import { testGate } from '../../../src/testing.ts'
import { ASK, scriptedPoint } from '../../support/scripted-point.ts'
import { ScriptedModel } from './host.ts'

const PERMIT = { kind: 'permit', determining: ['script'], obligations: [], errors: [] } as const

/** Payments need their person's yes; everything else runs. */
const asking = () =>
  scriptedPoint((request) =>
    request.resource.id === 'test/pay' && !request.context.approval.confirmed ? (ASK as never) : (PERMIT as never),
  )

/** A gate, a person in a chat, and a tool that pays. */
function shop(channel: 'chat' | 'none' = 'chat', who: { readonly user?: string } = { user: 'alice' }, clock?: Clock) {
  const gate = testGate({ policy: asking(), ...(clock === undefined ? {} : { clock }) })
  const me = gate.as({ ...who, agent: 'support' }, { conversation: 'talk', channel })
  const ran: number[] = []
  const pay = tool(
    async ({ amount }: { amount: number }) => {
      ran.push(amount)
      return `paid ${amount}`
    },
    { name: 'pay', description: 'pays', schema: z.object({ amount: z.number() }) },
  )
  return { gate, me, ran, pay }
}

function call(amount: number, id: string) {
  return { tool: 'pay', input: { amount }, id }
}

let threads = 0
function thread() {
  return { configurable: { thread_id: `t${threads++}` } }
}

const GO = { messages: [new HumanMessage('go')] }
const APPROVE = { decisions: [{ type: 'approve' }] }

interface State {
  readonly messages: readonly { readonly content: unknown }[]
  readonly __interrupt__?: readonly { readonly id: string; readonly value: Question }[]
}

/** An agent with the middleware, whose model asks for these calls in one step. */
function agentOf(me: Gate, tools: readonly object[], ...step: ReturnType<typeof call>[]) {
  const model = new ScriptedModel([step])
  const agent = createAgent({
    model,
    tools: tools as never,
    checkpointer: new MemorySaver(),
    middleware: [holdpointMiddleware(me)],
  })
  return {
    agent,
    invoke: async (input: unknown, at: object) => (await agent.invoke(input as never, at)) as unknown as State,
  }
}

function told(state: State, id: string): string {
  const found = state.messages.find((message) => ToolMessage.isInstance(message) && message.tool_call_id === id)
  return String(found?.content)
}

function byId(state: State, resume: unknown = APPROVE) {
  return new Command({ resume: Object.fromEntries((state.__interrupt__ ?? []).map(({ id }) => [id, resume])) })
}

describe('a graph that pauses for a person', () => {
  it("asks in the shape of LangChain's own middleware, with exactly what would run", async () => {
    const { me, pay } = shop()
    const { invoke } = agentOf(me, [pay], call(5, 'c1'))
    const [question] = (await invoke(GO, thread())).__interrupt__ ?? []
    expect(question?.value).toMatchObject({
      actionRequests: [{ name: 'pay', args: { amount: 5 }, description: expect.stringContaining('test/pay') }],
      reviewConfigs: [{ actionName: 'pay', allowedDecisions: ['approve', 'reject'] }],
      holdpoint: { ref: expect.stringMatching(/^hp_/), requires: 'confirmation', argumentsText: '{"amount":5}' },
    })
  })

  it('runs the call with a plain yes where only one question can be open, and does not repeat its sibling', async () => {
    const { me, pay, ran } = shop()
    const looks: unknown[] = []
    const look = tool(async () => String(looks.push('looked')), {
      name: 'look',
      description: 'l',
      schema: z.object({}),
    })
    const lone = agentOf(me, [pay], call(5, 'c1'))
    const at = thread()
    await lone.invoke(GO, at)
    expect(told(await lone.invoke(new Command({ resume: APPROVE }), at), 'c1')).toBe('paid 5')

    const both = agentOf(me, [pay, look], call(6, 'c1'), { tool: 'look', input: {}, id: 'c2' } as never)
    const where = thread()
    const paused = await both.invoke(GO, where)
    const state = await both.invoke(byId(paused), where)
    expect([told(state, 'c1'), told(state, 'c2')]).toEqual(['paid 6', '1'])
    expect(ran).toEqual([5, 6])
    expect(looks).toHaveLength(1)
  })

  it('tells the model what the person said who declined, and their no is for good', async () => {
    const { me, pay, ran } = shop()
    const { invoke } = agentOf(me, [pay], call(5, 'c1'))
    const at = thread()
    await invoke(GO, at)
    const said = await invoke(new Command({ resume: { decisions: [{ type: 'reject', message: 'too much' }] } }), at)
    expect(told(said, 'c1')).toContain('approval_declined')
    const again = await agentOf(me, [pay], call(5, 'c7')).invoke(GO, thread())
    expect(again.__interrupt__ ?? []).toEqual([])
    expect(ran).toEqual([])
  })

  it('takes a yes without an id for none where two questions are open: LangGraph gives it to both', async () => {
    const { gate, me, pay, ran } = shop()
    const { invoke } = agentOf(me, [pay], call(5, 'c1'), call(7_000, 'c2'))
    const at = thread()
    expect((await invoke(GO, at)).__interrupt__).toHaveLength(2)
    const state = await invoke(new Command({ resume: APPROVE }), at)
    expect(ran).toEqual([])
    expect(told(state, 'c1')).toContain('approval_pending')
    expect(told(state, 'c2')).toContain('approval_pending')
    expect(gate.events).toContainEqual(expect.objectContaining({ code: 'answer_without_id' }))
  })

  it('runs the one of two calls that was approved by its id, and not the one that was declined', async () => {
    const { me, pay, ran } = shop()
    const { invoke } = agentOf(me, [pay], call(5, 'c1'), call(7_000, 'c2'))
    const at = thread()
    const [small, large] = (await invoke(GO, at)).__interrupt__ ?? []
    expect(small?.value.actionRequests[0].args).toEqual({ amount: 5 })
    const resume = { [small?.id ?? '']: APPROVE, [large?.id ?? '']: { decisions: [{ type: 'reject' }] } }
    const state = await invoke(new Command({ resume }), at)
    expect(ran).toEqual([5])
    expect(told(state, 'c2')).toContain('approval_declined')
  })

  it('does not run arguments that were changed in the saved state after the question', async () => {
    const { me, pay, ran } = shop()
    const { agent, invoke } = agentOf(me, [pay], call(5, 'c1'))
    const at = thread()
    await invoke(GO, at)
    const { values } = (await agent.graph.getState(at)) as unknown as { values: { messages: AIMessage[] } }
    const asked = values.messages.find(AIMessage.isInstance)
    const edited = new AIMessage({
      ...(asked?.id === undefined ? {} : { id: asked.id }),
      content: '',
      tool_calls: [{ type: 'tool_call', name: 'pay', args: { amount: 7_000 }, id: 'c1' }],
    })
    await agent.graph.updateState(at, { messages: [edited] }, 'model_request')
    await invoke(new Command({ resume: APPROVE }), at)
    expect(ran).toEqual([])
  })

  it('does not take a yes that comes too late for one to the question that is asked anew', async () => {
    let later = 0
    const clock: Clock = { now: () => Date.now() + later, monotonic: () => performance.now() + later }
    const { me, pay, ran } = shop('chat', { user: 'alice' }, clock)
    const { invoke } = agentOf(me, [pay], call(5, 'c1'))
    const at = thread()
    const paused = await invoke(GO, at)
    later = 16 * 60_000
    const state = await invoke(byId(paused), at)
    expect(ran).toEqual([])
    expect(told(state, 'c1')).toContain('approval_required')
    const [anew] = await me.approvals()
    expect(anew?.ref).not.toBe(paused.__interrupt__?.[0]?.value.holdpoint.ref)
  })

  it.each([
    ['an edit', { decisions: [{ type: 'edit', editedAction: { name: 'pay', args: { amount: 7_000 } } }] }],
    ['two decisions', { decisions: [{ type: 'approve' }, { type: 'approve' }] }],
    ['a bare yes', true],
    ['a text', 'approve'],
    ['an answer of another shape', { approved: true }],
    ['an unknown decision', { decisions: [{ type: 'APPROVE' }] }],
    ['nothing', { decisions: [] }],
  ])('takes %s for no answer: the model is told, and the run goes on', async (_, resume) => {
    const { gate, me, pay, ran } = shop()
    const { invoke } = agentOf(me, [pay], call(5, 'c1'))
    const at = thread()
    await invoke(GO, at)
    const state = await invoke(new Command({ resume }), at)
    expect(ran).toEqual([])
    expect(told(state, 'c1')).toContain('approval_pending')
    expect(state.messages.at(-1)?.content).toBe('done')
    expect(gate.events).toContainEqual(expect.objectContaining({ code: 'answer_not_read' }))
  })

  it.each([
    ['whose person nobody signed in', {}, 'chat'],
    ['that cannot answer', { user: 'alice' }, 'none'],
  ] as const)('does not pause for a chat %s: the call is refused with a reference', async (_, who, channel) => {
    const { me, pay, ran } = shop(channel, who)
    const state = await agentOf(me, [pay], call(5, 'c1')).invoke(GO, thread())
    expect(state.__interrupt__ ?? []).toEqual([])
    expect(told(state, 'c1')).toMatch(/approval_required.*hp_/s)
    expect(ran).toEqual([])
  })

  it('does not pause without a checkpointer, and the identical call goes through once somebody said yes', async () => {
    const { me, pay, ran } = shop()
    const bare = createAgent({ model: new ScriptedModel([[call(5, 'c1')]]), tools: guardTools([pay], me) as never })
    const state = (await bare.invoke(GO as never)) as unknown as State
    expect(told(state, 'c1')).toContain('approval_required')
    const [request] = await me.approvals()
    await me.answer(request?.ref ?? '', 'approved')
    const next = createAgent({ model: new ScriptedModel([[call(5, 'c2')]]), tools: guardTools([pay], me) as never })
    expect(told((await next.invoke(GO as never)) as unknown as State, 'c2')).toBe('paid 5')
    expect(ran).toEqual([5])
  })
})

describe('a saved state', () => {
  it('executes nothing twice, whichever of its checkpoints is played again', async () => {
    const { me, pay, ran } = shop()
    const { agent, invoke } = agentOf(me, [pay], call(5, 'c1'))
    const at = thread()
    const paused = await invoke(GO, at)
    await invoke(byId(paused), at)
    expect(ran).toEqual([5])
    const history: { readonly config: object; readonly next: readonly string[] }[] = []
    for await (const snapshot of agent.graph.getStateHistory(at)) history.push(snapshot as never)
    expect(history.length).toBeGreaterThan(3)
    for (const { config } of history) {
      await invoke(null, config).catch(() => undefined)
      await invoke(byId(paused), config).catch(() => undefined)
      await invoke(new Command({ resume: APPROVE }), config).catch(() => undefined)
    }
    expect(ran).toEqual([5])
  })

  it('of calls that need no yes executes nothing twice either', async () => {
    const gate = testGate()
    const me = gate.as({ user: 'alice' }, { conversation: 'talk' })
    const { pay, ran } = shop()
    const { agent, invoke } = agentOf(me, [pay], call(5, 'c1'))
    const at = thread()
    await invoke(GO, at)
    for await (const { config } of agent.graph.getStateHistory(at)) await invoke(null, config as object)
    expect(ran).toEqual([5])
  })

  it('resumes in another process with the same store', async () => {
    const { gate, pay, ran } = shop()
    const checkpointer = new MemorySaver()
    const at = thread()
    const begin = () => {
      const me = gate.as({ user: 'alice' }, { conversation: 'talk', channel: 'chat' })
      const model = new ScriptedModel([[call(5, 'c1')]])
      return createAgent({ model, tools: guardTools([pay], me) as never, checkpointer })
    }
    await begin().invoke(GO as never, at)
    const state = (await begin().invoke(new Command({ resume: APPROVE }) as never, at)) as unknown as State
    expect(told(state, 'c1')).toBe('paid 5')
    expect(ran).toEqual([5])
  })
})

describe('a prebuilt ToolNode', () => {
  /** The node alone, on a message that a model could have written. */
  function nodeGraph(node: ToolNode, ids: readonly string[], split: boolean) {
    const asked = new AIMessage({
      content: '',
      tool_calls: ids.map((id, index) => ({ type: 'tool_call', name: 'pay', args: { amount: index + 5 }, id })),
    })
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('ask', () => ({ messages: [asked] }))
      .addNode('tools', node)
      .addEdge('__start__', 'ask')
    const calls = asked.tool_calls ?? []
    const wired = split
      ? graph.addConditionalEdges(
          'ask',
          (state) => calls.map((lg_tool_call) => new Send('tools', { ...state, lg_tool_call })),
          ['tools'],
        )
      : graph.addEdge('ask', 'tools')
    return wired.compile({ checkpointer: new MemorySaver() }) as unknown as {
      invoke(input: unknown, at: object): Promise<State>
    }
  }

  it('pauses for calls that it was sent one by one', async () => {
    const { me, pay, ran } = shop()
    const graph = nodeGraph(new ToolNode(guardTools([pay], me)), ['c1', 'c2'], true)
    const at = thread()
    const paused = await graph.invoke(GO, at)
    expect(paused.__interrupt__).toHaveLength(2)
    await graph.invoke(byId(paused), at)
    expect([...ran].sort()).toEqual([5, 6])
  })

  it('with several calls in one task does not pause, since its questions could be mistaken for one another', async () => {
    const { me, pay, ran } = shop()
    const graph = nodeGraph(new ToolNode(guardTools([pay], me)), ['c1', 'c2'], false)
    const state = await graph.invoke(GO, thread())
    expect(state.__interrupt__ ?? []).toEqual([])
    expect(told(state, 'c1')).toContain('approval_required')
    expect(told(state, 'c2')).toContain('approval_required')
    expect(ran).toEqual([])
  })
})

describe('a tool that pauses its graph by itself', () => {
  function asker(ran: unknown[]) {
    return tool(
      async ({ name }: { name: string }) => {
        const answer = interrupt({ really: name })
        ran.push(answer)
        return `did ${String(answer)}`
      },
      { name: 'book', description: 'books', schema: z.object({ name: z.string() }) },
    )
  }
  const booking = { tool: 'book', input: { name: 'x' }, id: 'c1' } as never

  it('runs once: on resuming it is refused, and its programmer is told what to say', async () => {
    const { gate, me } = shop()
    const ran: unknown[] = []
    const { invoke } = agentOf(me, [asker(ran)], booking)
    const at = thread()
    expect((await invoke(GO, at)).__interrupt__?.[0]?.value).toEqual({ really: 'x' })
    expect(told(await invoke(new Command({ resume: 'yes' }), at), 'c1')).toContain('already_executed')
    expect(ran).toEqual([])
    expect(gate.events).toContainEqual(
      expect.objectContaining({ code: 'tool_paused', message: expect.stringContaining("pauses: ['book']") }),
    )
  })

  it('goes on after an answer where it is named in `pauses`, and a replay of that answer does nothing', async () => {
    const { gate, me } = shop()
    const ran: unknown[] = []
    const model = new ScriptedModel([[booking]])
    const tools = guardTools([asker(ran)], me, { pauses: ['book'] }) as never
    const agent = createAgent({ model, tools, checkpointer: new MemorySaver() })
    const at = thread()
    await agent.invoke(GO as never, at)
    const { config } = await agent.graph.getState(at)
    const state = (await agent.invoke(new Command({ resume: 'yes' }) as never, at)) as unknown as State
    expect(told(state, 'c1')).toBe('did yes')
    const again = (await agent.invoke(new Command({ resume: 'yes' }) as never, config as never)) as unknown as State
    expect(told(again, 'c1')).toContain('already_executed')
    expect(ran).toEqual(['yes'])
    expect(gate.calls.filter(({ outcome }) => outcome === 'permitted')).toHaveLength(2)
  })

  it.each([
    ['by id', byId, 'paid 5', [5]],
    ['without one', () => new Command({ resume: APPROVE }), 'approval_pending', []],
  ] as const)(
    'such as an agent in a tool passes its tools’ question on, answered %s',
    async (_, resume, said, paid) => {
      const { me, pay, ran } = shop()
      const inner = createAgent({ model: new ScriptedModel([[call(5, 'i1')]]), tools: guardTools([pay], me) as never })
      const delegate = tool(async () => told((await inner.invoke(GO as never)) as unknown as State, 'i1'), {
        name: 'delegate',
        description: 'd',
        schema: z.object({}),
      })
      const outer = createAgent({
        model: new ScriptedModel([[{ tool: 'delegate', input: {}, id: 'o1' } as never]]),
        tools: guardTools([delegate], me, { pauses: ['delegate'] }) as never,
        checkpointer: new MemorySaver(),
      })
      const at = thread()
      const paused = (await outer.invoke(GO as never, at)) as unknown as State
      expect(paused.__interrupt__?.[0]?.value.actionRequests[0].args).toEqual({ amount: 5 })
      expect(told((await outer.invoke(resume(paused) as never, at)) as unknown as State, 'o1')).toContain(said)
      expect(ran).toEqual(paid)
    },
  )
})
