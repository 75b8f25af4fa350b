/**
 * The support agent that every framework's example is about: two tools, what the model will ask for, and what must have become of
 * it. Nothing in here knows a framework.
 */
import assert from 'node:assert/strict'
import { createGate, type Gate } from 'holdpoint'

/** The shop behind the tools. `refunds` is the money that left it. */
export function createShop() {
  const refunds: { readonly order: string; readonly amount: number }[] = []
  return {
    refunds,
    /** Look up an order */
    order: ({ id }: { readonly id: string }) => ({ id, paid: 900, currency: 'EUR' }),
    /** Pay an order back */
    refund: (refund: { readonly order: string; readonly amount: number }) => {
      refunds.push(refund)
      return 'refunded'
    },
  }
}

/** One gate for the process. Reads `holdpoint.yaml` and the policy beside this file. */
export function openGate(): Gate {
  return createGate({ config: import.meta.dirname })
}

/** What the scripted model asks for, a step at a time, before it says `LAST_WORDS`. */
export const SCRIPT = [
  { id: 'call_1', tool: 'order', input: { id: 'A-1' } },
  { id: 'call_2', tool: 'refund', input: { order: 'A-1', amount: 900 } },
  { id: 'call_3', tool: 'refund', input: { order: 'A-1', amount: 40 } },
] as const

export const LAST_WORDS = 'I refunded 40 EUR.'

/**
 * Tells the story and requires that it came true: one small refund, a large one that was refused with its reason, and nothing of a
 * receipt in front of the model.
 *
 * @param told by call id, what the model was told of each call
 * @param prompts everything that the model was sent, as text
 */
export function tell(
  refunds: ReturnType<typeof createShop>['refunds'],
  told: ReadonlyMap<string, string>,
  prompts: string,
): void {
  for (const { id, tool, input } of SCRIPT)
    console.log(`${tool} ${JSON.stringify(input)}\n  ${told.get(id)?.split('\n').slice(0, 2).join(' ') ?? '(nothing)'}`)
  assert.deepEqual(refunds, [{ order: 'A-1', amount: 40 }], 'only the small refund was paid')
  assert.match(told.get('call_1') ?? '', /900/, 'the order was read')
  assert.match(told.get('call_2') ?? '', /Refunds above 500 EUR/, 'the model was told why')
  assert.match(told.get('call_3') ?? '', /refunded/, 'the small refund ran')
  assert.doesNotMatch(prompts, /eyJ/, 'no receipt reached the model')
}
