import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { AbsentAnswer } from '../../src/decide/absent.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { faultStore } from '../../src/store/fault.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { metricsHandler, prometheusSink } from '../../src/telemetry.ts'
import type { Gate, GateEvent, Health, PointHealth, Store } from '../../src/types.ts'
import { readExposition, scraped, seriesOf } from '../support/exposition.ts'
import { hasPromtool, promtool } from '../support/promtool.ts'
import { DENY, handClock, PERMIT, scriptedPoint } from '../support/scripted-point.ts'

const opened: Gate[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((gate) => gate.close()))
})

/** A gate that counts, and answers what the arguments say. Tools are called by their tier. */
function countedGate(details: { readonly store?: Store; readonly observe?: boolean; readonly low?: 'open' } = {}): {
  readonly gate: Gate
  readonly metrics: ReturnType<typeof prometheusSink>
} {
  const metrics = prometheusSink({ health: () => gate.health() })
  const gate = createGate({
    config: false,
    server: 'test',
    tools: { low: { materiality: 'low' }, medium: { materiality: 'medium' }, high: { materiality: 'high' } },
    policy: scriptedPoint(({ context }) => {
      const said = JSON.stringify(context.arguments)
      if (said.includes('deny')) return DENY
      if (said.includes('silent')) throw new AbsentAnswer('timeout', 'no answer in time')
      return PERMIT
    }),
    timeoutMs: 10_000,
    events: [metrics.sink],
    effects: { store: details.store ?? createMemoryStore(), signer: generateSigner() },
    ...(details.observe === true ? { observe: { until: Date.now() + 60_000 } } : {}),
    ...(details.low === undefined ? {} : { failMode: { low: details.low } }),
  })
  gate.register(['low', 'medium', 'high'].map((name) => ({ name, origin: 'own', inputSchema: { type: 'object' } })))
  opened.push(gate)
  return { gate: gate.as({ user: 'alice' }, { conversation: 'c1' }), metrics }
}

function pointHealth(about: Partial<PointHealth> = {}): PointHealth {
  return { id: 'opa', tools: ['*'], breaker: 'closed', canary: 'passed', ...about }
}

function health(...points: readonly PointHealth[]): Health {
  return { mode: 'enforce', points, held: 0 }
}

const decisions = 'holdpoint_decisions_total'

describe('the metrics of a gate that nothing has happened to', () => {
  it('hold every alarm at zero, because a counter that begins at 1 never increases', () => {
    const text = prometheusSink({ health: () => health(pointHealth()) }).text()
    expect(scraped(text, 'holdpoint_override_uses_total')).toBe(0)
    for (const fault of ['timeout', 'unavailable', 'circuit_open'])
      expect(scraped(text, 'holdpoint_failure_openings_total', { fault })).toBe(0)
    for (const kind of ['open', 'decision', 'outcome', 'key', 'seal'])
      expect(scraped(text, 'holdpoint_receipt_failures_total', { kind })).toBe(0)
    for (const code of ['already_executed', 'in_progress', 'key_reuse', 'outcome_unknown'])
      expect(scraped(text, 'holdpoint_replays_total', { code })).toBe(0)
    for (const because of ['unwritten', 'died'])
      expect(scraped(text, 'holdpoint_outcomes_missing_total', { because })).toBe(0)
    for (const to of ['closed', 'open', 'half_open', 'isolated'])
      expect(scraped(text, 'holdpoint_breaker_moves_total', { point: 'opa', to })).toBe(0)
    for (const materiality of ['low', 'medium', 'high'])
      expect(scraped(text, decisions, { materiality, code: 'policy_timeout' })).toBe(0)
  })

  it('hold no series for what must never happen: a high call that runs without a permit', () => {
    const text = prometheusSink().text()
    expect(() => scraped(text, decisions, { materiality: 'high', decision: 'silence', code: 'none' })).toThrow()
    expect(scraped(text, decisions, { materiality: 'low', decision: 'silence', code: 'none' })).toBe(0)
  })
})

