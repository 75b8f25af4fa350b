import fc from 'fast-check'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { fanOut } from '../../src/telemetry/events.ts'
import { pinoSink } from '../../src/telemetry/pino.ts'
import type { EventSink, Gate, GateEvent } from '../../src/types.ts'
import { DENY, PERMIT, scriptedPoint } from '../support/scripted-point.ts'

/** A gate with these sinks that permits unless the arguments say `deny`. */
function gateWith(events: readonly EventSink[]): Gate {
  const gate = createGate({
    config: false,
    server: 'test',
    tools: { act: { materiality: 'high' } },
    policy: scriptedPoint(({ context }) => (JSON.stringify(context.arguments).includes('"deny"') ? DENY : PERMIT)),
    events,
    effects: { store: createMemoryStore(), signer: generateSigner() },
  })
  gate.register([
    { name: 'act', origin: 'own', inputSchema: { type: 'object', properties: { n: { type: 'number' } } } },
  ])
  return gate.as({ user: 'alice' }, { conversation: 'c1' })
}

function logInto(lines: string[]): EventSink {
  return pinoSink(pino({ level: 'trace' }, { write: (line: string) => lines.push(line) }))
}

describe('the log', () => {
  it('tells every decision and every ending, and never an argument, a result or a signature', async () => {
    const secret = fc.constantFrom('4111-1111-1111-1111', 'hunter2-hunter2', 'PRIVATE-note-to-self')
    const verdict = fc.constantFrom('deny', 'permit')
    await fc.assert(
      fc.asyncProperty(secret, verdict, fc.boolean(), async (hidden, answer, misses) => {
        const lines: string[] = []
        const me = gateWith([logInto(lines)])
        const input = { [hidden]: hidden, answer, ...(misses ? { n: hidden } : {}) }
        const run = await me.run({ tool: 'act', input, callId: 'k' }, () => ({ answer: hidden }))
        const said = lines.join('')
        expect(lines.map((line) => JSON.parse(line).msg)).toContain('decision-made')
        expect(said.includes('call-settled')).toBe(run.outcome === 'ran')
        expect(said).not.toContain(hidden)
        for (const { jws } of run.outcome === 'ran' ? run.receipts : []) expect(said).not.toContain(jws.split('.')[2])
      }),
      { numRuns: 30 },
    )
  })

  it('copies fields by name, so that an event that grows a member does not leak it', () => {
    const lines: string[] = []
    const event: GateEvent = { event: 'call-settled', tool: 'test/act', status: 'ok', decision: 'r_1', ms: 1 }
    logInto(lines)(Object.assign({ arguments: { card: '4111' } }, event))
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ tool: 'test/act', status: 'ok', msg: 'call-settled' })
    expect(lines[0]).not.toContain('4111')
  })

  it('raises its voice for what somebody should look at', () => {
    const lines: string[] = []
    const log = logInto(lines)
    log({ event: 'receipt-failed', kind: 'outcome', code: 'ERR_STORE', message: 'disk full' })
    log({ event: 'failure-opened', tool: 'test/act', fault: 'timeout', receipt: 'r_1' })
    log({ event: 'outcome-recovered', status: 'unknown', receipt: 'r_2' })
    log({ event: 'breaker-moved', point: 'opa', from: 'closed', to: 'open', because: 'no answer 3 times in a row' })
    log({ event: 'programmer-warned', code: 'unjson_argument', message: 'a date' })
    log({ event: 'outcome-recovered', status: 'not_executed' })
    expect(lines.map((line) => JSON.parse(line).level)).toEqual([50, 50, 50, 40, 40, 30])
  })

  it('says of an override who let what run, and why', () => {
    const lines: string[] = []
    const used = {
      override: 'ovr_1',
      tool: 'shop/refund',
      reason: 'the policy service is down',
      ticket: 'INC-7',
      use: 1,
      most: 20,
      receipt: 'r_1',
    }
    logInto(lines)({ event: 'override-used', ...used })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ...used, level: 50, msg: 'override-used' })
  })
})

describe('a tool that is not as it was pinned', () => {
  it('is one warning, with its server and its name', () => {
    const lines: string[] = []
    const said = { server: 'files', tool: 'read_file', kind: 'tool_changed' } as const
    logInto(lines)({ event: 'tool-quarantined', ...said })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ...said, level: 40, msg: 'tool-quarantined' })
  })
})

describe('a sink that throws', () => {
  it('disturbs neither the decision nor the other sinks', async () => {
    const seen: string[] = []
    const broken: EventSink = () => {
      throw new Error('the log is full')
    }
    const me = gateWith([broken, ({ event }) => seen.push(event)])
    const run = await me.run({ tool: 'act', input: {}, callId: 'k' }, () => 'done')
    expect(run.outcome).toBe('ran')
    expect(seen).toEqual(['gate-opened', 'decision-made', 'call-settled'])
    expect(() => fanOut([broken])({ event: 'programmer-warned', code: 'x', message: 'y' })).not.toThrow()
  })

  it('ends no process where it is asynchronous', async () => {
    const unhandled: unknown[] = []
    const hear = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', hear)
    try {
      const broken: EventSink = async () => {
        throw new Error('the log is away')
      }
      fanOut([broken])({ event: 'programmer-warned', code: 'x', message: 'y' })
      await new Promise((done) => setImmediate(done))
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', hear)
    }
  })
})
