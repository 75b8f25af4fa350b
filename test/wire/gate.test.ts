import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { createGate, type GateOptions } from '../../src/create-gate.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Gate, Json, RunResult } from '../../src/types.ts'
import { authzen, opa } from '../../src/wire/points.ts'
import { type Engine, enginesInstalled, halt, startOpa } from '../support/engines.ts'
import { type RawServer, startRawServer } from '../support/raw-server.ts'

const TOOLS = ['refund', 'list', 'find', 'send']
const opened: Gate[] = []
afterEach(async () => {
  for (const gate of opened.splice(0)) await gate.close()
})

async function gateOf(options: GateOptions): Promise<Gate> {
  const effects = { store: createMemoryStore(), signer: generateSigner() }
  const gate = createGate({ config: false, events: [], effects, ...options })
  gate.register(TOOLS.map((name) => ({ name, origin: 'own' })))
  opened.push(gate)
  await gate.ready()
  return gate.as({ user: 'alice' }, { conversation: 'c' })
}

let calls = 0
function run(gate: Gate, tool: string, input: Json): Promise<RunResult<string>> {
  calls += 1
  return gate.run({ tool, input, callId: `call-${calls}` }, () => 'done')
}

function outcome(result: RunResult<string>): string {
  return result.outcome === 'ran' ? 'ran' : result.refusal.code
}

describe('a gate with an AuthZEN service', () => {
  let server: RawServer
  afterEach(async () => await server.stop())

  it('asks about parallel calls in one request, and runs each on its own answer', async () => {
    server = await startRawServer('authzen')
    server.play({
      taken: 'permit',
      play: ({ socket, echo }) => {
        const { evaluations = [] } = JSON.parse(server.seen.at(-1)?.body ?? '{}') as {
          evaluations?: { resource: { id: string } }[]
        }
        const body = JSON.stringify({
          evaluations: evaluations.map(({ resource }) => ({ decision: resource.id !== 'local/refund' })),
        })
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${echo}content-length: ${body.length}\r\n\r\n${body}`,
        )
      },
    })
    const gate = await gateOf({ policy: authzen({ url: server.url, batch: true, readsSession: false, canary: 'off' }) })
    const results = await Promise.all(TOOLS.map((tool) => run(gate, tool, {})))
    expect(results.map(outcome)).toEqual(['denied_by_policy', 'ran', 'ran', 'ran'])
    expect(server.seen.map(({ line }) => line)).toEqual(['POST /access/v1/evaluations HTTP/1.1'])
  })

  it('takes one lost request for one absence, however many calls were in it', async () => {
    server = await startRawServer('authzen')
    server.play({
      taken: 'absent',
      play: ({ socket, echo }) => socket.write(`HTTP/1.1 503 Service Unavailable\r\n${echo}content-length: 0\r\n\r\n`),
    })
    const gate = await gateOf({
      policy: authzen({ url: server.url, batch: true, readsSession: false, canary: 'off' }),
      tools: Object.fromEntries(TOOLS.map((name) => [name, { materiality: 'low' }])),
      failMode: { low: 'open' },
    })
    const results = await Promise.all(TOOLS.map((tool) => run(gate, tool, {})))
    expect(results.map(outcome)).toEqual(['ran', 'policy_timeout', 'policy_timeout', 'policy_timeout'])
    expect(gate.health().points.map(({ breaker }) => breaker)).toEqual(['closed'])
  })
})

const REGO = `package shop
import rego.v1

note := {"id": "n1", "type": "notification", "properties": {"to": "finance"}}

default decision := false
decision := {"decision": true} if input.context.arguments.amount <= 500
decision := {"decision": true, "obligations": [note]} if {
	input.context.arguments.amount > 500
	input.context.arguments.amount <= 1000
}
`
const SOON = { timeout: 15_000, interval: 100 }
const files = {
  'shop.rego': REGO,
  'canary.rego': readFileSync(new URL('../../policies/canary.rego', import.meta.url), 'utf8'),
}

describe.skipIf(!enginesInstalled())('a gate with a real OPA', () => {
  let engine: Engine
  afterEach(async () => await engine.stop())

  it('runs what OPA permits, once the obligations of the permit are met', async () => {
    engine = await startOpa(files)
    const told: Json[] = []
    const policy = opa({ url: `${engine.url}/v1/data/shop/decision` })
    const notification = ({ properties }: { readonly properties: Json }): boolean => told.push(properties) > 0
    const able = await gateOf({ policy, obligations: { notification } })
    expect(outcome(await run(able, 'refund', { amount: 100 }))).toBe('ran')
    expect(outcome(await run(able, 'refund', { amount: 900 }))).toBe('ran')
    expect(outcome(await run(able, 'refund', { amount: 9_000 }))).toBe('denied_by_policy')
    expect(told).toEqual([{ to: 'finance' }])
    const unable = await gateOf({ policy })
    expect(outcome(await run(unable, 'refund', { amount: 900 }))).toBe('obligation_unmet')
  })

  it('refuses while OPA hangs or is gone, and permits again once it is back (I10)', async () => {
    engine = await startOpa(files)
    const policy = opa({ url: `${engine.url}/v1/data/shop/decision` })
    const gate = await gateOf({ policy, timeoutMs: 300, breaker: { failures: 2, openMs: 1_000 } })
    const refund = async (): Promise<string> => outcome(await run(gate, 'refund', { amount: 100 }))
    expect(await refund()).toBe('ran')
    await halt(engine)
    expect([await refund(), await refund(), await refund()]).toEqual([
      'policy_timeout',
      'policy_timeout',
      'circuit_open',
    ])
    await engine.stop()
    await expect.poll(refund, SOON).toBe('policy_unavailable')
    engine = await startOpa(files, { port: engine.port })
    await expect.poll(refund, SOON).toBe('ran')
  })
})
