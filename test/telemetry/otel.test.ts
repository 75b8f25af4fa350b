import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { guardTools } from '../../adapters/ai-sdk/index.ts'
import { createGate } from '../../src/create-gate.ts'
import { AbsentAnswer } from '../../src/decide/absent.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { openTelemetrySink, type SpanName } from '../../src/telemetry.ts'
import type { Gate, GateEvent, Health } from '../../src/types.ts'
import { said, scriptedModel, sdkOf } from '../adapters/ai-sdk/sdk.ts'
import { keepContext, sdk } from '../support/open-telemetry.ts'
import { DENY, PERMIT, scriptedPoint } from '../support/scripted-point.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

beforeAll(keepContext)
afterAll(() => context.disable())

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A gate that is watched by the real SDKs; it permits unless the arguments say otherwise. */
function watchedGate(details: { readonly names?: readonly SpanName[]; readonly low?: 'open' } = {}) {
  const telemetry = sdk()
  const { tracer, meter } = telemetry
  const gate: Gate = createGate({
    config: false,
    server: 'shop',
    tools: { refund: { materiality: 'high' }, look: { materiality: 'low' } },
    policy: scriptedPoint(({ context: { arguments: input } }) => {
      const said = JSON.stringify(input)
      if (said.includes('deny')) return DENY
      if (said.includes('silent')) throw new AbsentAnswer('timeout', 'no answer in time')
      return PERMIT
    }),
    timeoutMs: 10_000,
    events: [
      openTelemetrySink({
        tracer,
        meter,
        health: () => gate.health(),
        ...(details.names === undefined ? {} : { names: details.names }),
      }),
    ],
    effects: { store: createMemoryStore(), signer: generateSigner() },
    ...(details.low === undefined ? {} : { failMode: { low: details.low } }),
  })
  gate.register(['refund', 'look'].map((name) => ({ name, origin: 'own', inputSchema: { type: 'object' } })))
  closing.push(() => gate.close(), telemetry.close)
  return { ...telemetry, gate: gate.as({ user: 'alice@example.com' }, { conversation: 'thread-7', trace: TRACE }) }
}

/** Something that happened to a call, told to a sink by hand. */
function told(...events: readonly GateEvent[]) {
  const telemetry = sdk()
  closing.push(telemetry.close)
  const sink = openTelemetrySink(telemetry)
  for (const event of events) sink(event)
  return telemetry.spans()
}

