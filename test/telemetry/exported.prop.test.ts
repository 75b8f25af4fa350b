import fc from 'fast-check'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { pinoSink } from '../../src/telemetry/pino.ts'
import { openTelemetrySink, prometheusSink } from '../../src/telemetry.ts'
import type { EventSink, GateEvent } from '../../src/types.ts'
import { readExposition } from '../support/exposition.ts'
import { sdk } from '../support/open-telemetry.ts'

/** What an argument looks like that got where it should not be. */
const MARK = 'mark HUNTER2'
const marked = fc
  .tuple(fc.constantFrom('', '{"card":"', 'r_', '"} 1\n', 'enforce '), fc.constantFrom('', '"}', '\n', '\u0000'))
  .map(([before, after]) => `${before}${MARK}${after}`)

const ms = fc.oneof(
  fc.double({ min: -1e9, max: 1e15 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
)
const tool = fc.constantFrom('shop/refund', 'shop/look')
const receipt = fc.constantFrom('r_01', 'r_02', 'r_03')
const code = fc.constantFrom('denied_by_policy', 'tool_unknown', 'policy_timeout', 'overloaded')

/** A text of an event: what it should be, or an argument's. */
const or = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<T | string> => fc.oneof(usual, marked)
const maybe = <T>(usual: fc.Arbitrary<T>) => fc.option(or(usual), { nil: undefined })

/** Every event, each text of which may hold an argument; a record grows a member that nobody knows. */
const shapes: readonly { readonly [member: string]: fc.Arbitrary<unknown> }[] = [
  { event: fc.constant('gate-opened'), mode: or(fc.constantFrom('enforce', 'observe')), policy: marked, store: marked },
  {
    event: fc.constant('decision-made'),
    tool: or(tool),
    materiality: or(fc.constantFrom('low', 'high')),
    surface: or(fc.constantFrom('read', 'unknown')),
    decision: or(fc.constantFrom('permit', 'deny', 'silence')),
    enforced: fc.boolean(),
    code: maybe(code),
    receipt: maybe(receipt),
    principal: marked,
    conversation: maybe(marked),
    trace: or(fc.constant('0'.repeat(32))),
    ms,
  },
  {
    event: fc.constant('call-settled'),
    tool: or(tool),
    status: or(fc.constantFrom('ok', 'tool_error', 'not_executed')),
    receipt: maybe(receipt),
    decision: or(receipt),
    ms,
  },
  { event: fc.constant('outcome-recovered'), status: or(fc.constant('unknown')), receipt: maybe(receipt) },
  { event: fc.constant('failure-opened'), tool: or(tool), fault: or(fc.constant('timeout')), receipt: or(receipt) },
  {
    event: fc.constant('override-used'),
    override: marked,
    tool: or(tool),
    reason: marked,
    ticket: marked,
    use: fc.nat(),
    most: fc.nat(),
    receipt: or(receipt),
  },
  {
    event: fc.constant('breaker-moved'),
    point: or(fc.constant('opa')),
    from: or(fc.constant('closed')),
    to: or(fc.constant('open')),
    because: marked,
  },
  {
    event: fc.constant('canary-judged'),
    point: or(fc.constant('opa')),
    result: or(fc.constant('failed')),
    message: marked,
  },
  { event: fc.constant('verdict-late'), point: or(fc.constant('opa')), tool: or(tool) },
  { event: fc.constant('call-held'), tool: or(tool), materiality: or(fc.constant('high')), waitMs: ms },
  { event: fc.constant('call-released'), tool: or(tool), because: or(fc.constant('again')), heldMs: ms },
  { event: fc.constant('replay-detected'), tool: or(tool), code: or(fc.constant('key_reuse')) },
  { event: fc.constant('approval-requested'), tool: or(tool), ref: marked, requires: marked },
  { event: fc.constant('approval-answered'), ref: marked, answer: or(fc.constant('approved')), channel: marked },
  { event: fc.constant('receipt-failed'), kind: or(fc.constant('outcome')), code: marked, message: marked },
  { event: fc.constant('tool-quarantined'), server: marked, tool: or(tool), kind: or(fc.constant('tool_changed')) },
  { event: fc.constant('policy-misfitted'), server: marked, misfits: fc.constant([{ policy: MARK, at: MARK }]) },
  { event: fc.constant('programmer-warned'), code: marked, message: marked },
]
const event = fc
  .oneof(...shapes.map((shape) => fc.record({ ...shape, arguments: marked, results: fc.record({ of: marked }) })))
  // What types would rule out is the point: a reader of events must not rely on its writer.
  .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)))
  .map((record) => record as unknown as GateEvent)

describe('whatever an event holds', () => {
  it('no argument reaches a metric, its labels or its number of series', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 60 }), (events) => {
        const { sink, text } = prometheusSink()
        const before = readExposition(text()).length
        for (const one of events) sink(one)
        expect(text()).not.toContain('HUNTER2')
        // One policy point at most, `other` beside it, and what observe mode brings.
        expect(readExposition(text()).length - before).toBeLessThan(600)
        for (const { name, value } of readExposition(text()))
          expect(Number.isFinite(value), `${name} is ${value}`).toBe(true)
      }),
    )
  })

  it('no argument reaches a span or an attribute, although people may be named where they are asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 30 }), async (events) => {
        const telemetry = sdk()
        const sink: EventSink = openTelemetrySink(telemetry)
        for (const one of events) sink(one)
        const readings = await telemetry.readings()
        const drawn = telemetry.spans().map(({ name, attributes, events: inside, status, links }) => ({
          name,
          attributes,
          inside,
          status,
          links,
        }))
        await telemetry.close()
        expect(drawn.length).toBeGreaterThanOrEqual(events.some((one) => one.event === 'decision-made') ? 1 : 0)
        expect(JSON.stringify([drawn, readings])).not.toContain('HUNTER2')
      }),
      { numRuns: 40 },
    )
  })

  it('the log has only members that it knows by name', () => {
    fc.assert(
      fc.property(event, (one) => {
        const lines: string[] = []
        pinoSink(pino({ level: 'trace' }, { write: (line: string) => lines.push(line) }))(one)
        const line = JSON.parse(lines[0] ?? '{}')
        expect(line).not.toHaveProperty('arguments')
        expect(line).not.toHaveProperty('results')
      }),
    )
  })
})
