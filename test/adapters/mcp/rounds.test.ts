import { describe, expect, it, vi } from 'vitest'
import { APPROVAL_KEY, REFUSAL_KEY } from '../../../adapters/mcp/keys.ts'
import type { Message } from '../../../adapters/mcp/message.ts'
import type { EvaluationRequest, Refusal } from '../../../src/index.ts'
import { createMemoryStore, faultStore } from '../../../src/testing.ts'
import { MODERN, rest, Wire, type WireOptions } from './wire.ts'

const done = { resultType: 'complete', content: [{ type: 'text', text: 'done' }] }
const yes = { action: 'accept', content: { approve: true } }
const ASKING: WireOptions = { policy: 'ask/v1', tools: { 'notes/write_note': { materiality: 'high' } } }

/** A client since 2026-07-28, and its call with more in the next round. */
function modern(options: WireOptions = {}, shared?: Wire) {
  const wire = new Wire({ ...ASKING, ...options }, shared)
  const call = (more: Message = {}, args: Message = { id: '7' }) =>
    wire.call('write_note', args, { _meta: MODERN, ...more })
  /** The state of our question. */
  const question = async (id: string | number): Promise<string> => String((await wire.resultOf(id))['requestState'])
  return { wire, call, question }
}

function refusalIn(result: Message): Refusal {
  return (result['_meta'] as Message)[REFUSAL_KEY] as Refusal
}

describe('a question between two rounds', () => {
  it('shows the person the very arguments, and runs them once after the yes', async () => {
    const { wire, call, question } = modern()
    const first = call()
    expect(await wire.resultOf(first)).toMatchObject({
      resultType: 'input_required',
      inputRequests: {
        [APPROVAL_KEY]: {
          method: 'elicitation/create',
          params: {
            mode: 'form',
            message: expect.stringContaining('┆ {"id":"7"}'),
            requestedSchema: { properties: { approve: { type: 'boolean', default: false } }, required: ['approve'] },
          },
        },
      },
    })
    const second = call({ requestState: await question(first), inputResponses: { [APPROVAL_KEY]: yes } })
    const sent = await wire.reached('tools/call')
    // What is between the client and us is none of the server's business.
    expect(sent).toMatchObject({ id: second, params: { name: 'write_note', arguments: { id: '7' }, _meta: MODERN } })
    expect(sent['params']).not.toHaveProperty('requestState')
    expect(sent['params']).not.toHaveProperty('inputResponses')
    wire.fromServer({ id: second, result: done })
    expect(await wire.resultOf(second)).toMatchObject(done)
    const [, answered] = wire.gate.events.filter(({ event }) => event.startsWith('approval-'))
    expect(answered).toMatchObject({ answer: 'approved', channel: 'elicitation' })
  })

  it.each([
    ['a refusal', { action: 'decline' }, 'approval_declined'],
    ['a box that is not ticked', { action: 'accept', content: { approve: false } }, 'approval_declined'],
    ['a form without the box', { action: 'accept', content: {} }, 'approval_declined'],
    ['a box that says "true"', { action: 'accept', content: { approve: 'true' } }, 'approval_declined'],
    ['a closed window', { action: 'cancel' }, 'approval_pending'],
    ['a form that is none', { action: 'accept' }, 'approval_pending'],
    ['an action in another case', { ...yes, action: 'Accept' }, 'approval_pending'],
    ['no answer', undefined, 'approval_pending'],
    ['a list', [yes], 'approval_pending'],
  ])('takes %s for no yes', async (_name, said, code) => {
    const { wire, call, question } = modern()
    const first = call()
    const second = call({ requestState: await question(first), inputResponses: { [APPROVAL_KEY]: said } })
    const result = await wire.resultOf(second)
    expect(result).toMatchObject({ resultType: 'complete', isError: true })
    expect(refusalIn(result)).toMatchObject({ code, executed: false })
    expect(wire.calls).toEqual([])
  })

  it("leaves the server's own state and answers as they were, with a question of ours in between", async () => {
    const { wire, call, question } = modern()
    const theirs = { requestState: 'theirs/1', inputResponses: { name: { action: 'accept', content: { a: 1 } } } }
    const first = call(theirs)
    const second = call({ requestState: await question(first), inputResponses: { [APPROVAL_KEY]: yes } })
    expect(await wire.reached('tools/call')).toMatchObject({ id: second, params: theirs })
  })

  it('admits every round by itself: a server that asks something runs again only by another permit', async () => {
    const { wire, call, question } = modern()
    const first = call()
    const second = call({ requestState: await question(first), inputResponses: { [APPROVAL_KEY]: yes } })
    await wire.reached('tools/call')
    const asks = {
      resultType: 'input_required',
      inputRequests: { q: { method: 'elicitation/create', params: {} } },
      requestState: 's',
    }
    wire.fromServer({ id: second, result: asks })
    expect(await wire.resultOf(second)).toMatchObject(asks)
    const third = call({ requestState: 's', inputResponses: { q: { action: 'accept', content: {} } } })
    expect(await wire.resultOf(third)).toMatchObject({ resultType: 'input_required' })
    const fourth = call({ requestState: await question(third), inputResponses: { [APPROVAL_KEY]: yes } })
    expect(await wire.reached('tools/call', 1)).toMatchObject({
      id: fourth,
      params: { requestState: 's', inputResponses: { q: { action: 'accept', content: {} } } },
    })
    expect(wire.gate.calls.filter(({ outcome }) => outcome === 'permitted')).toHaveLength(2)
  })
})

