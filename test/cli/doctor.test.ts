import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../support/engines.ts'
import { createMachine, type Machine } from './holdpoint.ts'
import { openGate, record } from './recorded.ts'

let machine: Machine

beforeEach(() => {
  machine = createMachine()
})
afterEach(() => machine.remove())

interface Finding {
  readonly about: string
  readonly state: string
  readonly says: string
}

async function findings(expected: number): Promise<readonly Finding[]> {
  const { code, stdout } = await machine.here(['doctor', '--json'])
  expect(code).toBe(expected)
  return (JSON.parse(stdout) as { findings: Finding[] }).findings
}

describe('doctor', () => {
  it('finds nothing to mend on a fresh machine, and changes nothing there', async () => {
    const found = await findings(0)
    expect(found.filter(({ state }) => state === 'problem')).toEqual([])
    expect(found).toContainEqual(
      expect.objectContaining({ about: 'store', says: expect.stringMatching(/synchronous FULL/) }),
    )
    expect(readdirSync(machine.state)).toEqual([])
  })

  it('says that a memory store forgets and that low fails open', async () => {
    writeFileSync(join(machine.folder, 'holdpoint.yaml'), 'store: memory\nfailMode: { low: open }\n')
    const found = await findings(0)
    const warnings = found.filter(({ state }) => state === 'warning').map(({ about }) => about)
    expect(warnings).toEqual(expect.arrayContaining(['store', 'fail mode']))
  })

  it('notices a freshly generated key, and one that others can read', async () => {
    await record(machine)
    expect(await findings(0)).toContainEqual(
      expect.objectContaining({ about: 'key', state: 'warning', says: expect.stringMatching(/last 24 hours/) }),
    )
    chmodSync(join(machine.state, 'keys', 'receipt.pem'), 0o644)
    expect(await findings(1)).toContainEqual(
      expect.objectContaining({
        about: 'key',
        state: 'problem',
        says: expect.stringMatching(/read or changed by others/),
      }),
    )
  })

  it('notices that the configured trust does not cover this machine’s own receipts', async () => {
    await record(machine)
    const foreign = '{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }'
    writeFileSync(
      join(machine.folder, 'holdpoint.yaml'),
      `trust:\n  receipts:\n    - ${foreign}\npolicies: shop.cedar\n`,
    )
    expect(await findings(1)).toContainEqual(expect.objectContaining({ about: 'trust', state: 'problem' }))
  })

  it('lists tools that ran outside the gate', async () => {
    await record(machine)
    const gate = openGate(machine)
    await gate.as({ user: 'ada' }).markUngated({ tool: 'web_search' }, 'runs at the provider')
    await gate.close()
    expect(await findings(0)).toContainEqual(
      expect.objectContaining({ about: 'tools', state: 'warning', says: expect.stringMatching(/shop\/web_search/) }),
    )
  })

  it('shows a policy that does not load, with its line', async () => {
    writeFileSync(join(machine.folder, 'holdpoint.yaml'), 'policies: bad.cedar\n')
    writeFileSync(join(machine.folder, 'bad.cedar'), '@id("x")\npermit (principal, action, resource)\n')
    expect(await findings(1)).toContainEqual(
      expect.objectContaining({ about: 'policies', state: 'problem', says: expect.stringMatching(/bad\.cedar:\d/) }),
    )
  })
})

describe('the doctor on policy services', () => {
  it('asks each, and says of one that does not answer what becomes of its calls', async () => {
    const port = await freePort()
    writeFileSync(
      join(machine.folder, 'holdpoint.yaml'),
      `points: [{ opa: "http://127.0.0.1:${port}/v1/data/shop/decision" }]\n`,
    )
    const found = await findings(1)
    expect(found).toContainEqual(
      expect.objectContaining({
        about: 'service',
        state: 'problem',
        says: expect.stringMatching(/^opa: no answer\. Is it running.*Medium and high calls of its tools are refused$/),
      }),
    )
    expect(found).toContainEqual(expect.objectContaining({ about: 'policies', says: 'none here: the services decide' }))
  })
})
