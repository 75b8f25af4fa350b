import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { createGate } from '../../src/create-gate.ts'
import { logSigner } from '../../src/log/log-signer.ts'
import { writeVerifierKey } from '../../src/log/verifier-key.ts'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { openLog } from '../../src/store/log-book.ts'
import { openLogReader } from '../../src/store/log-reader.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { openReader } from '../../src/store/sqlite-reader.ts'
import type { Gate, GateEvent } from '../../src/types.ts'
import { collect } from '../support/receipt-drafts.ts'
import { PERMIT, scriptedPoint } from '../support/scripted-point.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { startWitness, type WitnessServer } from '../support/witness-server.ts'

const temporary = temporaryFolders()
const before = process.env['HOLDPOINT_STATE']
const open: { close(): Promise<unknown> }[] = []
let state: string
let app: string
beforeEach(() => {
  state = temporary()
  app = temporary()
  process.env['HOLDPOINT_STATE'] = state
})
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
  if (before === undefined) delete process.env['HOLDPOINT_STATE']
  else process.env['HOLDPOINT_STATE'] = before
})

/** A gate of `holdpoint.yaml`, and what it says. */
function gateOf(yaml: string): { readonly gate: Gate; readonly events: GateEvent[] } {
  writeFileSync(join(app, 'holdpoint.yaml'), yaml)
  const events: GateEvent[] = []
  const gate = createGate({
    config: app,
    server: 'test',
    tools: { act: { materiality: 'high' } },
    policy: scriptedPoint(async () => PERMIT),
    events: [(event) => events.push(event)],
  })
  open.push(gate)
  gate.register([{ name: 'act', origin: 'own' }])
  return { gate, events }
}

async function act(gate: Gate, count: number): Promise<void> {
  const me = gate.as({ user: 'alice' }, { conversation: 'c1' })
  for (let n = 0; n < count; n += 1)
    await me.run({ tool: 'act', input: { n }, idempotencyKey: `${Math.random()}` }, () => 'done')
}

