/** Observe mode as somebody tries it in a live system: an agent of the AI SDK, its store, and the commands that read it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardTools } from '../../adapters/ai-sdk/index.ts'
import { createGate } from '../../src/index.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import type { Gate, GateEvent } from '../../src/types.ts'
import { said, scriptedModel, sdkOf } from '../adapters/ai-sdk/sdk.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { runHere } from './in-process.ts'

const folder = temporaryFolders()
const START = 1_700_000_000_000
const WEEK = 7 * 24 * 60 * 60_000

/** A gate that observes for a week under strict/v1, on a clock that the test winds. */
function observingGate() {
  const store = join(folder(), 'store')
  const clock = { at: START }
  const events: GateEvent[] = []
  const gate = createGate({
    config: false,
    policies: 'strict/v1',
    observe: { until: START + WEEK },
    tools: { refund: { materiality: 'high', surface: 'financial' } },
    events: [(event) => void events.push(event)],
    effects: {
      store: createSqliteStore({ folder: store }),
      signer: generateSigner(),
      clock: { now: () => clock.at, monotonic: () => performance.now() },
    },
  })
  return { gate, view: gate.as({ user: 'ada' }, { conversation: 'c' }), store, clock, events }
}

/** What an agent does that looks up an order, then refunds twice at once. Gives back what was really paid. */
async function runAgent(view: Gate): Promise<readonly number[]> {
  const sdk = sdkOf(7)
  const paid: number[] = []
  const tools = {
    look_up_order: sdk.tool({ inputSchema: z.object({ id: z.string() }), execute: async (input: object) => input }),
    refund: sdk.tool({
      inputSchema: z.object({ amount: z.number().int() }),
      execute: async ({ amount }: { readonly amount: number }) => paid.push(amount),
    }),
  }
  const { model } = scriptedModel(7, [
    [said('look_up_order', { id: '1' }, 'a')],
    [said('refund', { amount: 400 }, 'b'), said('refund', { amount: 900 }, 'c')],
  ])
  await sdk.generateText({ model, prompt: 'go', stopWhen: sdk.stepCountIs(5), ...guardTools(tools, view) })
  return paid
}

describe('observe mode in an agent of the AI SDK', () => {
  it('holds nothing back, says so loudly, and leaves what other policies are replayed on', async () => {
    const { gate, view, store, events } = observingGate()
    expect(await runAgent(view)).toEqual([400, 900])
    await gate.close()

    const warned = events.filter((event) => event.event === 'programmer-warned')
    expect(warned).toEqual([
      {
        event: 'programmer-warned',
        code: 'observing',
        message: expect.stringMatching(
          /^This gate protects nothing: until 2023-11-21T.* calls that policies refuse run/,
        ),
      },
    ])
    const decided = events.filter((event) => event.event === 'decision-made')
    expect(decided.map(({ tool, enforced, code }) => [tool, enforced, code])).toEqual([
      ['local/look_up_order', false, undefined],
      ['local/refund', false, 'no_permit'],
      ['local/refund', false, 'no_permit'],
    ])

    const next = `@id("low") permit (principal, action in Action::"low", resource);
@id("small") @requires("confirmation") permit (principal, action == Action::"local/refund", resource)
when { context.arguments.amount <= 500 };`
    const policies = folder()
    writeFileSync(join(policies, 'next.cedar'), next)
    const { stdout } = await runHere('policy', 'replay', store, '--policy', policies, '--json')
    const { decisions, sets } = JSON.parse(stdout)
    expect(decisions).toBe(3)
    expect(sets[0].changes).toEqual([
      expect.objectContaining({ tool: 'local/refund', was: 'stopped', now: 'asked', code: 'approval_required' }),
    ])
  })

  it('enforces from its end date on, without being told', async () => {
    const { gate, view, clock } = observingGate()
    clock.at = START + WEEK
    expect(await runAgent(view)).toEqual([])
    await gate.close()
  })

  it('does not begin after its end date what it let through before', async () => {
    const { gate, view, clock, events } = observingGate()
    const refund = { tool: 'refund', input: { amount: 900 }, callId: '1' }
    gate.register([{ name: 'refund', origin: 'own' }])
    const early = await view.admit(refund)
    expect(early).toMatchObject({ outcome: 'permitted', enforced: false, observed: { code: 'no_permit' } })
    clock.at = START + WEEK
    if (early.outcome === 'permitted')
      expect(early.begin()).toMatchObject({ outcome: 'refused', refusal: { code: 'permit_expired', executed: false } })
    expect(await view.admit(refund)).toMatchObject({ outcome: 'refused', refusal: { code: 'no_permit' } })
    await gate.close()
    const settled = events.filter((event) => event.event === 'call-settled')
    expect(settled.map(({ status }) => status)).toEqual(['not_executed'])
  })

  it('is no setting of a file, and never longer than 30 days', () => {
    for (const until of [START - 1, START + 31 * 24 * 60 * 60_000, Number.NaN]) {
      const clock = { now: () => START, monotonic: () => 0 }
      expect(() => createGate({ config: false, observe: { until }, effects: { clock } })).toThrow(/in the next 30 days/)
    }
  })
})