describe('the metrics of a gate', () => {
  it('count calls by how they went, on the real pass', async () => {
    const { gate, metrics } = countedGate({ low: 'open' })
    const run = (tool: string, input: object, callId: string) => gate.run({ tool, input, callId }, () => 'done')
    await run('high', {}, '1')
    await run('high', {}, '1')
    await run('medium', { deny: true }, '2')
    await run('low', { silent: true }, '3')
    await run('medium', { silent: true }, '4')
    await run('unheard', {}, '5')
    await gate
      .run({ tool: 'low', input: {}, callId: '6' }, () => {
        throw new Error('the tool broke')
      })
      .catch(() => undefined)
    const text = metrics.text()
    const count = (labels: { readonly [label: string]: string }) => scraped(text, decisions, labels)
    expect(count({ materiality: 'high', decision: 'permit', code: 'none' })).toBe(1)
    expect(count({ materiality: 'high', decision: 'permit', code: 'already_executed' })).toBe(1)
    expect(count({ materiality: 'medium', decision: 'deny', code: 'denied_by_policy' })).toBe(1)
    expect(count({ materiality: 'low', decision: 'silence', code: 'none' })).toBe(1)
    expect(count({ materiality: 'medium', decision: 'silence', code: 'policy_timeout' })).toBe(1)
    expect(count({ materiality: 'high', decision: 'silence', code: 'tool_unknown' })).toBe(1)
    expect(scraped(text, 'holdpoint_failure_openings_total', { fault: 'timeout' })).toBe(1)
    expect(scraped(text, 'holdpoint_calls_settled_total', { status: 'ok' })).toBe(2)
    expect(scraped(text, 'holdpoint_calls_settled_total', { status: 'tool_error' })).toBe(1)
    expect(scraped(text, 'holdpoint_execution_duration_seconds_count', { status: 'ok' })).toBe(2)
    expect(
      scraped(text, 'holdpoint_decision_duration_seconds_count', { materiality: 'low', outcome: 'permitted' }),
    ).toBe(2)
    expect(scraped(text, 'holdpoint_calls_open')).toBe(0)
  })

  it('had every one of these series from the beginning', async () => {
    const { gate, metrics } = countedGate({ low: 'open' })
    const known = new Set(readExposition(metrics.text()).map(seriesOf))
    const stop = new AbortController()
    stop.abort()
    for (const tool of ['low', 'medium', 'high', 'unheard']) {
      for (const [i, input] of [{}, { deny: true }, { silent: true }, 'no object'].entries()) {
        const call = { tool, input, callId: `${tool}-${i}` }
        await gate.run(call, () => 'done')
        await gate.run(call, () => 'done')
        await gate.admit({ ...call, callId: `${call.callId}-stopped` }, { signal: stop.signal })
        await gate.admit({ ...call, callId: `${call.callId}-asked` }, { requires: 'confirmation', wait: false })
      }
    }
    const grown = readExposition(metrics.text())
      .map(seriesOf)
      .filter((series) => !known.has(series))
    expect(grown).toEqual([])
  })

  it('tell what observe mode let run from what was permitted', async () => {
    const { gate, metrics } = countedGate({ observe: true })
    await gate.run({ tool: 'high', input: { deny: true }, callId: '1' }, () => 'done')
    const denied = { materiality: 'high', decision: 'deny', code: 'denied_by_policy' }
    expect(scraped(metrics.text(), decisions, { ...denied, enforced: 'false' })).toBe(1)
    expect(scraped(metrics.text(), decisions, { ...denied, enforced: 'true' })).toBe(0)
    expect(scraped(metrics.text(), 'holdpoint_observing')).toBe(1)
  })

  it('count a receipt that the store lost', async () => {
    const store = faultStore(createMemoryStore(), ({ operation }) => (operation === 'commitDecision' ? 'fail' : 'none'))
    const { gate, metrics } = countedGate({ store })
    await gate.run({ tool: 'high', input: {}, callId: '1' }, () => 'done')
    expect(scraped(metrics.text(), 'holdpoint_receipt_failures_total', { kind: 'decision' })).toBe(1)
  })
})

