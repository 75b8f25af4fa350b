/** What a permit obliges to is done before the call runs, or the call does not run. */
import { expect, it } from 'vitest'
import { createGate, type GateOptions } from '../../src/create-gate.ts'
import { createMemoryStore, generateSigner } from '../../src/testing.ts'

const obligation = { id: 'o1', type: 'notify', properties: { whom: 'audit' } }
const permit = () => ({ kind: 'permit', obligations: [obligation], determining: ['rule'], errors: [] })

async function ran(obligations: NonNullable<GateOptions['obligations']>, options: Partial<GateOptions> = {}) {
  const effects = { store: createMemoryStore(), signer: generateSigner() }
  const gate = createGate({ config: false, policy: permit, obligations, events: [], effects, ...options })
  gate.register([{ name: 'pay', origin: 'own', inputSchema: { type: 'object' } }])
  const result = await gate.as({ user: 'alice' }).run({ tool: 'pay', callId: '1', input: {} }, () => 'done')
  return result.outcome === 'refused' ? result.refusal.code : result.outcome
}

it('runs a call whose obligation was met first', async () => {
  const met: unknown[] = []
  const notify = async (owed: unknown): Promise<boolean> => {
    met.push(owed)
    return true
  }
  expect(await ran({ notify })).toBe('ran')
  expect(met).toEqual([obligation])
})

const unmet: readonly [string, NonNullable<GateOptions['obligations']>][] = [
  ['is known to nobody', {}],
  ['says anything but true', { notify: () => 'done' as unknown as boolean }],
  [
    'fails',
    {
      notify: () => {
        throw new Error('no network')
      },
    },
  ],
  ['does not end within the budget', { notify: () => new Promise<boolean>(() => undefined) }],
]
it.each(unmet)('I4: a permit whose obligation %s lets nothing run', async (_, obligations) => {
  expect(await ran(obligations, { timeoutMs: 30 })).toBe('obligation_unmet')
})