describe('the spans of a call', () => {
  it('are an admission and an execution, named as the conventions for GenAI say', async () => {
    const { gate, spans } = watchedGate()
    const run = await gate.run({ tool: 'refund', input: { amount: 4111 }, callId: '1' }, () => 'secret result')
    const [admit, execute] = spans()
    expect(spans()).toHaveLength(2)
    expect(admit).toMatchObject({ name: 'admit refund', kind: SpanKind.INTERNAL })
    expect(admit?.attributes).toMatchObject({
      'gen_ai.tool.name': 'refund',
      'holdpoint.tool': 'shop/refund',
      'holdpoint.materiality': 'high',
      'holdpoint.decision': 'permit',
      'holdpoint.code': 'none',
      'holdpoint.enforced': true,
      'holdpoint.trace': TRACE,
    })
    expect(execute?.name).toBe('execute_tool refund')
    const [decision, outcome] = run.outcome === 'ran' ? run.receipts : []
    expect(execute?.attributes).toEqual({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'refund',
      'holdpoint.tool': 'shop/refund',
      'holdpoint.outcome': 'ok',
      'holdpoint.basis': 'policy',
      'holdpoint.receipt': decision?.id,
      'holdpoint.outcome_receipt': outcome?.id,
    })
    expect(execute?.status.code).toBe(SpanStatusCode.UNSET)
    expect(admit?.attributes['holdpoint.receipt']).toBe(decision?.id)
  })

  it('lead from an execution to the decision that it rests on, also when they are not in one trace', async () => {
    const { gate, spans } = watchedGate()
    await gate.run({ tool: 'refund', input: { amount: 1 }, callId: '1' }, () => 'done')
    await gate.run({ tool: 'refund', input: { amount: 2 }, callId: '2' }, () => 'done')
    const [first, execution, second, other] = spans()
    expect(execution?.links.map(({ context: to }) => to)).toEqual([first?.spanContext()])
    expect(other?.links.map(({ context: to }) => to)).toEqual([second?.spanContext()])
    expect(first?.spanContext().traceId).not.toBe(execution?.spanContext().traceId)
    expect(first?.links).toEqual([])
  })

  it('last as long as the decision and the execution took', () => {
    const [admit, execute] = told(
      {
        event: 'decision-made',
        tool: 'shop/refund',
        materiality: 'high',
        surface: 'financial',
        decision: 'permit',
        enforced: true,
        receipt: 'r_1',
        principal: 'alice',
        trace: TRACE,
        ms: 250,
      },
      { event: 'call-settled', tool: 'shop/refund', status: 'timeout', decision: 'r_1', receipt: 'r_2', ms: 4_250 },
    )
    expect(admit?.duration).toEqual([0, 250_000_000])
    expect(execute?.duration).toEqual([4, 0])
    expect(execute?.attributes['error.type']).toBe('timeout')
    expect(execute?.status.code).toBe(SpanStatusCode.ERROR)
  })

  it('show a broken policy point as an error, and a no as a no', async () => {
    const { gate, spans } = watchedGate()
    await gate.run({ tool: 'refund', input: { deny: true }, callId: '1' }, () => 'done')
    await gate.run({ tool: 'refund', input: { silent: true }, callId: '2' }, () => 'done')
    const [no, broken] = spans()
    expect(no?.attributes['holdpoint.code']).toBe('denied_by_policy')
    expect(no?.status.code).toBe(SpanStatusCode.UNSET)
    expect(broken?.attributes['error.type']).toBe('policy_timeout')
    expect(broken?.status.code).toBe(SpanStatusCode.ERROR)
    expect(spans()).toHaveLength(2)
  })

  it('say of a call that ran without an answer that it did', async () => {
    const { gate, spans } = watchedGate({ low: 'open' })
    await gate.run({ tool: 'look', input: { silent: true }, callId: '1' }, () => 'done')
    expect(spans().map(({ attributes }) => attributes['holdpoint.basis'])).toEqual([undefined, 'fail_open'])
    expect(spans()[0]?.attributes).toMatchObject({ 'holdpoint.decision': 'silence', 'holdpoint.code': 'none' })
  })

  it.each([0, 1])('say of a call that ran on an override that it did, in whichever order it is told', (at) => {
    const [override, decision]: readonly GateEvent[] = [
      {
        event: 'override-used',
        override: 'ovr_1',
        tool: 'shop/refund',
        reason: 'the policy service is down',
        ticket: 'INC-7',
        use: 1,
        most: 5,
        receipt: 'r_1',
      },
      {
        event: 'decision-made',
        tool: 'shop/refund',
        materiality: 'medium',
        surface: 'financial',
        decision: 'silence',
        enforced: true,
        receipt: 'r_1',
        principal: 'alice',
        trace: TRACE,
        ms: 1,
      },
    ]
    const begun = at === 0 ? [override, decision] : [decision, override]
    const spans = told(...begun.filter((event) => event !== undefined), {
      event: 'call-settled',
      tool: 'shop/refund',
      status: 'ok',
      decision: 'r_1',
      receipt: 'r_2',
      ms: 2,
    })
    expect(spans.at(-1)?.attributes['holdpoint.basis']).toBe('override')
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('INC-7')
  })

  it('leave out the name of a tool that nobody registered: a model made it up', async () => {
    const { gate, spans } = watchedGate()
    await gate.run({ tool: 'card-4111-1111', input: {}, callId: '1' }, () => 'done')
    expect(spans()[0]?.name).toBe('admit')
    expect(JSON.stringify(spans().map(({ name, attributes }) => [name, attributes]))).not.toContain('4111')
  })

  it('name no person and no conversation, unless they are asked for', async () => {
    for (const names of [[], ['principal', 'conversation']] as const) {
      const { gate, spans } = watchedGate({ names })
      await gate.run({ tool: 'look', input: {}, callId: '1' }, () => 'done')
      const said = JSON.stringify(spans().map(({ name, attributes }) => [name, attributes]))
      expect(said.includes('alice@example.com')).toBe(names.length > 0)
      expect(spans()[0]?.attributes['gen_ai.conversation.id']).toBe(names.length > 0 ? 'thread-7' : undefined)
    }
  })
})