describe('an outcome that is missing', () => {
  it('is counted when its receipt could not be written, and when the process died first', () => {
    const { sink, text } = prometheusSink()
    sink({ event: 'call-settled', tool: 'test/act', status: 'ok', decision: 'r_1', ms: 1 })
    sink({ event: 'outcome-recovered', status: 'unknown' })
    sink({ event: 'outcome-recovered', status: 'not_executed' })
    expect(scraped(text(), 'holdpoint_outcomes_missing_total', { because: 'unwritten' })).toBe(1)
    expect(scraped(text(), 'holdpoint_outcomes_missing_total', { because: 'died' })).toBe(1)
  })

  it('shows while it is awaited: how many calls are open, and for how long the oldest', () => {
    const clock = handClock()
    const { sink, text } = prometheusSink({ clock })
    expect(scraped(text(), 'holdpoint_start_time_seconds')).toBe(clock.now() / 1_000)
    const permitted = (receipt: string): GateEvent => ({
      event: 'decision-made',
      tool: 'test/act',
      materiality: 'high',
      surface: 'financial',
      decision: 'permit',
      enforced: true,
      receipt,
      principal: 'alice',
      trace: '0'.repeat(32),
      ms: 5,
    })
    sink(permitted('r_1'))
    clock.advance(60_000)
    sink(permitted('r_2'))
    clock.advance(30_000)
    expect(scraped(text(), 'holdpoint_calls_open')).toBe(2)
    expect(scraped(text(), 'holdpoint_oldest_call_age_seconds')).toBe(90)
    sink({ event: 'call-settled', tool: 'test/act', status: 'ok', decision: 'r_1', receipt: 'r_3', ms: 90_005 })
    expect(scraped(text(), 'holdpoint_oldest_call_age_seconds')).toBe(30)
    expect(scraped(text(), 'holdpoint_execution_duration_seconds_sum', { status: 'ok' })).toBe(90)
  })
})

describe('the gauges of policy points', () => {
  it('show one state of the breaker and one of the canary, as health says at the scrape', () => {
    let now = health(pointHealth(), pointHealth({ id: 'https://cerbos:3593', breaker: 'open', canary: 'failed' }))
    const { text } = prometheusSink({ health: () => now })
    const breaker = (point: string, state: string) => scraped(text(), 'holdpoint_breaker_state', { point, state })
    expect([breaker('opa', 'closed'), breaker('opa', 'open')]).toEqual([1, 0])
    expect([breaker('https://cerbos:3593', 'closed'), breaker('https://cerbos:3593', 'open')]).toEqual([0, 1])
    now = health(pointHealth({ breaker: 'isolated', policyAgeMs: 90_000 }))
    expect([breaker('opa', 'closed'), breaker('opa', 'isolated')]).toEqual([0, 1])
    expect(scraped(text(), 'holdpoint_policy_age_seconds', { point: 'opa' })).toBe(90)
    expect(scraped(text(), 'holdpoint_canary_state', { point: 'https://cerbos:3593', result: 'failed' })).toBe(1)
  })

  it('show how far the log is, and nothing that is no longer known of it', () => {
    const clock = handClock()
    const began = clock.now()
    const base = health()
    let now: Health = { ...base, log: { state: 'starting', size: 0 } }
    const { text } = prometheusSink({ health: () => now, clock })
    const log = (metric: string) => scraped(text(), `holdpoint_log_${metric}`)
    const state = (one: string) => scraped(text(), 'holdpoint_log_state', { state: one })
    expect([state('starting'), state('current'), log('size')]).toEqual([1, 0, 0])
    expect(text()).not.toMatch(/holdpoint_log_(unlogged|witnessed|checkpoint)/)
    now = { ...base, log: { state: 'current', size: 700, unlogged: 3, signedAt: began - 90_000, witnessed: false } }
    expect([log('size'), log('unlogged'), log('checkpoint_age_seconds'), log('witnessed')]).toEqual([700, 3, 90, 0])
    now = { ...base, log: { state: 'elsewhere', size: 710, unlogged: 0 } }
    expect([log('size'), log('unlogged'), state('elsewhere'), state('current')]).toEqual([710, 0, 1, 0])
    expect(text()).not.toMatch(/holdpoint_log_(witnessed|checkpoint)/)
    expect(prometheusSink({ health }).text()).not.toContain('holdpoint_log_')
  })

  it('follow the events where no health is given', () => {
    const { sink, text } = prometheusSink()
    sink({ event: 'breaker-moved', point: 'opa', from: 'closed', to: 'open', because: '3 absences' })
    sink({ event: 'canary-judged', point: 'opa', result: 'failed', message: 'strict-builtin-errors is off' })
    sink({ event: 'call-held', tool: 'test/act', materiality: 'high', waitMs: 60_000 })
    expect(scraped(text(), 'holdpoint_breaker_state', { point: 'opa', state: 'open' })).toBe(1)
    expect(scraped(text(), 'holdpoint_breaker_moves_total', { point: 'opa', to: 'open' })).toBe(1)
    expect(scraped(text(), 'holdpoint_canary_state', { point: 'opa', result: 'failed' })).toBe(1)
    expect(scraped(text(), 'holdpoint_calls_held')).toBe(1)
    sink({ event: 'call-released', tool: 'test/act', because: 'again', heldMs: 4_000 })
    expect(scraped(text(), 'holdpoint_calls_held')).toBe(0)
    expect(scraped(text(), 'holdpoint_hold_duration_seconds_sum', { because: 'again' })).toBe(4)
  })

  it('are said to be unreadable when health throws, and every counter is still there', () => {
    const { text } = prometheusSink({
      health: () => {
        throw new Error('the gate is not made yet')
      },
    })
    expect(scraped(text(), 'holdpoint_health_readable')).toBe(0)
    expect(scraped(text(), 'holdpoint_override_uses_total')).toBe(0)
  })

  it('are bounded in number, and an id that is no id is called other', () => {
    const { sink, text } = prometheusSink()
    const late = (point: string) => sink({ event: 'verdict-late', point, tool: 'test/act' })
    late('a"} 1\nholdpoint_override_uses_total 99')
    for (let i = 0; i < 1_000; i += 1) late(`point-${i}`)
    const points = readExposition(text()).flatMap(({ labels }) => labels.get('point') ?? [])
    expect(new Set(points).size).toBeLessThan(70)
    expect(scraped(text(), 'holdpoint_override_uses_total')).toBe(0)
    expect(scraped(text(), 'holdpoint_late_denials_total', { point: 'other' })).toBeGreaterThan(900)
  })
})

