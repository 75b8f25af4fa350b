import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { loadKey, loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { createSigner } from '../../src/receipt/sign.ts'
import { openLogReader } from '../../src/store/log-reader.ts'
import { openReader } from '../../src/store/sqlite-reader.ts'
import type { Gate, Signer } from '../../src/types.ts'
import { type Jwk, verifyReceipts } from '../../src/verify.ts'
import { createMachine, type Machine } from './holdpoint.ts'

let machine: Machine
beforeEach(() => {
  machine = createMachine()
})
afterEach(() => machine.remove())

const keyFile = () => join(machine.state, 'keys', 'receipt.pem')
const folder = () => join(machine.state, 'receipts')

/** A gate of this machine writes a receipt and ends. */
async function useGate(): Promise<void> {
  const before = process.env['HOLDPOINT_STATE']
  process.env['HOLDPOINT_STATE'] = machine.state
  try {
    const gate = createGate({ config: false, policies: ['strict/v1'] })
    await gate.ready()
    await gate.close()
  } finally {
    process.env['HOLDPOINT_STATE'] = before
    if (before === undefined) delete process.env['HOLDPOINT_STATE']
  }
}

async function receipts(): Promise<readonly { readonly kind: string; readonly jws: string }[]> {
  const reader = openReader(folder())
  const all: { readonly kind: string; readonly jws: string }[] = []
  for await (const receipt of reader.receipts()) all.push(receipt)
  await reader.close()
  return all
}

async function json(...args: readonly string[]) {
  const { code, stdout, stderr } = await machine.here([...args.slice(0, 2), '--json', ...args.slice(2)])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

describe('a new receipt key', () => {
  it('is believed by whoever trusts the old one alone, from the receipt that both signed', async () => {
    await useGate()
    const old = loadKey(keyFile())
    const rotated = await json('keys', 'rotate')
    expect(rotated).toMatchObject({ old: old.kid, new: loadKey(keyFile()).kid })
    expect(rotated.new).not.toBe(old.kid)
    await useGate()
    const tokens = (await receipts()).map(({ jws }) => jws)
    const report = await verifyReceipts(tokens, { keys: [old.publicJwk as unknown as Jwk] })
    expect(report).toMatchObject({ ok: true, verified: tokens.length })
    const withoutHandover = (await receipts()).filter(({ kind }) => kind !== 'key').map(({ jws }) => jws)
    expect(await verifyReceipts(withoutHandover, { keys: [old.publicJwk as unknown as Jwk] })).toMatchObject({
      ok: false,
    })
  })

  it('leaves the public part of the old one for verify, and no private part', async () => {
    await useGate()
    const old = loadKey(keyFile())
    await json('keys', 'rotate')
    await useGate()
    expect((await machine.here(['verify'])).code).toBe(0)
    const { keys } = JSON.parse((await machine.here(['keys'])).stdout)
    expect(keys.map(({ kid }: { kid: string }) => kid)).toEqual([loadKey(keyFile()).kid, old.kid])
    const left = readdirSync(join(machine.state, 'keys'), { recursive: true }).map(String).sort()
    expect(left).toEqual(['former', join('former', `${old.kid}.jwk`), 'receipt.pem'])
    expect(readFileSync(join(machine.state, 'keys', 'former', `${old.kid}.jwk`), 'utf8')).not.toContain('"d"')
  })

  it('is the same one after a run that was cut off before the key file changed', async () => {
    await useGate()
    const old = loadKey(keyFile())
    // Where the last run ended: the new key is made and announced, the old one is still in its place.
    const before = readFileSync(keyFile())
    const first = await json('keys', 'rotate')
    const made = readFileSync(keyFile())
    writeFileSync(`${keyFile()}.next`, made, { mode: 0o600 })
    writeFileSync(keyFile(), before)
    const second = await json('keys', 'rotate')
    expect(second).toMatchObject({ old: old.kid, new: first.new })
    expect(existsSync(`${keyFile()}.next`)).toBe(false)
    expect((await machine.here(['verify'])).code).toBe(0)
  })

  it('is not made where receipts are forgotten, and the key stays', async () => {
    await useGate()
    const old = loadKey(keyFile())
    const file = join(machine.folder, 'forgets.yaml')
    writeFileSync(file, 'policies: strict/v1\nstore: memory\n')
    const { code, stdout, stderr } = await machine.here(['keys', 'rotate', '--config', file])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^holdpoint: store: memory forgets receipts.*\n$/)
    expect(loadKey(keyFile()).kid).toBe(old.kid)
    expect(existsSync(`${keyFile()}.next`)).toBe(false)
  })

  it('is said to be made and not yet in its place, where a run was cut off', async () => {
    await useGate()
    const next = loadOrCreateKey(`${keyFile()}.next`)
    expect((await machine.here(['keys', 'list'])).stdout).toContain(
      `${next.kid}  signs nothing yet: a rotation was cut`,
    )
    expect(await json('keys', 'list')).toMatchObject({ next: next.kid })
    expect((await json('keys', 'rotate')).new).toBe(next.kid)
    expect(await json('keys', 'list')).not.toHaveProperty('next')
  })
})

describe('a key that changes while several gates have been at work', () => {
  /** So many gates at once, each with a slot of its own: of the same options there would be one. */
  async function openGates(count: number): Promise<readonly Gate[]> {
    vi.stubEnv('HOLDPOINT_STATE', machine.state)
    const gates = Array.from({ length: count }, (_, n) =>
      createGate({ config: false, policies: ['strict/v1'], server: `shop-${n}` }),
    )
    vi.unstubAllEnvs()
    for (const gate of gates) await gate.ready()
    expect(readdirSync(folder()).filter((name) => /^receipts-\d+\.db$/.test(name)).length).toBeGreaterThanOrEqual(count)
    return gates
  }

  /** What is done there happens at a clock that is set otherwise. */
  async function atAnotherTime(byMs: number, work: () => Promise<void>): Promise<void> {
    vi.useFakeTimers({ now: Date.now() + byMs, toFake: ['Date'] })
    try {
      await work()
    } finally {
      vi.useRealTimers()
    }
  }

  /** The store is good to who trusts the first key alone. */
  async function expectGoodStore(old: Signer): Promise<void> {
    const stored = await machine.here(['verify', folder(), '--keys', keysOf(old)])
    expect([stored.code, stored.stdout]).toEqual([0, expect.stringContaining('Valid')])
  }

  /** So is the log. */
  async function expectGoodLog(old: Signer): Promise<void> {
    const bundle = join(machine.folder, 'all.holdpoint.jsonl')
    expect((await machine.here(['export', '--out', bundle])).code).toBe(0)
    const policy = join(machine.folder, 'log.policy')
    writeFileSync(policy, `log ${(await machine.here(['log', 'key'])).stdout}quorum none\n`)
    const logged = await machine.here([
      'verify',
      bundle,
      '--keys',
      keysOf(old),
      '--log',
      policy,
      '--require',
      'inclusion,keys',
    ])
    expect([logged.code, logged.stdout]).toEqual([0, expect.stringContaining('Valid')])
  }

  function keysOf({ publicJwk }: Signer): string {
    const file = join(machine.folder, 'old.json')
    writeFileSync(file, JSON.stringify(publicJwk))
    return file
  }

  it('hands over before anything that the new key signs, whichever process wrote it', async () => {
    const [running] = await openGates(1)
    const old = loadKey(keyFile())
    await json('keys', 'rotate')
    await running?.close()
    await useGate()
    await expectGoodStore(old)
    await expectGoodLog(old)
  })

  it('is retired behind all that it has signed, whichever process wrote it', async () => {
    for (const gate of await openGates(3)) await gate.close()
    const old = loadKey(keyFile())
    await json('keys', 'rotate')
    await json('keys', 'retire', '--', old.kid)
    await expectGoodStore(old)
    await expectGoodLog(old)
  })

  it('is retired by a log that has all before, though a clock was set back', async () => {
    await atAnotherTime(3_600_000, async () => {
      for (const gate of await openGates(2)) await gate.close()
    })
    const old = loadKey(keyFile())
    await json('keys', 'rotate')
    const before = (await receipts()).length
    await json('keys', 'retire', '--', old.kid)
    expect((await openLogReader(folder()).head())?.size).toBe(before)
    await expectGoodLog(old)
  })

  it('hands over in a log that was begun, though a clock was set back', async () => {
    for (const gate of await openGates(2)) await gate.close()
    const old = loadKey(keyFile())
    expect((await machine.here(['log', 'checkpoint'])).code).toBe(0)
    await json('keys', 'rotate')
    const [one] = await openGates(1)
    await atAnotherTime(-3_600_000, useGate)
    await one?.close()
    await expectGoodLog(old)
  })

  it('is not retired where the log cannot go on, and nothing is written', async () => {
    await useGate()
    const old = loadKey(keyFile())
    await json('keys', 'rotate')
    expect((await machine.here(['log', 'checkpoint'])).code).toBe(0)
    const before = (await receipts()).length
    const file = join(machine.folder, 'renamed.yaml')
    writeFileSync(file, 'policies: strict/v1\nlog: { origin: example.com/other }\n')
    const { code, stdout, stderr } = await machine.here(['keys', 'retire', '--config', file, '--', old.kid])
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining('the log cannot go on')])
    expect((await receipts()).length).toBe(before)
  })
})

