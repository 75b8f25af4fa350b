import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { testGate } from '../../src/testing.ts'
import type { Store } from '../../src/types.ts'

/** Ten-thousandths, so that the sums of the test are exact as well. */
const CAP = 1_000_000
const decimal = (units: number) => (units / 10_000).toFixed(4)

const policyOf = (sum: string) => `@id("all") permit (principal, action, resource);
@id("budget") forbid (principal, action, resource)
unless { context.session.${sum}.lessThanOrEqual(decimal("${decimal(CAP)}")) };`

/** Sums of one conversation, and sums of a principal: the latter must hold over parallel calls of several conversations. */
const BUDGETS = [
  { sum: 'here.after', tools: ['refund'], conversations: ['c1'] },
  { sum: 'here.surface.after', tools: ['refund', 'pay'], conversations: ['c1'] },
  { sum: 'here.hour.after', tools: ['refund'], conversations: ['c1', 'c2', 'c3'] },
  { sum: 'here.day.surface.after', tools: ['refund', 'pay'], conversations: ['c1', 'c2', 'c3'] },
] as const

const asks = fc.array(
  fc.record({ units: fc.integer({ min: 1, max: CAP }), tool: fc.nat(9), conversation: fc.nat(9) }),
  { minLength: 10, maxLength: 10 },
)

async function spentBy(
  store: Store,
  budget: (typeof BUDGETS)[number],
  asked: readonly { units: number; tool: number; conversation: number }[],
) {
  const { tools, conversations } = budget
  const words = Object.fromEntries(tools.map((tool) => [tool, { materiality: 'high', surface: 'financial' } as const]))
  const gate = testGate({ policy: policyOf(budget.sum), tools: words, store })
  gate.register(tools.map((name) => ({ name, origin: 'own' })))
  try {
    const results = await Promise.all(
      asked.map(async ({ units, tool, conversation }, index) => {
        const me = gate.as(
          { user: 'alice' },
          { conversation: conversations[conversation % conversations.length] ?? '' },
        )
        const call = {
          tool: tools[tool % tools.length] ?? '',
          callId: String(index),
          input: { amount: units / 10_000 },
        }
        return await me.run(call, () => units)
      }),
    )
    const sum = results.reduce((spent, result) => (result.outcome === 'ran' ? spent + result.result : spent), 0)
    const refused = results.flatMap((result, index) => (result.outcome === 'ran' ? [] : [asked[index]?.units ?? 0]))
    return { sum, refused, codes: results.flatMap((result) => (result.outcome === 'ran' ? [] : [result.refusal.code])) }
  } finally {
    await gate.close()
  }
}

const stores = [
  { name: 'memory', runs: 60, make: () => ({ store: createMemoryStore(), clean: () => undefined }) },
  {
    name: 'sqlite',
    runs: 6,
    make: () => {
      const folder = mkdtempSync(join(tmpdir(), 'holdpoint-sums-'))
      return { store: createSqliteStore({ folder }), clean: () => rmSync(folder, { recursive: true, force: true }) }
    },
  },
]

it.for(stores.flatMap((store) => BUDGETS.map((budget) => ({ ...store, budget, sum: budget.sum }))))(
  'ten parallel refunds never all read the same $sum ($name)',
  { timeout: 60_000 },
  async ({ make, budget, runs }) => {
    await fc.assert(
      fc.asyncProperty(asks, async (asked) => {
        const { store, clean } = make()
        try {
          const { sum, refused, codes } = await spentBy(store, budget, asked)
          expect(sum).toBeLessThanOrEqual(CAP)
          // Nor is anything refused that there was room for: whoever was refused would not fit now either.
          for (const units of refused) expect(sum + units).toBeGreaterThan(CAP)
          expect(new Set([...codes, 'denied_by_policy'])).toEqual(new Set(['denied_by_policy']))
        } finally {
          clean()
        }
      }),
      { numRuns: runs },
    )
  },
)
