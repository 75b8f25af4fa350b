import { setTimeout as delay } from 'node:timers/promises'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { testGate } from '../../src/testing.ts'

/**
 * A process that makes ten refunds at once on a shared folder, each in a conversation of its own, and says what became of them.
 *
 * A refund that another process overtook too often is refused as `overloaded`; like any agent that is told so, it tries again.
 */
const [folder = '', name = '', policy = ''] = process.argv.slice(2)
const TRIES = 50

const store = createSqliteStore({ folder, busyMs: 10_000, deadlineMs: 20_000 })
const gate = testGate({ policy, store, tools: { refund: { materiality: 'high', surface: 'financial' } } })
gate.register([{ name: 'refund', origin: 'own' }])

async function refund(index: number): Promise<string> {
  const me = gate.as({ user: 'alice' }, { conversation: `${name} ${index}` })
  for (let tries = 0; tries < TRIES; tries += 1) {
    const result = await me.run({ tool: 'refund', callId: `${tries}`, input: { amount: 10 } }, () => 'done')
    if (result.outcome === 'ran') return 'ran'
    if (result.refusal.code !== 'overloaded') return result.refusal.code
    await delay(1 + ((index * 7 + tries * 3) % 20))
  }
  return 'overloaded'
}

const outcomes = await Promise.all(Array.from({ length: 10 }, (_, index) => refund(index)))
await gate.close()
process.stdout.write(JSON.stringify(outcomes))