describe('an old receipt key', () => {
  it('is retired by its successor, and list says by which receipt', async () => {
    await useGate()
    const old = loadKey(keyFile())
    await json('keys', 'rotate')
    const { receipt } = await json('keys', 'retire', '--', old.kid)
    expect(await json('keys', 'list')).toMatchObject({ former: [{ kid: old.kid, retiredBy: receipt }] })
    expect((await machine.here(['keys', 'list'])).stdout).toContain(`${old.kid}  retired by ${receipt}\n`)
    expect((await machine.here(['verify'])).code).toBe(0)
  })

  it('is not retired while a gate may still sign with it, unless somebody says so', async () => {
    await useGate()
    const old = loadKey(keyFile())
    process.env['HOLDPOINT_STATE'] = machine.state
    const running = createGate({ config: false, policies: ['strict/v1'] })
    await running.ready()
    delete process.env['HOLDPOINT_STATE']
    await json('keys', 'rotate')
    const before = (await receipts()).length
    const held = await machine.here(['keys', 'retire', '--', old.kid])
    expect(held).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--anyway'),
      stdout: expect.stringContaining('Not retired: 1 stream'),
    })
    expect((await receipts()).length).toBe(before)
    await running.close()
    expect((await machine.here(['keys', 'retire', '--', old.kid])).code).toBe(0)
  })

  it('is named as it is, also where its thumbprint begins with "-"', async () => {
    await useGate()
    let key = generateKeyPairSync('ed25519').privateKey
    while (!createSigner(key).kid.startsWith('-')) key = generateKeyPairSync('ed25519').privateKey
    writeFileSync(keyFile(), key.export({ type: 'pkcs8', format: 'pem' }))
    const { kid } = createSigner(key)
    const { stderr } = await machine.here(['keys', 'rotate'])
    const [, command = ''] = /and then: holdpoint (.*)\n$/.exec(stderr) ?? []
    expect(command).toBe(`keys retire ${kid}`)
    expect(await machine.here(command.split(' '))).toMatchObject({ code: 0, stderr: '' })
    expect(await json('keys', 'retire', kid)).toMatchObject({ retired: true, kid })
    expect(await machine.here(['keys', 'retire', kid, '--anyway'])).toMatchObject({ code: 0 })
    expect(await machine.here(['keys', 'retire', '--', kid])).toMatchObject({ code: 0 })
    expect((await machine.here(['keys', 'retire', '--nonsense', kid])).stderr).toMatch(/unknown option '--nonsense'/)
  })

  it.each([
    ['the key that signs', () => loadKey(keyFile()).kid, 'make a new one first'],
    ['a key that nobody knows', () => 'x'.repeat(43), 'no earlier key'],
  ])('cannot be %s', async (_, kid, said) => {
    await useGate()
    const { code, stderr } = await machine.here(['keys', 'retire', '--', kid()])
    expect(code).toBe(2)
    expect(stderr).toContain(said)
  })
})

