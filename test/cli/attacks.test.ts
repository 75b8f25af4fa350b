/** Every attack on receipts and their log, each against the commands that an auditor or an operator runs: docs/audit.md. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import type { Receipt } from '../../src/types.ts'
import { attackedLog } from '../support/attacked-log.ts'
import { gateKey, ORIGIN, Process } from '../support/bundles.ts'
import { noteSigner } from '../support/log-keys.ts'
import { writerOf } from '../support/stored-receipts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { startWitness, type WitnessServer } from '../support/witness-server.ts'
import type { Ended } from './holdpoint.ts'
import { runHere } from './in-process.ts'

const temporary = temporaryFolders()
/** What an auditor is shown, made by hand. */
const { key, receipts, second, log, rewritten } = attackedLog()

/** A gate's machine: two processes wrote, the log was kept; `old` is a copy from the middle of it. */
let witness: WitnessServer
let machines: { readonly both: string; readonly old: string; readonly now: string }
/** The machine of one test, and a folder for what the auditor has. */
let state: string
let desk: string

beforeAll(async () => {
  witness = await startWitness('example.com/w')
  const both = mkdtempSync(join(tmpdir(), 'holdpoint-attacked-'))
  const [old, now] = [join(both, 'old'), join(both, 'now')]
  machines = { both, old, now }
  mkdirSync(now)
  vi.stubEnv('HOLDPOINT_STATE', now)
  writeFileSync(join(now, 'w.policy'), `${witness.line}\nquorum example.com/w\n`)
  writeFileSync(join(now, 'witnessed.yaml'), 'log: { witnesses: w.policy }\n')
  writeFileSync(join(now, 'alone.yaml'), 'log: {}\n')
  await write(now, 3)
  witness.know((await runHere('log', 'key', '--config', join(now, 'witnessed.yaml'))).stdout.trim())
  await runHere('log', 'checkpoint', '--config', join(now, 'witnessed.yaml'))
  cpSync(now, old, { recursive: true })
  await write(now, 4)
  await runHere('log', 'checkpoint', '--config', join(now, 'witnessed.yaml'))
})
afterAll(async () => {
  await witness.close()
  rmSync(machines.both, { recursive: true, force: true })
})
beforeEach(() => {
  state = temporary()
  desk = temporary()
  vi.stubEnv('HOLDPOINT_STATE', state)
  cpSync(machines.now, state, { recursive: true })
})
afterEach(() => vi.unstubAllEnvs())

/** Two processes of the store each write so many receipts more. */
async function write(at: string, count: number): Promise<void> {
  const signer = loadOrCreateKey(join(at, 'keys', 'receipt.pem'))
  const writers = [await writerOf(join(at, 'receipts'), signer), await writerOf(join(at, 'receipts'), signer)]
  for (const writer of writers) await writer.write(count)
  for (const writer of writers) await writer.close()
}

const inStore = (path: string, at = state): string => join(at, 'receipts', path)
const without = (...leaves: readonly number[]): readonly Receipt[] =>
  receipts.filter((_, leaf) => !leaves.includes(leaf))
const swapped = (one: number, other: number): readonly Receipt[] =>
  receipts.with(one, receipts[other] as Receipt).with(other, receipts[one] as Receipt)
const alone = { witnesses: [] }

function file(name: string, text: string | readonly string[]): string {
  const path = join(desk, name)
  writeFileSync(path, typeof text === 'string' ? text : `${text.join('\n')}\n`)
  return path
}

/** `holdpoint verify` of a bundle, by an auditor who trusts the gate's key, the log's key and two witnesses. */
async function verify(lines: readonly string[] | Promise<string[]>, held?: string): Promise<Ended> {
  const keys = file('keys.json', JSON.stringify(key.publicJwk))
  const trust = ['--keys', keys, '--log', file('shop.policy', log.policy())]
  const checkpoint = held === undefined ? [] : ['--checkpoint', file('held.checkpoint', held)]
  return await runHere('verify', file('shop.holdpoint.jsonl', await lines), ...trust, ...checkpoint)
}

const onMachine = (...args: readonly string[]): Promise<Ended> =>
  runHere(...args, '--config', join(state, 'witnessed.yaml'))
/** Where no witness is asked. */
const unwitnessed = (...args: readonly string[]): Promise<Ended> =>
  runHere(...args, '--config', join(state, 'alone.yaml'))
const exported = (run: typeof onMachine, ...args: readonly string[]): Promise<Ended> =>
  run('export', '--out', join(desk, 'out.jsonl'), ...args)
const checkpointOf = (at: string): string => readFileSync(inStore('log/checkpoint', at), 'utf8')

function restore(what: string): void {
  rmSync(inStore(what), { recursive: true, force: true })
  for (const beside of ['-wal', '-shm']) rmSync(inStore(what + beside), { force: true })
  cpSync(inStore(what, machines.old), inStore(what), { recursive: true })
}

