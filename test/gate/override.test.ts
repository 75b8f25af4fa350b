/** An override lets a medium call run while no policy answers, and does nothing else, ever. */
import { describe, expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { AbsentAnswer } from '../../src/decide/absent.ts'
import type { PolicyFunction } from '../../src/index.ts'
import { installOverride } from '../../src/override/folder.ts'
import { readOverride } from '../../src/override/signed.ts'
import { createMemoryStore, generateSigner } from '../../src/testing.ts'
import type { GateEvent, Materiality } from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { signedBy } from '../support/overrides.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporaryFolder = temporaryFolders()

const away: PolicyFunction = () => {
  throw new AbsentAnswer('unavailable', 'connection refused')
}

async function gateWith(policy: PolicyFunction, most = 2) {
  const folder = temporaryFolder()
  const person = generateSigner()
  const signer = generateSigner()
  const store = createMemoryStore()
  const events: GateEvent[] = []
  const [notBefore, expires] = [Date.now() - 1_000, Date.now() + 1_800_000]
  const text = signedBy([person], { tools: ['local/medium'], most, notBefore, expires })
  await installOverride(folder, readOverride(text).id, text, () => false)
  const gate = createGate({
    config: false,
    policy,
    overrides: folder,
    trust: { override: [person.publicJwk as never] },
    environment: { name: 'production' },
    events: [(event) => events.push(event)],
    effects: { store, signer },
  })
  gate.register(
    (['low', 'medium', 'high'] as const).map((materiality: Materiality) => ({
      name: materiality,
      origin: 'own',
      inputSchema: { type: 'object' },
      declared: { materiality },
    })),
  )
  const me = gate.as({ user: 'alice' })
  const run = async (tool: string, callId: string) => {
    const ran = await me.run({ tool, callId, input: {} }, () => 'done', { wait: false })
    return ran.outcome === 'refused' ? ran.refusal.code : ran.outcome
  }
  const receipts = async (): Promise<readonly string[]> => {
    const all: string[] = []
    for await (const { jws } of store.receipts()) all.push(jws)
    return all
  }
  return { run, events, receipts, signer }
}

describe('a live override', () => {
  it('lets a medium call run in an outage, so often as it was signed for, each with a receipt and an alert', async () => {
    const { run, events, receipts, signer } = await gateWith(away)
    expect(await run('medium', '1')).toBe('ran')
    expect(await run('medium', '2')).toBe('ran')
    expect(await run('medium', '3')).toMatch(/policy_unavailable|circuit_open/)
    expect(events.filter(({ event }) => event === 'override-used')).toMatchObject([
      { tool: 'local/medium', use: 1, most: 2 },
      { tool: 'local/medium', use: 2, most: 2 },
    ])
    const report = await verifyReceipts(await receipts(), { keys: [signer.publicJwk] })
    expect(report.failures).toEqual([])
  })

  it('does nothing for low and high', async () => {
    const { run, events } = await gateWith(away)
    for (const tool of ['low', 'high']) expect(await run(tool, tool)).toMatch(/policy_unavailable|circuit_open/)
    expect(events.some(({ event }) => event === 'override-used')).toBe(false)
  })

  it.each([
    ['a deny', () => 'deny', 'denied_by_policy'],
    ['nonsense', () => 'PERMIT', 'policy_wrong_answer'],
    ['a question for a person', () => ({ ask: 'confirmation' }), 'approval_required'],
    ['no permit', () => ({ kind: 'silence', cause: { kind: 'no_permit' }, determining: [], errors: [] }), 'no_permit'],
  ] as const satisfies readonly (readonly [string, PolicyFunction, string])[])(
    'does nothing against %s',
    async (_, policy, code) => {
      const { run } = await gateWith(policy)
      expect(await run('medium', '1')).toBe(code)
    },
  )
})
