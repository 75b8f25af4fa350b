/** How far a signed override goes in a whole gate: what it covers, when it ends, and who hears of it. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { AbsentAnswer } from '../../src/decide/absent.ts'
import { installOverride, revokeOverride } from '../../src/override/folder.ts'
import { readOverride } from '../../src/override/signed.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { GateEvent, Signer } from '../../src/types.ts'
import { readReceipt } from '../../src/verify.ts'
import { signedBy } from '../support/overrides.ts'
import { collect } from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()
const [boss, other] = [generateSigner(), generateSigner()]
const tools = (['low', 'medium', 'high'] as const).map((materiality) => ({
  name: materiality,
  inputSchema: { type: 'object' } as const,
  origin: 'own' as const,
  declared: { materiality },
}))

/** A gate in production whose policy point is away, and the folder in which it looks for overrides. */
function outage(
  options: {
    readonly trusted?: readonly Signer[]
    readonly observe?: { readonly until: number }
    readonly environment?: { readonly name: string }
  } = {},
) {
  const { trusted = [boss, other], ...more } = options
  const folder = join(temporary(), 'overrides')
  const store = createMemoryStore()
  const events: GateEvent[] = []
  const gate = createGate({
    config: false,
    server: 'shop',
    policy: () => {
      throw new AbsentAnswer('unavailable', 'connection refused')
    },
    environment: { name: 'production' },
    overrides: folder,
    trust: { override: trusted.map(({ publicJwk }) => publicJwk) as never },
    events: [(event) => events.push(event)],
    effects: { store, signer: generateSigner() },
    ...more,
  })
  gate.register(tools)
  const me = gate.as({ user: 'alice' }, { conversation: 'c' })
  let calls = 0
  return {
    gate,
    me,
    folder,
    events,
    used: () => events.flatMap((event) => (event.event === 'override-used' ? [event.override] : [])),
    receipts: async () => await collect(store.receipts()),
    install: async (changes: Parameters<typeof signedBy>[1] = {}, signers: readonly Signer[] = [boss]) => {
      const now = Date.now()
      const text = signedBy(signers, { tools: ['shop/medium'], notBefore: now, expires: now + 600_000, ...changes })
      const { id } = readOverride(text)
      await installOverride(folder, id, text, () => false)
      return id
    },
    run: async (tool: string) => {
      calls += 1
      return await me.run({ tool, callId: `call ${calls}`, input: {} }, () => 'ran')
    },
  }
}

describe('a live override', () => {
  it('goes on with the next one when the first has had its uses', async () => {
    const { install, run, used } = outage()
    const first = await install({ most: 1, expires: Date.now() + 60_000 })
    const second = await install({ most: 1 })
    expect([(await run('medium')).outcome, (await run('medium')).outcome]).toEqual(['ran', 'ran'])
    expect(used()).toEqual([first, second])
    expect((await run('medium')).outcome).toBe('refused')
  })

  it('stands in the receipt, with who signed and why', async () => {
    const { install, run, receipts } = outage()
    const id = await install({}, [boss, other])
    await run('medium')
    const decision = (await receipts()).find(({ kind }) => kind === 'decision')
    expect(readReceipt(decision?.jws ?? '')).toMatchObject({
      basis: 'override',
      decision: 'silence',
      fault: 'unavailable',
      override: { id, by: [boss.kid, other.kid], reason: 'the policy service is down', ticket: 'OPS-1', most: 20 },
    })
  })

  it('is for one environment and one principal, and ends when it is revoked', async () => {
    const { gate, install, run, folder } = outage()
    const id = await install()
    expect((await run('medium')).outcome).toBe('ran')
    const others = [gate.as({ user: 'bob' }), gate.as({ agent: 'alice' }), gate.as({ user: 'alice', tenant: 'acme' })]
    for (const [n, view] of others.entries())
      expect(await view.admit({ tool: 'medium', callId: `other ${n}`, input: {} })).toMatchObject({
        outcome: 'refused',
      })
    await revokeOverride(folder, id, 'healed')
    await expect.poll(async () => (await run('medium')).outcome, { timeout: 5_000 }).toBe('refused')
  })

  it('is of no use elsewhere, whatever a host says of where it is', async () => {
    const { gate, install } = outage({ environment: { name: 'staging' } })
    await install()
    for (const where of [{}, { environment: { name: 'production' } }])
      expect(await gate.as({ user: 'alice' }, where).admit({ tool: 'medium', callId: 'x', input: {} })).toMatchObject({
        outcome: 'refused',
      })
  })

  it('that is not used is told to the operator, and never to the model', async () => {
    const { install, run, events } = outage()
    const id = await install({ tools: ['shop/*'] })
    const refused = await run('medium')
    expect(refused).toMatchObject({ outcome: 'refused' })
    expect(JSON.stringify(refused)).not.toContain('override')
    expect(events).toContainEqual(
      expect.objectContaining({
        event: 'programmer-warned',
        message: `the override ${id} is not used: 1 of 2 trusted keys signed it`,
      }),
    )
  })

  it('is none where no key is trusted, nor when somebody else has signed it', async () => {
    const off = outage({ trusted: [] })
    await off.install()
    expect((await off.run('medium')).outcome).toBe('refused')
    const strange = outage()
    await strange.install({}, [generateSigner()])
    expect((await strange.run('medium')).outcome).toBe('refused')
  })
})

describe('a gate that could sign its own overrides', () => {
  it('does not start', () => {
    const signer = generateSigner()
    const trust = { override: [signer.publicJwk] as never }
    const start = () =>
      createGate({ config: false, policy: () => 'permit', trust, effects: { store: createMemoryStore(), signer } })
    expect(start).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message: expect.stringContaining('own receipt key') }),
    )
  })
})

describe('a gate that only observes', () => {
  it('uses no override: nothing is held back, so nothing needs one', async () => {
    const { install, run, used, receipts } = outage({ observe: { until: Date.now() + 60_000 } })
    await install()
    expect((await run('medium')).outcome).toBe('ran')
    expect(used()).toEqual([])
    const decision = (await receipts()).find(({ kind }) => kind === 'decision')
    expect(readReceipt(decision?.jws ?? '')).toMatchObject({ enforced: false, code: 'policy_unavailable' })
  })
})

describe('the folder of overrides', () => {
  it('is one of the gate’s own files, wherever it lies: no call may name it', async () => {
    const { me, folder } = outage()
    const call = { tool: 'medium', callId: '1', input: { path: join(folder, 'ov_1.revoked') } }
    expect(await me.admit(call)).toMatchObject({ outcome: 'refused', refusal: { code: 'denied_by_policy' } })
  })
})

describe('an override and a person', () => {
  it('does not stand for the yes that the tool itself asks for', async () => {
    const { me, install, used } = outage()
    await install()
    const call = { tool: 'medium', callId: 'asks', input: {} }
    const asked = await me.admit(call, { requires: 'confirmation', wait: false })
    expect(asked).toMatchObject({ outcome: 'refused', refusal: { code: 'approval_required' } })
    if (asked.outcome === 'permitted' || asked.request === undefined) return
    await me.answer(asked.request.ref, 'approved', { channel: 'chat' })
    expect(await me.admit(call, { requires: 'confirmation', wait: false })).toMatchObject({ outcome: 'permitted' })
    expect(used()).toHaveLength(1)
  })
})