/** Somebody with the file's rights deletes receipts of a slot. */
function drop(slot: number, which: string): void {
  const db = new DatabaseSync(inStore(`receipts-${slot}.db`))
  db.exec(`DROP TRIGGER receipts_never_go; PRAGMA foreign_keys = OFF; DELETE FROM receipts WHERE ${which}`)
  db.close()
}

/** The old copy goes on by itself; with seven or more, further than the log that it is of. */
async function fork(count: number): Promise<string> {
  const there = state
  state = temporary()
  cpSync(machines.old, state, { recursive: true })
  vi.stubEnv('HOLDPOINT_STATE', state)
  await write(state, count)
  await unwitnessed('log', 'checkpoint')
  const forked = state
  state = there
  vi.stubEnv('HOLDPOINT_STATE', state)
  return forked
}

/** Two leaves change places, in the entries and in the hashes over them. */
function swapLeaves(): void {
  const swap = (path: string, change: (bytes: Buffer) => Buffer): void =>
    writeFileSync(inStore(path), change(readFileSync(inStore(path))))
  const size = Number(checkpointOf(state).split('\n')[1])
  swap(`log/tile/0/000.p/${size}`, (bytes) =>
    Buffer.concat([bytes.subarray(32, 64), bytes.subarray(0, 32), bytes.subarray(64)]),
  )
  swap(`log/tile/entries/000.p/${size}`, (bytes) => {
    const first = 2 + bytes.readUInt16BE(0)
    const end = first + 2 + bytes.readUInt16BE(first)
    return Buffer.concat([bytes.subarray(first, end), bytes.subarray(0, first), bytes.subarray(end)])
  })
}

/** By attack, and where it shows: the two first columns of the table. */
const played: Readonly<Record<string, Readonly<Record<string, () => Promise<Ended>>>>> = {
  'the tail is cut': {
    '`verify`': async () => verify((await log.whole()).toSpliced(11, 4)),
    '`verify --checkpoint`': async () => verify(rewritten(receipts.slice(0, 10)).whole(), log.note()),
    '`verify --log`': async () => verify(rewritten(receipts.slice(0, 10), alone).whole()),
    '`log fsck`': async () => {
      drop(1, 'id = (SELECT max(id) FROM receipts)')
      return onMachine('log', 'fsck')
    },
  },
  'a receipt is dropped': {
    '`verify`': async () => verify((await log.whole()).toSpliced(6, 1)),
    '`verify`, the log as it was signed': async () => verify(rewritten(without(5)).whole([], log.note(13))),
    '`verify`, the log signed anew': async () => verify(rewritten(without(5)).whole()),
    '`verify --checkpoint`, the log signed anew': async () => verify(rewritten(without(5)).whole(), log.note(9)),
    '`verify` of a store': async () => {
      drop(0, 'id = 3')
      return onMachine('verify')
    },
    '`log fsck`': async () => {
      drop(0, 'id = 3')
      return onMachine('log', 'fsck')
    },
    '`export`': async () => {
      drop(0, 'id = 3')
      return exported(onMachine)
    },
  },
  'receipts are reordered': {
    '`verify`': async () => {
      const lines = await log.whole()
      return verify(lines.with(3, lines[4] ?? '').with(4, lines[3] ?? ''))
    },
    '`verify`, the log as it was signed': async () => verify(rewritten(swapped(2, 3)).whole([], log.note())),
    '`verify`, the log signed anew': async () => verify(rewritten(swapped(2, 4)).whole()),
    '`verify --checkpoint`, the log signed anew': async () => verify(rewritten(swapped(2, 3)).whole(), log.note(9)),
    '`log fsck`': async () => {
      swapLeaves()
      return onMachine('log', 'fsck')
    },
  },
  'two readers are shown two logs': {
    '`verify --checkpoint`': async () =>
      verify(log.whole(), rewritten([...receipts.slice(0, 13), new Process(key, 'other').open()]).note()),
    '`export --held`': async () => exported(unwitnessed, '--held', file('theirs', checkpointOf(await fork(2)))),
    '`log checkpoint`': async () => {
      const forked = await fork(7)
      rmSync(inStore('.'), { recursive: true })
      cpSync(inStore('.', forked), inStore('.'), { recursive: true })
      return onMachine('log', 'checkpoint')
    },
    '`log fsck`': async () => {
      const forked = await fork(7)
      cpSync(inStore('log/log.db', forked), inStore('log/log.db'))
      return onMachine('log', 'fsck')
    },
  },
  'an old backup is restored': {
    '`verify --checkpoint`': async () => verify(rewritten(receipts.slice(0, 6)).whole(), log.note(9)),
    '`verify --checkpoint`, the backup went on': async () =>
      verify(rewritten([...receipts.slice(0, 6), ...receipts.slice(10)]).whole(), log.note(9)),
    '`export --held`': async () => {
      for (const one of ['log', 'receipts-0.db', 'receipts-1.db']) restore(one)
      return exported(unwitnessed, '--held', file('held', checkpointOf(machines.now)))
    },
    '`export`, `log checkpoint`': async () => {
      restore('log')
      const checkpoint = await onMachine('log', 'checkpoint')
      const bundle = await exported(onMachine)
      expect(bundle).toEqual(checkpoint)
      return bundle
    },
    '`log fsck`': async () => {
      restore('log/log.db')
      return onMachine('log', 'fsck')
    },
  },
  'another key signs': {
    '`verify`, all receipts': async () => {
      const forged = new Process(gateKey(), 'first')
      return verify(rewritten([forged.open(), ...forged.call('refund 1'), forged.seal()]).whole())
    },
    '`verify`, one process': async () => {
      const forged = new Process(gateKey(), 'forged')
      return verify(rewritten([...receipts, forged.open()]).whole())
    },
    '`verify --log`, the log': async () =>
      verify(rewritten(receipts, { signer: noteSigner(ORIGIN, 'ed25519') }).whole()),
    '`log checkpoint`, `export`': async () => {
      renameSync(join(state, 'keys', 'log-key'), join(state, 'keys', 'old-key'))
      const checkpoint = await onMachine('log', 'checkpoint')
      const bundle = await exported(onMachine)
      expect(bundle).toEqual(checkpoint)
      return bundle
    },
    '`log fsck`': async () => {
      renameSync(join(state, 'keys', 'log-key'), join(state, 'keys', 'old-key'))
      return onMachine('log', 'fsck')
    },
  },
  'one process is left out': {
    '`verify`': async () => {
      const named = new Set(receipts.flatMap(({ stream }, leaf) => (stream === second.stream ? [leaf + 1] : [])))
      return verify((await log.whole()).filter((_, at) => !named.has(at)))
    },
    '`verify`, the log signed anew': async () =>
      verify(rewritten(receipts.filter(({ stream }) => stream !== second.stream)).whole()),
    '`verify --checkpoint`, the log signed anew': async () =>
      verify(rewritten(receipts.filter(({ stream }) => stream !== second.stream)).whole(), log.note(9)),
    '`log checkpoint`': async () => {
      rmSync(inStore('receipts-1.db'))
      return onMachine('log', 'checkpoint')
    },
    '`log fsck`': async () => {
      rmSync(inStore('receipts-1.db'))
      return onMachine('log', 'fsck')
    },
  },
}