describe('an answer in the next round', () => {
  it('that no store can be asked about runs nothing, and the programmer hears of it', async () => {
    let isDown = false
    const store = faultStore(createMemoryStore(), ({ operation }) => (isDown && operation === 'find' ? 'fail' : 'none'))
    const { wire, call, question } = modern({ store })
    const first = call()
    const requestState = await question(first)
    isDown = true
    const second = call({ requestState, inputResponses: { [APPROVAL_KEY]: yes } })
    expect(await wire.resultOf(second)).toMatchObject({ isError: true })
    expect(wire.calls).toEqual([])
    expect(wire.gate.events).toContainEqual(expect.objectContaining({ code: 'answer_lost' }))
  })
})

describe('whoever wants a call to run without the person', () => {
  it('cannot have other arguments run on the yes to these', async () => {
    const { wire, call, question } = modern()
    const first = call()
    const second = call({ requestState: await question(first), inputResponses: { [APPROVAL_KEY]: yes } }, { id: '8' })
    expect(refusalIn(await wire.resultOf(second))).toMatchObject({ code: 'approval_required' })
    // Nor has that answered the question that was put.
    expect(await wire.resultOf(call())).toMatchObject({ resultType: 'input_required' })
    expect(wire.calls).toEqual([])
  })

  it.each([
    ['answers to questions of the server', { inputResponses: { sure: { action: 'accept', content: { all: true } } } }],
    ['a state of the server', { requestState: 'theirs/2' }],
    ['a parameter that nobody here knows', { target: 'production' }],
  ])('has the person shown %s, which go to the tool as well', async (_name, more) => {
    const { wire, call, question } = modern()
    const first = call(more)
    const asked = JSON.stringify(await wire.resultOf(first))
    const [written] = Object.values(more).map((value) => JSON.stringify(value))
    expect(asked).toContain(JSON.stringify(` beside {"${Object.keys(more)[0]}":${written}}`).slice(1, -1))
    const second = call({ requestState: await question(first), inputResponses: { [APPROVAL_KEY]: yes } })
    expect(await wire.reached('tools/call')).toMatchObject({ id: second, params: more })
  })

  it('cannot put anything beside the arguments once the person has said yes to none', async () => {
    const { wire, call, question } = modern()
    const first = call()
    const answer = { requestState: await question(first), inputResponses: { [APPROVAL_KEY]: yes, sure: yes } }
    const meta = { ...MODERN, progressToken: 'second' }
    const second = call({ ...answer, target: 'production', task: { ttl: 1 }, _meta: meta })
    const { id, params } = await wire.reached('tools/call')
    expect(id).toBe(second)
    // The metadata is that of the new request, whose progress it names.
    expect(params).toEqual({ name: 'write_note', arguments: { id: '7' }, _meta: meta })
  })

  it.each([
    ['with a letter changed', (state: string) => `${state.slice(0, -1)}${state.endsWith('0') ? '1' : '0'}`],
    ['made up', () => 'holdpoint-00000000-0000-4000-8000-000000000000'],
    ['of no kind of ours', () => 'x'],
  ])('is asked again for a state %s', async (_name, tamper) => {
    const { wire, call, question } = modern()
    const first = call()
    const second = call({ requestState: tamper(await question(first)), inputResponses: { [APPROVAL_KEY]: yes } })
    expect(await wire.resultOf(second)).toMatchObject({ resultType: 'input_required' })
    expect(wire.calls).toEqual([])
  })

  it('is asked again for an answer without a state', async () => {
    const { wire, call } = modern()
    const id = call({ inputResponses: { [APPROVAL_KEY]: yes } })
    expect(await wire.resultOf(id)).toMatchObject({ resultType: 'input_required' })
    expect(wire.calls).toEqual([])
  })

  it('uses a yes once: the used state brings up the question anew', async () => {
    const { wire, call, question } = modern()
    const first = call()
    const state = await question(first)
    const again = { requestState: state, inputResponses: { [APPROVAL_KEY]: yes } }
    const second = call(again)
    await wire.reached('tools/call')
    wire.fromServer({ id: second, result: done })
    await wire.answered(second)
    const third = call(again)
    expect(await wire.resultOf(third)).toMatchObject({ resultType: 'input_required' })
    expect(wire.calls).toHaveLength(1)
  })

  it('is put about changed arguments too, and its answer heard: a yes runs these, a no is one', async () => {
    // What a function obliges to after the yes, nobody knows before.
    const few = { id: 'few', type: 'limit', properties: { path: '/rows', max: 5 } }
    const policy = ({ context }: EvaluationRequest) =>
      context.approval.confirmed
        ? { kind: 'permit', obligations: [few], determining: ['few'], errors: [] }
        : { ask: 'confirmation' }
    for (const said of [yes, { action: 'decline' }]) {
      const { wire, call, question } = modern({ policy })
      const input = { id: '7', rows: 900 }
      const answering = (requestState: string, answer: Message) =>
        call({ requestState, inputResponses: { [APPROVAL_KEY]: answer } }, input)
      const second = answering(await question(call({}, input)), yes)
      expect(refusalIn(await wire.resultOf(second))).toMatchObject({ code: 'approval_required' })
      const third = call({}, input)
      expect(JSON.stringify(await wire.resultOf(third))).toContain('\\"rows\\":5')
      const last = answering(await question(third), said)
      if (said === yes)
        expect(await wire.reached('tools/call')).toMatchObject({ params: { arguments: { id: '7', rows: 5 } } })
      else expect(refusalIn(await wire.resultOf(last))).toMatchObject({ code: 'approval_declined' })
    }
  })

  it('is put once about changed arguments where policies say so before: a yes runs these', async () => {
    const policy = String.raw`@id("few") @requires("confirmation") @obligation("limit:{\"path\":\"/rows\",\"max\":5}")
      permit (principal, action, resource);`
    const { wire, call, question } = modern({ policy })
    const input = { id: '7', rows: 900 }
    const first = call({}, input)
    expect(JSON.stringify(await wire.resultOf(first))).toContain('\\"rows\\":5')
    call({ requestState: await question(first), inputResponses: { [APPROVAL_KEY]: yes } }, input)
    expect(await wire.reached('tools/call')).toMatchObject({ params: { arguments: { id: '7', rows: 5 } } })
  })

  it('cannot change a no into a yes with the same state', async () => {
    const { wire, call, question } = modern()
    const first = call()
    const state = await question(first)
    const no = call({ requestState: state, inputResponses: { [APPROVAL_KEY]: { action: 'decline' } } })
    await wire.answered(no)
    const second = call({ requestState: state, inputResponses: { [APPROVAL_KEY]: yes } })
    expect(refusalIn(await wire.resultOf(second))).toMatchObject({ code: 'approval_declined' })
    expect(wire.calls).toEqual([])
  })

  it('cannot answer a question that was put to somebody else', async () => {
    const alice = modern()
    const first = alice.call()
    const state = await alice.question(first)
    const mallory = modern({ as: (gate) => gate.as({ user: 'mallory' }) }, alice.wire)
    const id = mallory.call({ requestState: state, inputResponses: { [APPROVAL_KEY]: yes } })
    expect(refusalIn(await mallory.wire.resultOf(id))).toMatchObject({ code: 'approval_required' })
    expect(mallory.wire.calls).toEqual([])
    // Nor has that answered alice's.
    const again = alice.call()
    expect(await alice.wire.resultOf(again)).toMatchObject({ resultType: 'input_required' })
  })

  it('has a state of ours go to no server, whatever becomes of the call', async () => {
    const { wire, call } = modern({ policy: 'ask/v1', tools: { 'notes/write_note': { materiality: 'low' } } })
    const state = 'holdpoint-00000000-0000-4000-8000-000000000000'
    call({ requestState: state, inputResponses: { [APPROVAL_KEY]: yes, mine: yes } })
    const { params } = await wire.reached('tools/call')
    expect(params).not.toHaveProperty('requestState')
    expect(params).toMatchObject({ inputResponses: { mine: yes } })
    expect(JSON.stringify(params)).not.toContain(APPROVAL_KEY)
  })
})