describe('a span that the host has drawn for the tool call', () => {
  it.each([
    { 'gen_ai.operation.name': 'execute_tool' },
    { 'mcp.method.name': 'tools/call' },
    { 'ai.toolCall.name': 'refund' },
  ])('gets the attributes, and is not drawn a second time: %o', async (attributes) => {
    const { gate, spans, tracer } = watchedGate()
    await tracer.startActiveSpan('tools/call refund', { attributes }, async (outer) => {
      await gate.run({ tool: 'refund', input: {}, callId: '1' }, () => 'done')
      outer.end()
    })
    expect(spans().map(({ name }) => name)).toEqual(['tools/call refund'])
    expect(spans()[0]?.attributes).toMatchObject({ 'holdpoint.decision': 'permit', 'holdpoint.outcome': 'ok' })
  })

  it('is known by what the AI SDK itself draws', async () => {
    const { gate, spans, tracer } = watchedGate()
    const sdk6 = sdkOf(6)
    const refund = sdk6.tool({
      description: 'Gives money back.',
      inputSchema: sdk6.jsonSchema({ type: 'object', properties: {} }),
      execute: async () => 'done',
    })
    const { model } = scriptedModel(6, [[said('refund', {}, 'call-1')]])
    await sdk6.generateText({
      model,
      prompt: 'refund',
      stopWhen: sdk6.stepCountIs(2),
      ...guardTools({ refund }, gate),
      experimental_telemetry: { isEnabled: true, tracer },
    })
    const ran = spans().filter(({ attributes }) => attributes['holdpoint.outcome'] === 'ok')
    expect(ran.map(({ name }) => name)).toEqual(['ai.toolCall'])
  })

  it('is told apart from the span of a request, under which ours are drawn', async () => {
    const { gate, spans, tracer } = watchedGate()
    await tracer.startActiveSpan('POST /api/chat', async (outer) => {
      await gate.run({ tool: 'refund', input: {}, callId: '1' }, () => 'done')
      outer.end()
    })
    const request = spans().find(({ name }) => name === 'POST /api/chat')
    expect(spans()).toHaveLength(3)
    for (const span of spans().filter((one) => one !== request))
      expect(span.parentSpanContext?.spanId).toBe(request?.spanContext().spanId)
  })
})

describe('the measures', () => {
  it('stand at zero before anything happened', async () => {
    const { readings } = watchedGate()
    const born = await readings()
    const at = (name: string) => born.filter((reading) => reading.name === name).map(({ value }) => value)
    expect(at('holdpoint.override.uses')).toEqual([0])
    expect(at('holdpoint.failure.openings')).toEqual([0, 0, 0])
    expect(at('holdpoint.receipt.failures')).toEqual([0, 0, 0, 0, 0])
  })

  it('count what happened, in seconds and in buckets that fit', async () => {
    const { gate, readings } = watchedGate({ low: 'open' })
    await gate.run({ tool: 'refund', input: {}, callId: '1' }, () => 'done')
    await gate.run({ tool: 'look', input: { silent: true }, callId: '2' }, () => 'done')
    await gate
      .run({ tool: 'look', input: {}, callId: '3' }, () => {
        throw new Error('the tool broke')
      })
      .catch(() => undefined)
    const all = await readings()
    const counted = all.filter(({ name, value }) => name === 'holdpoint.decisions' && value > 0)
    expect(counted.map(({ attributes, value }) => [attributes['holdpoint.decision'], value]).toSorted()).toEqual([
      ['permit', 1],
      ['permit', 1],
      ['silence', 1],
    ])
    const opened = all.find((reading) => reading.attributes['holdpoint.fault'] === 'timeout')
    expect(opened).toMatchObject({ name: 'holdpoint.failure.openings', value: 1 })
    const executions = all.filter(({ name }) => name === 'gen_ai.execute_tool.duration')
    expect(executions.map(({ attributes, value }) => [attributes, value])).toEqual([
      [{ 'gen_ai.operation.name': 'execute_tool' }, 2],
      [{ 'gen_ai.operation.name': 'execute_tool', 'error.type': 'tool_error' }, 1],
    ])
    expect(executions[0]?.bounds?.[0]).toBe(0.01)
  })

  it('read breakers, canaries and held calls when the SDK collects', async () => {
    const telemetry = sdk()
    closing.push(telemetry.close)
    let breaker: 'closed' | 'open' = 'closed'
    const health = (): Health => ({
      mode: 'enforce',
      held: 3,
      points: [{ id: 'opa', tools: ['*'], breaker, canary: 'passed', policyAgeMs: 2_000 }],
    })
    openTelemetrySink({ ...telemetry, health })
    const now = async () =>
      Object.fromEntries(
        (await telemetry.readings())
          .filter(({ value }) => value > 0)
          .map(({ name, attributes, value }) => [`${name} ${attributes['holdpoint.state'] ?? ''}`.trim(), value]),
      )
    expect(await now()).toMatchObject({ 'holdpoint.breaker.state closed': 1, 'holdpoint.calls.held': 3 })
    breaker = 'open'
    const later = await now()
    expect(later).toMatchObject({ 'holdpoint.breaker.state open': 1, 'holdpoint.policy.age': 2 })
    expect(later).not.toHaveProperty('holdpoint.breaker.state closed')
  })
})

describe('without an SDK', () => {
  it('nothing is exported and nothing breaks', () => {
    trace.disable()
    const sink = openTelemetrySink()
    expect(() => sink({ event: 'failure-opened', tool: 'shop/look', fault: 'timeout', receipt: 'r_1' })).not.toThrow()
  })
})
