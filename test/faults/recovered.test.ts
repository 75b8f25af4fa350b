/** What a crash left open is ended by the next gate, and whoever watches hears of it. */
import { expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { createSqliteStore, generateSigner } from '../../src/testing.ts'
import type { GateEvent } from '../../src/types.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const folderOf = temporaryFolders()

it('tells of each call whose outcome the dead process never wrote', async () => {
  const folder = folderOf()
  const signer = generateSigner()
  const events: GateEvent[] = []
  const gateOf = (store: ReturnType<typeof createSqliteStore>) => {
    const gate = createGate({
      config: false,
      policy: () => 'permit',
      events: [(event) => events.push(event)],
      effects: { store, signer },
    })
    gate.register([{ name: 'pay', origin: 'own', inputSchema: { type: 'object' } }])
    return gate
  }
  const first = createSqliteStore({ folder })
  const admission = await gateOf(first).as({ user: 'alice' }).admit({ tool: 'pay', callId: '1', input: {} })
  if (admission.outcome !== 'permitted') throw new Error('refused')
  expect(admission.begin()).toMatchObject({ outcome: 'begun' })
  // The process is gone: no outcome, no seal.
  await first.close()
  const next = gateOf(createSqliteStore({ folder }))
  await next.ready()
  expect(events.filter(({ event }) => event === 'outcome-recovered')).toEqual([
    { event: 'outcome-recovered', status: 'unknown', receipt: expect.stringMatching(/^r_/) },
  ])
  await next.close()
})