/** Every receipt of the store that is in its published log. */
async function logged(): Promise<{ readonly stored: number; readonly missing: number; readonly size: number }> {
  const folder = join(state, 'receipts')
  const reader = openReader(folder)
  const receipts = await collect(reader.receipts())
  await reader.close()
  const log = openLogReader(folder)
  const size = (await log.head())?.size ?? 0
  const leaves = await log.leavesOf(new Set(receipts.map(({ hash }) => hash)), size)
  return { stored: receipts.length, missing: receipts.length - leaves.size, size }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** The log's key, as its operator gives it to a witness. */
function tell(witness: WitnessServer, origin: string): void {
  const signer = loadOrCreateKey(join(state, 'keys', 'log-key'))
  witness.know(writeVerifierKey(logSigner(sha256Bytes, signer, origin).key))
}

describe('a gate that keeps a log', () => {
  it('has every receipt in it once it is closed, its seal too, and says how it is doing', async () => {
    const { gate, events } = gateOf('log: { everyMs: 50 }\n')
    await act(gate, 5)
    await until(() => gate.health().log?.state === 'current')
    await act(gate, 3)
    await gate.close()
    const { stored, missing, size } = await logged()
    expect({ missing, size }).toEqual({ missing: 0, size: stored })
    expect(stored).toBeGreaterThan(16)
    expect(events.some(({ event }) => event === 'checkpoint-signed')).toBe(true)
    expect(statSync(join(state, 'keys', 'log-key')).mode & 0o777).toBe(0o600)
    // The log has no use for the key that signs receipts, and receipts none for its.
    expect(readFileSync(join(state, 'keys', 'log-key'), 'utf8')).not.toBe(
      readFileSync(join(state, 'keys', 'receipt.pem'), 'utf8'),
    )
  })

  it('shows its checkpoints to witnesses, says when too few see them, and when they do again', async () => {
    const witness = await startWitness('example.com/w')
    open.push(witness)
    writeFileSync(join(app, 'w.policy'), `${witness.line}\nquorum example.com/w\n`)
    const { gate, events } = gateOf('log: { everyMs: 50, origin: shop/log, witnesses: w.policy }\n')
    tell(witness, 'shop/log')
    await act(gate, 1)
    await until(() => gate.health().log?.state === 'current')
    witness.staged = { status: 503 }
    await act(gate, 1)
    await until(() => gate.health().log?.state === 'stalled')
    const stalls = () => events.filter(({ event }) => event === 'log-stalled')
    expect(gate.health().log).toMatchObject({ witnessed: false, signedAt: expect.any(Number) })
    expect(stalls()).toMatchObject([
      { lacks: 'witnesses', because: expect.stringContaining('example.com/w answered HTTP 503') },
    ])
    // Calls never wait for it, and it is not said each second.
    await act(gate, 1)
    witness.staged = undefined
    await until(() => events.some(({ event }) => event === 'log-resumed'))
    expect(stalls()).toHaveLength(1)
    expect(gate.health().log).toMatchObject({ state: 'current', witnessed: true, size: expect.any(Number) })
  })

  it('says how far the log is that another process takes forward, and how much of its own is not in it yet', async () => {
    const first = gateOf('log: { everyMs: 50 }\n')
    await act(first.gate, 1)
    await first.gate.close()
    const log = await openLog(join(state, 'receipts'), { signer: loadOrCreateKey(join(state, 'keys', 'log-key')) })
    open.push(log)
    const { gate } = gateOf('log: { everyMs: 50 }\n')
    await act(gate, 2)
    await until(() => gate.health().log?.unlogged === 5)
    expect(gate.health().log).toEqual({ state: 'elsewhere', size: log.head()?.size, unlogged: 5 })
    await log.step()
    await until(() => gate.health().log?.unlogged === 0)
    expect(gate.health().log).toEqual({ state: 'elsewhere', size: log.head()?.size, unlogged: 0 })
  })

  it('is asked for nothing by a gate without it: no key, no folder, no thread', async () => {
    const { gate } = gateOf('timeoutMs: 1000\n')
    await act(gate, 1)
    expect(gate.health()).not.toHaveProperty('log')
    await gate.close()
    expect(existsSync(join(state, 'receipts', 'log'))).toBe(false)
    expect(existsSync(join(state, 'keys', 'log-key'))).toBe(false)
  })

  it('says that it stands still when its key is another one, and decides calls all the same', async () => {
    const first = gateOf('log: { everyMs: 50 }\n')
    await act(first.gate, 1)
    await first.gate.close()
    const key = join(state, 'keys', 'log-key')
    writeFileSync(key, readFileSync(join(state, 'keys', 'receipt.pem')))
    expect(() => gateOf('log: { everyMs: 50 }\n')).toThrow(/is the key that signs receipts/)
    rmSync(key)
    const { gate, events } = gateOf('log: { everyMs: 50 }\n')
    await act(gate, 1)
    await until(() => gate.health().log?.state === 'stalled')
    expect(events).toContainEqual({
      event: 'log-stalled',
      lacks: 'checkpoint',
      because: expect.stringContaining('is signed with'),
    })
    await until(() => (gate.health().log?.unlogged ?? 0) > 2)
    expect(gate.health().log).not.toHaveProperty('witnessed')
  })

  it('lets no call write the witnesses that it asks, nor its key, nor its files', async () => {
    const witness = await startWitness('example.com/w')
    open.push(witness)
    writeFileSync(join(app, 'w.policy'), `${witness.line}\nquorum none\n`)
    const { gate } = gateOf('log: { witnesses: w.policy }\nkeyFile: k/receipt.pem\nstore: { folder: s }\n')
    gate.register([{ name: 'write_file', origin: 'own' }])
    const write = async (path: string): Promise<string> => {
      const result = await gate
        .as({ user: 'alice' })
        .run({ tool: 'write_file', input: { path, content: '' } }, () => 'ran')
      return result.outcome === 'ran' ? 'ran' : result.refusal.code
    }
    for (const own of ['w.policy', 'k/log-key', 's/log/checkpoint'])
      expect(await write(join(app, own))).toBe('denied_by_policy')
    expect(await write(join(app, 'notes.md'))).toBe('ran')
  })

  it('lets a program end that forgets to close it', async () => {
    const script = `
      import { createGate } from ${JSON.stringify(new URL('../../src/create-gate.ts', import.meta.url).href)}
      const gate = createGate({ config: false, log: { everyMs: 50 }, policy: () => 'permit' })
      gate.register([{ name: 'act', origin: 'own' }])
      await gate.as({ user: 'a' }).run({ tool: 'act', input: {} }, () => 1)
      console.log('done')`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env },
      timeout: 20_000,
    })
    expect(stdout).toBe('done\n')
  })
})

describe('what a configuration says of its log', () => {
  const refused = (yaml: string, words: RegExp) =>
    expect(() => gateOf(yaml)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message: expect.stringMatching(words) }),
    )

  it('is refused at the start, with file and line, where it cannot be kept', () => {
    refused('log: true\n', /^holdpoint.yaml:1:\d+: "log" must be a mapping/)
    refused('timeoutMs: 5\nlog: { evryMs: 5 }\n', /^holdpoint.yaml:2.*did you mean "everyMs"/)
    refused('log: { origin: "two words" }\n', /"log.origin" must be a name such as/)
    refused('log: { everyMs: 1 }\n', /"log.everyMs" must be a whole number/)
    refused('store: memory\nlog: {}\n', /^holdpoint.yaml:2.*a log is kept beside a store in a folder/)
    refused('log:\n  witnesses: gone.policy\n', /^holdpoint.yaml:2.*gone.policy cannot be read \(ENOENT\)/)
    mkdirSync(join(app, 'bad'), { recursive: true })
    writeFileSync(join(app, 'bad', 'w.policy'), 'quorum none\nwitness a b\n')
    refused('log:\n  witnesses: bad/w.policy\n', /w.policy:2: the witness policy/)
  })

  it('is refused over a store of one’s own, which has no folder', () => {
    expect(() =>
      createGate({ config: false, log: {}, effects: { store: createMemoryStore({ now: () => 0 }) } }),
    ).toThrow(/createGate options: a log is kept beside a store in a folder/)
  })
})
