/** `notify` through a webhook: whoever policy wants to be told has taken it before the call runs, or the call does not run. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { createGate, type GateOptions } from '../../src/create-gate.ts'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import { readReceipt } from '../../src/receipt/read.ts'
import { createMemoryStore, generateSigner } from '../../src/testing.ts'
import type { Notice } from '../../src/types.ts'

const CLOSING: (() => void)[] = []
afterEach(() => {
  for (const close of CLOSING.splice(0)) close()
  vi.unstubAllEnvs()
})

/** A receiver that answers so; 0 never does. */
async function receiver(status: number): Promise<{ url: string; heard: { type: string; data: object }[] }> {
  const heard: { type: string; data: object }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text) => {
      body += text
    })
    request.on('end', () => {
      heard.push(JSON.parse(body))
      if (status !== 0) response.writeHead(status, status === 307 ? { location: '/other' } : {}).end()
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  CLOSING.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, heard }
}

type Hook = Omit<NonNullable<GateOptions['webhooks']>[number], 'secret'>

async function ran(
  webhooks: readonly Hook[],
  more: Partial<GateOptions> = {},
  properties = '{\\"to\\":\\"finance\\"}',
) {
  vi.stubEnv('HOLDPOINT_HOOK', `whsec_${Buffer.alloc(32, 7).toString('base64')}`)
  const store = createMemoryStore()
  const text = `@id("told") @obligation("notify:${properties}") permit (principal, action, resource);`
  const gate = createGate({
    config: false,
    server: 'shop',
    policy: createCedarPoint([{ path: 'told.cedar', text }]),
    ...(webhooks.length === 0
      ? {}
      : { webhooks: webhooks.map((hook) => ({ ...hook, secret: { env: 'HOLDPOINT_HOOK' } })) }),
    tools: { pay: { materiality: 'high' } },
    timeoutMs: 20_000,
    events: [],
    effects: { store, signer: generateSigner() },
    ...more,
  })
  gate.register([{ name: 'pay', origin: 'own', inputSchema: { type: 'object' } }])
  let executed = 0
  const result = await gate
    .as({ user: 'alice', tenant: 'acme' })
    .run({ tool: 'pay', input: { iban: 'only for these eyes' } }, () => {
      executed += 1
    })
  const notices: readonly Notice[] = result.outcome === 'ran' ? (result.notices ?? []) : []
  const kinds = notices.map(({ kind }) => kind)
  const permits = []
  for await (const { jws } of store.receipts()) permits.push('permit' in readReceipt(jws))
  await gate.close()
  const fate = result.outcome === 'ran' ? 'ran' : result.refusal.code
  return { fate, executed, kinds, permits: permits.filter(Boolean).length }
}

it('tells of the call before it runs: which policy, for whom, of which tool, and nothing of its arguments', async () => {
  const { url, heard } = await receiver(204)
  expect(await ran([{ url }])).toEqual({ fate: 'ran', executed: 1, kinds: ['notified'], permits: 1 })
  const principal = { type: 'user', id: 'alice', tenant: 'acme' }
  const data = { policy: 'told', to: 'finance', tool: 'shop/pay', materiality: 'high', principal }
  expect(heard).toEqual([{ type: 'call.announced', timestamp: expect.any(String), data }])
})

const UNMET = { fate: 'obligation_unmet', executed: 0, kinds: [], permits: 0 }

it.each([500, 404, 307, 410])('I4: runs nothing when the receiver answers %i: nobody was told', async (status) => {
  const { url, heard } = await receiver(status)
  expect(await ran([{ url }])).toEqual(UNMET)
  // The call does not wait for another attempt, so there is none.
  expect(heard).toHaveLength(1)
})

it('I4: runs nothing when the receiver hangs', async () => {
  expect(await ran([{ url: (await receiver(0)).url }], { timeoutMs: 300 })).toEqual(UNMET)
})

it('I4: runs nothing when nobody is there, nobody is named, or one of them did not take it', async () => {
  const [good, bad] = [await receiver(200), await receiver(503)]
  const gone = 'http://127.0.0.1:9/hook'
  const fate = async (...hooks: readonly Hook[]) => (await ran(hooks)).fate
  expect(await fate({ url: gone })).toBe('obligation_unmet')
  expect(await fate()).toBe('obligation_unmet')
  expect(await fate({ url: good.url }, { url: bad.url })).toBe('obligation_unmet')
  expect(await fate({ url: good.url, events: ['approval.requested'] })).toBe('obligation_unmet')
  expect(await fate({ url: good.url, to: 'legal' })).toBe('obligation_unmet')
})

it('asks those alone whom it is for', async () => {
  const [finance, legal, all] = [await receiver(200), await receiver(503), await receiver(200)]
  const hooks = [
    { url: finance.url, to: 'finance' },
    { url: legal.url, to: 'legal' },
    { url: all.url, events: ['call.announced' as const] },
  ]
  expect((await ran(hooks)).fate).toBe('ran')
  expect([finance, legal, all].map(({ heard }) => heard.length)).toEqual([1, 0, 1])
  // Whom it is for was not said: it is for everybody who stands for nobody in particular.
  expect((await ran(hooks, {}, '{}')).fate).toBe('ran')
  expect([finance, legal, all].map(({ heard }) => heard.length)).toEqual([1, 0, 2])
})

it('leaves it to the operator’s own code, where there is some', async () => {
  const { url, heard } = await receiver(503)
  const told: unknown[] = []
  const notify = (_: unknown, { signal: __, ...call }: object & { readonly signal: AbortSignal }) => told.push(call) > 0
  expect((await ran([{ url }], { obligations: { notify } })).fate).toBe('ran')
  expect([heard, told]).toMatchObject([[], [{ tool: 'shop/pay', materiality: 'high', principal: { id: 'alice' } }]])
})
