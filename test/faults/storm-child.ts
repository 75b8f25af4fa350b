import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createGate } from '../../src/create-gate.ts'
import { createSqliteStore, generateSigner } from '../../src/testing.ts'
import { opa } from '../../src/wire/points.ts'

/**
 * A process that makes many calls of one idempotency key at once, and says what became of each: one JSON list for each wave. It says
 * `ready`, begins at the first line of its input, and says `held` when a call waits for the policy service.
 */
const [folder = '', url = '', calls = '0'] = process.argv.slice(2)

const gate = createGate({
  config: false,
  policy: opa({ url, canary: 'off' }),
  timeoutMs: 10_000,
  breaker: { failures: 1, openMs: 300, probes: 1 },
  events: [({ event }) => void (event === 'call-held' && process.stdout.write('held\n'))],
  effects: {
    store: createSqliteStore({ folder: join(folder, 'store'), busyMs: 10_000, deadlineMs: 20_000 }),
    signer: generateSigner(),
  },
})
gate.register([{ name: 'pay', origin: 'own', inputSchema: { type: 'object' }, declared: { materiality: 'high' } }])
const me = gate.as({ user: 'alice' })

async function pay(callId: string): Promise<string> {
  const call = { tool: 'pay', callId, idempotencyKey: 'invoice 1184', input: { amount: 900 } }
  const execute = async (): Promise<void> => {
    appendFileSync(join(folder, 'executed'), 'paid\n')
    await delay(100)
  }
  const ran = await me.run(call, execute, { onSilence: 'hold', wait: false })
  return ran.outcome === 'ran' ? 'ran' : ran.refusal.code
}

async function wave(name: string): Promise<void> {
  const outcomes = await Promise.all(Array.from({ length: Number(calls) }, (_, n) => pay(`${name} ${n}`)))
  process.stdout.write(`${JSON.stringify(outcomes)}\n`)
}

await gate.ready()
process.stdout.write('ready\n')
await new Promise((resolve) => process.stdin.once('data', resolve))
process.stdin.destroy()
await wave('first')
await wave('second')
await gate.close()