describe('the text', () => {
  it('has one help and one type for each metric, and buckets that add up', async () => {
    const { gate, metrics } = countedGate()
    for (let i = 0; i < 20; i += 1) await gate.run({ tool: 'low', input: {}, callId: `${i}` }, () => 'done')
    const text = metrics.text()
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    expect(types).toEqual([...text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name))
    expect(new Set(types).size).toBe(types.length)
    const buckets = readExposition(text).filter(
      ({ name, labels }) => name.endsWith('duration_seconds_bucket') && labels.get('materiality') === 'low',
    )
    const permitted = buckets.filter(({ labels }) => labels.get('outcome') === 'permitted').map(({ value }) => value)
    expect(permitted).toEqual(permitted.toSorted((a, b) => a - b))
    expect(permitted.at(-1)).toBe(20)
    expect(new Set(readExposition(text).map(seriesOf)).size).toBe(readExposition(text).length)
  })

  it.skipIf(!hasPromtool)('is what Prometheus itself calls good', async () => {
    const { gate, metrics } = countedGate()
    await gate.run({ tool: 'low', input: {}, callId: '1' }, () => 'done')
    const whole = prometheusSink({ health: () => health(pointHealth({ policyAgeMs: 1 })) })
    for (const text of [metrics.text(), whole.text()])
      expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, said: '' })
  })
})

describe('the handler', () => {
  it('answers a scrape over HTTP, and nothing but reading', async () => {
    const handler = metricsHandler(prometheusSink())
    const server = createServer(handler.node).listen(0, '127.0.0.1')
    await new Promise((listening) => server.once('listening', listening))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
    try {
      const response = await fetch(url)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
      expect(scraped(await response.text(), 'holdpoint_override_uses_total')).toBe(0)
      expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
      expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(405)
    } finally {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    }
  })

  it('answers frameworks that speak fetch', async () => {
    const { fetch: answer } = metricsHandler(prometheusSink())
    expect(scraped(await answer(new Request('http://test/metrics')).text(), 'holdpoint_override_uses_total')).toBe(0)
    expect(await answer(new Request('http://test/metrics', { method: 'HEAD' })).text()).toBe('')
    expect(answer(new Request('http://test/metrics', { method: 'DELETE' })).headers.get('allow')).toBe('GET, HEAD')
  })
})