describe('a question to a client of the earlier era', () => {
  const legacy = (options: WireOptions = {}) => {
    const wire = new Wire({ ...ASKING, ...options })
    wire.initialize({ elicitation: {} })
    return wire
  }

  it('is a request of ours; its answer reaches no server, and the call runs after a yes', async () => {
    const wire = legacy()
    const id = wire.call('write_note')
    const asked = await wire.told('elicitation/create')
    expect(asked).toMatchObject({
      id: expect.stringMatching(/^holdpoint-/),
      params: { message: expect.stringContaining('┆ {"id":"7"}') },
    })
    expect(asked['params']).not.toHaveProperty('mode')
    wire.fromClient({ id: asked['id'], result: yes })
    expect(await wire.reached('tools/call')).toMatchObject({ id })
    expect(wire.toServer.map(({ method }) => method)).toEqual(['initialize', 'tools/call'])
  })

  it('is answered under its own id and by its own connection alone', async () => {
    const wire = legacy()
    const other = legacy()
    wire.call('write_note')
    const asked = await wire.told('elicitation/create')
    other.fromClient({ id: asked['id'], result: yes })
    wire.fromClient({ id: 'holdpoint-1', result: yes })
    wire.fromServer({ id: asked['id'], result: yes })
    await rest()
    expect(wire.calls).toEqual([])
    expect(wire.notes).toEqual([
      'from the client: an answer to no request; not passed on',
      'from notes: an answer to no request; not passed on',
    ])
    wire.fromClient({ id: asked['id'], result: yes })
    await wire.reached('tools/call')
  })

  it('that the client cannot show leaves a reference behind, and no call', async () => {
    const wire = legacy()
    const id = wire.call('write_note')
    const asked = await wire.told('elicitation/create')
    wire.fromClient({ id: asked['id'], error: { code: -32_601, message: 'no' } })
    expect(refusalIn(await wire.resultOf(id))).toMatchObject({
      code: 'approval_required',
      remedy: { kind: 'request_approval', ref: expect.stringMatching(/^hp_/) },
    })
    expect(wire.calls).toEqual([])
  })

  it('is taken back where the caller leaves, and a yes that comes after that runs nothing', async () => {
    const wire = legacy()
    const id = wire.call('write_note')
    const asked = await wire.told('elicitation/create')
    wire.fromClient({ method: 'notifications/cancelled', params: { requestId: id } })
    expect(await wire.told('notifications/cancelled')).toMatchObject({ params: { requestId: asked['id'] } })
    wire.fromClient({ id: asked['id'], result: yes })
    await rest()
    expect(wire.calls).toEqual([])
  })

  it('is not put to a client that has no form to show, whose call runs as soon as somebody has answered elsewhere', async () => {
    for (const capabilities of [{}, { elicitation: { url: {} } }]) {
      const wire = new Wire(ASKING)
      wire.initialize(capabilities)
      const first = wire.call('write_note')
      const refusal = refusalIn(await wire.resultOf(first))
      expect(refusal).toMatchObject({ code: 'approval_required' })
      expect(wire.toClient.filter(({ method }) => method !== undefined)).toEqual([])
      const ref = refusal.remedy.kind === 'request_approval' ? refusal.remedy.ref : ''
      await wire.gate.as({ user: 'alice' }).answer(ref, 'approved', { channel: 'terminal' })
      const second = wire.call('write_note')
      expect(await wire.reached('tools/call')).toMatchObject({ id: second })
    }
  })

  it('whose answer no store takes is a refusal like any other, and no fault of the protocol', async () => {
    let isDown = false
    const store = faultStore(createMemoryStore(), () => (isDown ? 'fail' : 'none'))
    const wire = legacy({ store })
    const id = wire.call('write_note')
    const asked = await wire.told('elicitation/create')
    isDown = true
    wire.fromClient({ id: asked['id'], result: yes })
    const answer = await wire.answered(id)
    expect(answer).not.toHaveProperty('error')
    expect(answer).toMatchObject({ result: { isError: true } })
    expect(wire.calls).toEqual([])
  })

  it('does not ask about a call that is denied: there is nothing that a yes could change', async () => {
    const wire = legacy({ policy: '@id("no") forbid (principal, action, resource);' })
    const id = wire.call('write_note')
    expect(refusalIn(await wire.resultOf(id))).toMatchObject({ code: 'denied_by_policy' })
    expect(wire.toClient.filter(({ method }) => method !== undefined)).toEqual([])
  })
})

describe('while a person thinks', () => {
  it('tells a client that asked for progress that it waits, and nobody else', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const wire = new Wire(ASKING)
      wire.initialize({ elicitation: {} })
      wire.call('write_note', { id: '7' }, { _meta: { progressToken: 'p' } })
      wire.call('write_note', { id: '8' })
      const asked = await wire.told('elicitation/create', 1)
      await vi.advanceTimersByTimeAsync(20_000)
      const signs = wire.toClient.filter(({ method }) => method === 'notifications/progress')
      expect(signs).toEqual([
        expect.objectContaining({
          params: { progressToken: 'p', progress: 1e-9, message: 'waiting for a person to answer' },
        }),
        expect.objectContaining({
          params: { progressToken: 'p', progress: 2e-9, message: 'waiting for a person to answer' },
        }),
      ])
      wire.fromClient({ id: asked['id'], result: yes })
      wire.fromClient({ id: (await wire.told('elicitation/create'))['id'], result: yes })
      await wire.reached('tools/call', 1)
      await vi.advanceTimersByTimeAsync(20_000)
      expect(wire.toClient.filter(({ method }) => method === 'notifications/progress')).toHaveLength(2)
    } finally {
      vi.useRealTimers()
    }
  })
})