describe('a receipt key in an environment variable', () => {
  it("signs for the gate, is what the commands read, and is no command's to change", async () => {
    const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
    const here = (...args: readonly string[]) => machine.here(args)
    process.env['HOLDPOINT_TEST_KEY'] = JSON.stringify(jwk)
    process.env['HOLDPOINT_STATE'] = machine.state
    try {
      const gate = createGate({ config: false, policies: ['strict/v1'], key: { env: 'HOLDPOINT_TEST_KEY' } })
      await gate.ready()
      await gate.close()
      expect(existsSync(keyFile())).toBe(false)
      writeFileSync(join(machine.folder, 'holdpoint.yaml'), 'key: { env: HOLDPOINT_TEST_KEY }\n')
      const shown = JSON.parse((await here('keys', 'show')).stdout)
      expect(shown.keys).toMatchObject([{ x: jwk.x }])
      expect(JSON.stringify(shown)).not.toContain(jwk.d)
      expect(JSON.parse((await here('verify', '--json')).stdout)).toMatchObject({ ok: true, verified: 2 })
      const rotated = await here('keys', 'rotate')
      expect(rotated).toMatchObject({ code: 2, stderr: expect.stringContaining('HOLDPOINT_TEST_KEY') })
      process.env['HOLDPOINT_TEST_KEY'] = ''
      const away = await here('verify')
      expect(away).toMatchObject({ code: 2, stderr: expect.stringContaining('HOLDPOINT_TEST_KEY is not set') })
    } finally {
      delete process.env['HOLDPOINT_TEST_KEY']
      delete process.env['HOLDPOINT_STATE']
    }
  })
})
