import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { askedBy, asksFinance, fateOf, people, refundTool, yes } from '../support/refunds.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { runHere } from './in-process.ts'

const folder = temporaryFolders()
afterEach(() => vi.unstubAllEnvs())

it('hands an auditor who said yes, under a key for answers alone, and tells of an export without it', async () => {
  const here = folder()
  vi.stubEnv('HOLDPOINT_STATE', here)
  writeFileSync(join(here, 'shop.cedar'), asksFinance(2))
  const config = join(here, 'holdpoint.yaml')
  writeFileSync(
    config,
    'server: shop\npolicies: shop.cedar\ntools:\n  refund: { materiality: high }\nlog: { origin: shop.example/log }\n',
  )
  const gate = createGate({ config: here, events: [() => undefined] })
  gate.register([refundTool])
  const { alice, bob, carol } = people(gate)
  const request = await askedBy(alice)
  for (const person of [bob, carol]) await yes(person, request)
  expect((await fateOf(alice)).fate).toBe('ran')
  await gate.close()

  const [keys, approvals, bundle] = ['keys.json', 'approvals.json', 'all.jsonl'].map((name) => join(here, name))
  const [receiptKeys, approvalKeys] = [
    await runHere('keys', '--config', config),
    await runHere('keys', 'show', '--approvals', '--config', config),
  ]
  writeFileSync(keys ?? '', receiptKeys.stdout)
  writeFileSync(approvals ?? '', approvalKeys.stdout)
  expect((await runHere('export', '--out', bundle ?? '', '--config', config)).code).toBe(0)
  const verified = async (...more: string[]) => {
    const { code, stdout } = await runHere('verify', bundle ?? '', '--keys', keys ?? '', '--json', ...more)
    const { checks } = JSON.parse(stdout)
    return [code, checks.find(({ check }: { check: string }) => check === 'approvals').result]
  }
  expect(await verified('--approval-keys', approvals ?? '')).toEqual([0, 'pass'])
  expect(await verified()).toEqual([0, 'not_established'])
  // The gate's receipt key is no such key, and nobody else's is.
  expect(await verified('--approval-keys', keys ?? '')).toEqual([1, 'fail'])
})
