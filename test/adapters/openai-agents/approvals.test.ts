import { Agent, Runner, RunState, type Tool, tool } from '@openai/agents'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { answerInterruption, guardAgent, guardTools, questionOf } from '../../../adapters/openai-agents/index.ts'
import type { Gate, PolicyDecisionPoint } from '../../../src/index.ts'
import { createMemoryStore, type TestGate, testGate } from '../../../src/testing.ts'
import { ASK, DENY, handClock, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { agentOf, functionCall, message, runnerFor, ScriptedModel, told } from './host.ts'

/** Asks the person for every call of `pay` and permits the rest. */
const asking = scriptedPoint(({ resource, context }) =>
  resource.id !== 'test/pay' || context.approval.confirmed ? PERMIT : ASK,
)

function gateOf(policy: PolicyDecisionPoint = asking, channel: 'chat' | 'none' = 'chat') {
  const gate = testGate({ policy })
  return { gate, me: gate.as({ user: 'alice' }, { conversation: 'talk', channel }) }
}

function payer(paid: unknown[], more: object = {}): Tool {
  return tool({
    name: 'pay',
    description: 'Pays',
    parameters: z.object({ amount: z.number() }),
    execute: (input: unknown) => {
      paid.push(input)
      return 'paid'
    },
    ...more,
  }) as Tool
}

/** An agent that is about to pay 5, in front of this gate. */
function paying(me: Gate, tools: readonly Tool[], steps = [[functionCall('pay', { amount: 5 })]]) {
  const model = new ScriptedModel(steps)
  return { model, agent: agentOf(model, { tools: guardTools(tools, me) }) }
}

/** The same saved run, taken up by an agent that says `done` next. */
async function resumed(
  me: Gate,
  tools: readonly Tool[],
  saved: string,
  settle: (state: RunState<unknown, Agent>) => unknown,
) {
  const { model, agent } = paying(me, tools, [])
  const state = await RunState.fromString<unknown, Agent>(agent, saved)
  await settle(state)
  return { model, result: await runnerFor(me).run(agent, state) }
}

const approveAll = (state: RunState<unknown, Agent>) => {
  for (const item of state.getInterruptions()) state.approve(item)
}

describe('a call that waits for a person', () => {
  it('pauses with its exact arguments, and runs on the answer that the gate has heard, once', async () => {
    const { gate, me } = gateOf()
    const paid: unknown[] = []
    const { agent, model } = paying(me, [payer(paid)])
    const first = await runnerFor(me).run(agent, 'go')
    const [item] = first.interruptions
    if (item === undefined) throw new Error('the run did not pause')
    const question = await questionOf(me, item)
    expect(question).toMatchObject({ tool: 'test/pay', argumentsText: '{"amount":5}', requires: 'confirmation' })
    expect(paid).toEqual([])
    const answered = await answerInterruption(me, first.state, item, 'approved', { ref: question?.ref ?? '' })
    expect(answered.outcome).toBe('recorded')
    const second = await runnerFor(me).run(agent, first.state)
    expect([paid, second.finalOutput]).toEqual([[{ amount: 5 }], 'done'])
    expect(told(model, 'c1')).toContain('paid')
    expect(gate.calls.filter(({ outcome }) => outcome === 'permitted')).toHaveLength(1)
  })

  it('does not run twice from one saved state, whoever resumes it: a replayed state is no new call', async () => {
    const store = createMemoryStore()
    const here = testGate({ policy: asking, store })
    const me = here.as({ user: 'alice' }, { conversation: 'talk', channel: 'chat' })
    const paid: unknown[] = []
    const first = await runnerFor(me).run(paying(me, [payer(paid)]).agent, 'go')
    const saved = first.state.toString()
    const [item] = first.interruptions
    await answerInterruption(me, first.state, item as object as never, 'approved')
    await resumed(me, [payer(paid)], saved, approveAll)
    expect(paid).toHaveLength(1)
    const again = await resumed(me, [payer(paid)], saved, approveAll)
    const other = testGate({ policy: asking, store, signer: here.signer }).as(
      { user: 'alice' },
      { conversation: 'talk', channel: 'chat' },
    )
    const elsewhere = await resumed(other, [payer(paid)], saved, approveAll)
    expect(paid).toHaveLength(1)
    for (const { model } of [again, elsewhere]) expect(told(model, 'c1')).toMatch(/already_executed|approval_required/)
  })

  it('does not run on the word of the saved state alone, and the programmer hears of it', async () => {
    const { gate, me } = gateOf()
    const paid: unknown[] = []
    const first = await runnerFor(me).run(paying(me, [payer(paid)]).agent, 'go')
    const { model } = await resumed(me, [payer(paid)], first.state.toString(), approveAll)
    expect(paid).toEqual([])
    expect(told(model, 'c1')).toContain('approval_')
    expect(gate.events).toContainEqual(expect.objectContaining({ code: 'approval_without_answer' }))
  })

  it('does not run on a yes for always: the host would not ask again, and the gate does', async () => {
    const { me } = gateOf()
    const paid: unknown[] = []
    const steps = [[functionCall('pay', { amount: 5 })], [functionCall('pay', { amount: 9 }, 'c2')]]
    const { agent, model } = paying(me, [payer(paid)], steps)
    const first = await runnerFor(me).run(agent, 'go')
    const [item] = first.interruptions
    if (item === undefined) throw new Error('the run did not pause')
    await answerInterruption(me, first.state, item, 'approved')
    first.state.approve(item, { alwaysApprove: true })
    await runnerFor(me).run(agent, first.state)
    expect(paid).toEqual([{ amount: 5 }])
    expect(told(model, 'c2')).toContain('approval_required')
  })

  it('is asked again, changed, where policy changes it after the yes, and runs as it was changed', async () => {
    const owed = [{ id: 'o1', type: 'limit', properties: { path: '/amount', max: 100 } }]
    const limiting = scriptedPoint(({ context }) =>
      context.approval.confirmed ? { ...PERMIT, obligations: owed } : ASK,
    )
    const { me } = gateOf(limiting)
    const paid: unknown[] = []
    const again = [[functionCall('pay', { amount: 900 })], [functionCall('pay', { amount: 900 }, 'c2')]]
    const { agent } = paying(me, [payer(paid)], again)
    let result = await runnerFor(me).run(agent, 'go')
    const shown: unknown[] = []
    for (let turn = 0; turn < 3 && result.interruptions.length > 0; turn += 1) {
      for (const item of result.interruptions) {
        shown.push((await questionOf(me, item))?.argumentsText)
        await answerInterruption(me, result.state, item, 'approved')
      }
      result = await runnerFor(me).run(agent, result.state)
    }
    expect(shown).toEqual(['{"amount":900}', '{"amount":100}'])
    expect(paid).toEqual([{ amount: 100 }])
  })

  it('is declined for good, and the model is told', async () => {
    const { me } = gateOf()
    const paid: unknown[] = []
    const { agent, model } = paying(me, [payer(paid)])
    const first = await runnerFor(me).run(agent, 'go')
    const [item] = first.interruptions
    if (item === undefined) throw new Error('the run did not pause')
    await answerInterruption(me, first.state, item, 'declined', { reason: 'Too much.' })
    const second = await runnerFor(me).run(agent, first.state)
    expect([paid, second.finalOutput]).toEqual([[], 'done'])
    expect(told(model, 'c1')).toContain('declined this call')
    expect(told(model, 'c1')).toContain('Too much.')
  })

  it.each([
    ['names another question', { ref: 'hp_00000000' }],
    ['was shown something else', { shown: 'x'.repeat(43) }],
  ])('is not answered by somebody who %s', async (_what, options) => {
    const { me } = gateOf()
    const first = await runnerFor(me).run(paying(me, [payer([])]).agent, 'go')
    const [item] = first.interruptions
    if (item === undefined) throw new Error('the run did not pause')
    expect((await answerInterruption(me, first.state, item, 'approved', options)).outcome).toBe('refused')
    expect(first.state.getInterruptions()).toHaveLength(1)
    expect((await runnerFor(me).run(paying(me, [payer([])], []).agent, first.state)).interruptions).toHaveLength(1)
  })

  it('is not answered by another user, or about a run of somebody else’s making', async () => {
    const { gate, me } = gateOf()
    const first = await runnerFor(me).run(paying(me, [payer([])]).agent, 'go')
    const [item] = first.interruptions
    if (item === undefined) throw new Error('the run did not pause')
    const mallory = gate.as({ user: 'mallory' }, { conversation: 'talk', channel: 'chat' })
    expect(await questionOf(mallory, item)).toBeUndefined()
    expect((await answerInterruption(mallory, first.state, item, 'approved')).outcome).toBe('refused')
    expect(await questionOf(me, { rawItem: { type: 'function_call', name: 'pay', arguments: '{}' } })).toBeUndefined()
  })

  it('of an agent that is a tool is answered where it stands, and a replay of the whole executes nothing', async () => {
    const { gate, me } = gateOf()
    const paid: unknown[] = []
    const make = (outerSteps: ReturnType<typeof functionCall>[][], innerSteps: ReturnType<typeof functionCall>[][]) => {
      const inner = guardAgent(
        new Agent({ name: 'Cashier', model: new ScriptedModel(innerSteps), tools: [payer(paid)] }),
        me,
      )
      const model = new ScriptedModel(outerSteps)
      const outer = new Agent({
        name: 'Desk',
        model,
        tools: [inner.asTool({ toolName: 'cashier', toolDescription: 'pays' })],
      })
      return { agent: guardAgent(outer, me), model }
    }
    const { agent } = make(
      [[functionCall('cashier', { input: 'pay 5' }, 'outer')]],
      [[functionCall('pay', { amount: 5 })]],
    )
    const first = await runnerFor(me).run(agent, 'go')
    const saved = first.state.toString()
    const [item] = first.interruptions
    if (item === undefined) throw new Error('the run did not pause')
    expect((await answerInterruption(me, first.state, item, 'approved')).outcome).toBe('recorded')
    const takenUp = async () => {
      const next = make([], [[message('paid it') as never]])
      const state = await RunState.fromString<unknown, Agent>(next.agent, saved)
      for (const each of state.getInterruptions()) state.approve(each)
      const result = await runnerFor(me).run(next.agent, state)
      return { model: next.model, result }
    }
    const second = await takenUp()
    expect([paid, second.result.finalOutput]).toEqual([[{ amount: 5 }], 'done'])
    expect(told(second.model, 'outer')).toContain('paid it')
    const third = await takenUp()
    expect(paid).toHaveLength(1)
    expect(told(third.model, 'outer')).toContain('already_executed')
    expect(gate.calls.filter(({ tool: name, outcome }) => name === 'test/pay' && outcome === 'permitted')).toHaveLength(
      1,
    )
  })
})

describe('what a tool’s author wants asked', () => {
  it.each([true, async () => true])(
    'is asked after the policies: what they deny pauses for nobody',
    async (needsApproval) => {
      for (const channel of ['none', 'chat'] as const) {
        const { me } = gateOf(
          scriptedPoint(() => ({ ...DENY, sentence: 'Nothing is paid on Fridays.' })),
          channel,
        )
        const paid: unknown[] = []
        const { agent, model } = paying(me, [payer(paid, { needsApproval })])
        const result = await runnerFor(me).run(agent, 'go')
        expect([paid, result.interruptions, result.finalOutput]).toEqual([[], [], 'done'])
        expect(told(model, 'c1')).toContain('Nothing is paid on Fridays.')
      }
    },
  )

  it('runs on a yes in our store alone, whatever the policies permit', async () => {
    const { me } = gateOf(scriptedPoint(() => PERMIT))
    const paid: unknown[] = []
    const tools = [payer(paid, { needsApproval: true })]
    const first = await runnerFor(me).run(paying(me, tools).agent, 'go')
    expect([paid, first.interruptions.length]).toEqual([[], 1])
    const forged = await resumed(me, tools, first.state.toString(), approveAll)
    expect(paid).toEqual([])
    expect(told(forged.model, 'c1')).toContain('approval_pending')
    const [item] = first.interruptions
    await answerInterruption(me, first.state, item as never, 'approved')
    await resumed(me, tools, first.state.toString(), approveAll)
    expect(paid).toEqual([{ amount: 5 }])
  })

  it.each(['none', 'chat'] as const)(
    'is asked of us where the host paused by itself, and again where the question lapsed (%s)',
    async (channel) => {
      const clock = handClock()
      const gate = testGate({ policy: scriptedPoint(() => PERMIT), clock })
      const me = gate.as({ user: 'alice' }, { conversation: 'talk', channel })
      const paid: unknown[] = []
      const tools = [payer(paid, { needsApproval: true })]
      const { agent } = paying(me, tools)
      const first = await new Runner({ tracingDisabled: true }).run(agent, 'go')
      const [item] = first.interruptions
      if (item === undefined) throw new Error('the run did not pause')
      const asked = await questionOf(me, item)
      clock.advance(24 * 60 * 60_000)
      const later = await questionOf(me, item)
      expect([asked?.state, later?.state, later?.ref === asked?.ref]).toEqual(['pending', 'pending', false])
      const shown = { ref: later?.ref ?? '', shown: later?.shown ?? '' }
      expect(await answerInterruption(me, first.state, item, 'approved', shown)).toMatchObject({ outcome: 'recorded' })
      await new Runner({ tracingDisabled: true }).run(agent, first.state)
      expect(paid).toEqual([{ amount: 5 }])
    },
  )

  it('is asked as it would be without us while the gate only observes', async () => {
    const gate: TestGate = testGate({ policy: scriptedPoint(() => DENY), observe: { until: Date.now() + 60_000 } })
    const me = gate.as({ user: 'alice' }, { conversation: 'talk', channel: 'chat' })
    const paid: unknown[] = []
    const tools = [payer(paid, { needsApproval: true })]
    const { agent } = paying(me, tools)
    const first = await runnerFor(me).run(agent, 'go')
    expect([paid, first.interruptions.length]).toEqual([[], 1])
    approveAll(first.state as never)
    await runnerFor(me).run(agent, first.state)
    expect(paid).toEqual([{ amount: 5 }])
  })
})

describe('where nobody in the chat can answer', () => {
  it('a call is refused with a reference, and the identical call goes through once somebody said yes', async () => {
    const { gate, me } = gateOf(asking, 'none')
    const paid: unknown[] = []
    const steps = [[functionCall('pay', { amount: 5 })], [functionCall('pay', { amount: 5 }, 'c2')]]
    const model = new ScriptedModel(steps)
    const agent = agentOf(model, { tools: guardTools([payer(paid)], me) })
    const runner = new Runner({ tracingDisabled: true })
    let answered = false
    runner.on('agent_tool_end', () => {
      answered = true
    })
    const yes = async () => {
      const [request] = await me.approvals()
      const page = gate.as({ user: 'alice' }, { conversation: 'talk', channel: 'page' })
      await page.answer(request?.ref ?? '', 'approved', { shown: request?.shown ?? '' })
    }
    const getResponse = model.getResponse.bind(model)
    model.getResponse = async (request) => {
      if (answered) await yes()
      return await getResponse(request)
    }
    await runner.run(agent, 'go')
    expect(told(model, 'c1')).toContain('hp_')
    expect(paid).toEqual([{ amount: 5 }])
  })

  it('a run pauses for whoever can, where the app says that it takes up paused runs', async () => {
    const role = scriptedPoint(({ context }) =>
      context.approval.roles.includes('finance')
        ? PERMIT
        : { ...ASK, cause: { kind: 'requestable', requires: 'approval:finance' } },
    )
    const { gate, me } = gateOf(role, 'none')
    const paid: unknown[] = []
    const model = new ScriptedModel([[functionCall('pay', { amount: 5 })]])
    const agent = agentOf(model, { tools: guardTools([payer(paid)], me, { pauseFor: 'anyone' }) })
    const first = await runnerFor(me).run(agent, 'go')
    const [item] = first.interruptions
    if (item === undefined) throw new Error('the run did not pause')
    const bob = gate.as({ user: 'bob', roles: ['finance'] }, { channel: 'page' })
    const question = await questionOf(me, item)
    const shown = question?.shown ?? ''
    expect((await bob.answer(question?.ref ?? '', 'approved', { shown })).outcome).toBe('recorded')
    first.state.approve(item)
    await runnerFor(me).run(agent, first.state)
    expect(paid).toEqual([{ amount: 5 }])
  })
})