/** `| attack | where | exit | words |` */
const page = readFileSync(resolve(import.meta.dirname, '../../docs/audit.md'), 'utf8')
const rows = [...page.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([013]) \| (.+) \|$/gm)].map(
  ([, attack = '', where = '', exit = '', words = '']) => ({
    attack,
    where,
    exit: Number(exit),
    words: [...words.matchAll(/`([^`]+)`/g)].map(([, said = '']) => said),
  }),
)

/** What the table says is said, with `…` for what differs from case to case. */
function pattern(words: string): RegExp {
  const parts = words.split('…').map((part) => part.replaceAll(/[^\w\s’]/g, '\\$&'))
  return new RegExp(parts.join('.*?'), 's')
}

describe('every attack on receipts and their log', () => {
  it('stands in the table for auditors, and nothing else does', () => {
    const inPage = rows.map(({ attack, where }) => `${attack}: ${where}`)
    const here = Object.entries(played).flatMap(([attack, ways]) =>
      Object.keys(ways).map((where) => `${attack}: ${where}`),
    )
    expect(inPage.toSorted()).toEqual(here.toSorted())
  })

  it.each(rows.map((row) => [row.attack, row.where, row] as const))(
    '%s: %s',
    async (attack, where, { exit, words }) => {
      const { code, stdout, stderr } = (await played[attack]?.[where]?.()) ?? { code: 0, stdout: '', stderr: '' }
      expect(words).not.toEqual([])
      for (const said of words) expect(`${stdout}${stderr}`).toMatch(pattern(said))
      expect(code).toBe(exit)
    },
  )

  it('is found in nothing that was left as it was', async () => {
    expect(await verify(log.whole([9]), log.note(4))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Valid/),
    })
    for (const command of [
      ['verify'],
      ['log', 'fsck'],
      ['log', 'checkpoint'],
      ['export', '--out', join(desk, 'all')],
    ]) {
      expect({ command, ...(await onMachine(...command)) }).toMatchObject({ command, code: 0 })
    }
    const held = file('held', checkpointOf(machines.old))
    expect(await exported(onMachine, '--held', held)).toMatchObject({ code: 0 })
  })
})
