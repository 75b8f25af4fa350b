import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { type TestGate, testGate } from '../../src/testing.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()
const child = path.join(import.meta.dirname, 'crash-child.ts')

/** A folder in which a process died with one permit in its hands. */
function crashed(moment: 'permitted' | 'begun'): string {
  const folder = temporary()
  const { signal, stderr } = spawnSync(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    child,
    folder,
    moment,
  ])
  expect({ signal, stderr: stderr.toString() }).toEqual({ signal: 'SIGKILL', stderr: '' })
  return folder
}

/** The next process: the same operator, the same key, the same store. */
function nextLife(folder: string): TestGate {
  const gate = testGate({
    store: createSqliteStore({ folder: path.join(folder, 'store') }),
    signer: loadOrCreateKey(path.join(folder, 'receipt.pem')),
  })
  gate.register([{ name: 'pay', origin: 'own' }])
  return gate
}

async function payAgain(gate: TestGate) {
  return await gate.as({ user: 'ada' }).run({ tool: 'pay', input: {}, idempotencyKey: 'invoice 7' }, () => 'paid')
}

async function proven(gate: TestGate): Promise<void> {
  const receipts = await gate.receipts()
  const report = await verifyReceipts(
    receipts.map(({ jws }) => jws),
    { keys: [gate.signer.publicJwk] },
  )
  expect(report).toMatchObject({ ok: true, settled: true, failures: [] })
}

describe('a process that dies with a permit in its hands', () => {
  it.each(['permitted', 'begun'] as const)(
    'I2: leaves a call of which nobody knows whether it ran: it is unknown, and its key stays held (%s)',
    async (moment) => {
      const folder = crashed(moment)
      for (const life of ['the next', 'the one after it']) {
        const gate = nextLife(folder)
        expect(await payAgain(gate), life).toMatchObject({ outcome: 'refused', refusal: { code: 'outcome_unknown' } })
        await proven(gate)
        await gate.close()
      }
    },
  )

  it('whose claim never became durable provably never ran the call: it runs now, once', async () => {
    const folder = crashed('permitted')
    // Two files are synced one after the other; power that fails in between leaves the decision without its claim.
    const claims = new DatabaseSync(path.join(folder, 'store', 'claims.db'))
    claims.exec('DELETE FROM claims')
    claims.close()
    const gate = nextLife(folder)
    expect(await payAgain(gate)).toMatchObject({ outcome: 'ran' })
    expect(await payAgain(gate)).toMatchObject({ outcome: 'refused', refusal: { code: 'already_executed' } })
    await proven(gate)
    await gate.close()
  })
})
