import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { keepFormer } from '../../src/cli/keys/former.ts'
import { createGate } from '../../src/create-gate.ts'
import { RECEIPT_TYP, readEnvelope } from '../../src/receipt/envelope.ts'
import { loadKey, loadOrCreateKey } from '../../src/receipt/key-file.ts'
import type { FaultPoint, StoreFault } from '../../src/store/fault.ts'
import { openReader } from '../../src/store/sqlite-reader.ts'
import type { Signer, Store } from '../../src/types.ts'
import { type Jwk, verifyReceipts } from '../../src/verify.ts'
import { watchWrites } from '../support/watched-writes.ts'
import { createMachine, environment, MAIN, type Machine } from './holdpoint.ts'

/** In memory where there is such a folder: what is tested is the order of writes, and a sync takes milliseconds. */
if (existsSync('/dev/shm')) process.env['TMPDIR'] = '/dev/shm'
/** `HOLDPOINT_KEY_CRASHES=all`: at each write; else at every so manieth, each kind of trouble beginning elsewhere. */
const isAll = process.env['HOLDPOINT_KEY_CRASHES'] === 'all'
const LONGEST_MS = isAll ? 3_600_000 : 600_000

const none = (): StoreFault => 'none'
const script = vi.hoisted(() => ({ of: (_: unknown): string => 'none' }))
vi.mock('../../src/store/sqlite.ts', async (original) => {
  const { createSqliteStore } = await original<{ createSqliteStore: (of: object) => Store }>()
  const { faultStore } = await import('../../src/store/fault.ts')
  return {
    createSqliteStore: (of: object) => faultStore(createSqliteStore(of), (point) => script.of(point) as StoreFault),
  }
})

let machine: Machine
let old: Signer
/** A machine on which a gate has written something. */
async function begin(): Promise<void> {
  script.of = none
  machine = createMachine()
  await useGate()
  old = loadKey(keyFile())
}
afterEach(() => machine.remove())

const keys = () => join(machine.state, 'keys')
const keyFile = () => join(keys(), 'receipt.pem')

/** A gate of this machine opens, writes and ends. */
async function useGate(): Promise<void> {
  vi.stubEnv('HOLDPOINT_STATE', machine.state)
  try {
    const gate = createGate({ config: false, policies: ['strict/v1'] })
    await gate.ready()
    await gate.close()
  } finally {
    vi.unstubAllEnvs()
  }
}

async function receipts(): Promise<readonly { readonly stream: string; readonly kid: string; readonly jws: string }[]> {
  const reader = openReader(join(machine.state, 'receipts'))
  const all: { readonly stream: string; readonly kid: string; readonly jws: string }[] = []
  for await (const { jws, stream } of reader.receipts())
    all.push({ jws, stream, kid: readEnvelope(jws, RECEIPT_TYP).kid })
  await reader.close()
  return all
}

/** What whoever trusts only the first key makes of everything. */
async function expectVerified(): Promise<void> {
  const tokens = (await receipts()).map(({ jws }) => jws)
  const report = await verifyReceipts(tokens, { keys: [old.publicJwk as unknown as Jwk] })
  expect(report.failures).toEqual([])
  // Behind a death a stream may lack its seal: valid, and not complete.
  expect([0, 3]).toContain((await machine.here(['verify'])).code)
}

/** The store opens and signs with the one key that is in its place. */
async function expectOneKey(): Promise<void> {
  const before = new Set((await receipts()).map(({ stream }) => stream))
  await useGate()
  const fresh = (await receipts()).filter(({ stream }) => !before.has(stream))
  expect(fresh.map(({ kid }) => kid)).toEqual([loadKey(keyFile()).kid, loadKey(keyFile()).kid])
  await expectVerified()
}

/** The next run ends what was begun; behind it there is one private key, and each that came before can be retired. */
async function expectFinished(): Promise<void> {
  const rotated = await machine.here(['keys', 'rotate', '--json'])
  expect(rotated).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(rotated.stdout).new).toBe(loadKey(keyFile()).kid)
  const privately = readdirSync(keys(), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && readFileSync(join(file.parentPath, file.name), 'utf8').includes('PRIVATE'))
    .map(({ name }) => name)
  expect(privately).toEqual(['receipt.pem'])
  await expectOneKey()
  const { former } = JSON.parse((await machine.here(['keys', 'list', '--json'])).stdout)
  expect(former.map(({ kid }: Signer) => kid)).toContain(old.kid)
  for (const { kid } of former) expect((await machine.here(['keys', 'retire', kid])).code).toBe(0)
  await expectVerified()
}

/** What is done, and what has to hold when it went wrong at any of its writes. */
interface Story {
  /** Before it. */
  readonly first?: () => Promise<void>
  readonly args: () => readonly string[]
  readonly behind: () => Promise<void>
}

const rotating: Story = {
  args: () => ['keys', 'rotate'],
  behind: async () => {
    await expectOneKey()
    await expectFinished()
  },
}

const retiring: Story = {
  first: async () => {
    expect((await machine.here(['keys', 'rotate'])).code).toBe(0)
  },
  args: () => ['keys', 'retire', old.kid],
  behind: async () => {
    await expectOneKey()
    expect((await machine.here(['keys', 'retire', old.kid])).code).toBe(0)
    const { former } = JSON.parse((await machine.here(['keys', 'list', '--json'])).stdout)
    expect(former).toMatchObject([{ kid: old.kid, retiredBy: expect.stringMatching(/^r_/) }])
    await expectVerified()
  },
}

/** Each write of a command in this process goes wrong once. Returns how many there are. */
async function failAtEach(
  { first, args, behind }: Story,
  fault: StoreFault,
  from: number,
  step: number,
): Promise<number> {
  for (let nth = isAll ? 1 : from; ; nth += isAll ? 1 : step) {
    await begin()
    await first?.()
    const asked = args()
    let writes = 0
    const isNth = (): boolean => {
      writes += 1
      return writes === nth
    }
    const unwatch = watchWrites(keys(), ({ make }) => {
      if (!isNth()) return make()
      if (fault === 'fail_but_persist') make()
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    })
    script.of = (point) => (['open', 'append'].includes((point as FaultPoint).operation) && isNth() ? fault : 'none')
    const { code, stderr } = await machine.here(asked)
    unwatch()
    script.of = none
    if (writes < nth) return writes
    if (code !== 0) expect([code, stderr]).toEqual([2, expect.stringMatching(/^holdpoint: (?!unexpected).*\n$/)])
    await behind()
    machine.remove()
  }
}

describe('I6: a write that goes wrong', () => {
  it.each([
    ['fail', 2],
    ['fail_but_persist', 4],
  ] as const)(
    'leaves one key that signs, and a way on to the next: keys rotate, %s',
    async (fault, from) => expect(await failAtEach(rotating, fault, from, 9)).toBeGreaterThan(15),
    600_000,
  )

  it.each([
    ['fail', 3],
    ['fail_but_persist', 2],
  ] as const)(
    'leaves an old key that can still be retired: keys retire, %s',
    async (fault, from) => expect(await failAtEach(retiring, fault, from, 6)).toBe(12),
    600_000,
  )
})

describe('two runs of keys rotate at once', () => {
  it('leave the key of one, and the other says so', async () => {
    await begin()
    let isBetween = false
    script.of = (point) => {
      if ((point as FaultPoint).receipt?.kind === 'key' && !isBetween) {
        isBetween = true
        // The other run has come to its end in the meantime, and a third has made its key.
        keepFormer(keyFile(), old.kid, old.publicJwk)
        renameSync(`${keyFile()}.next`, keyFile())
        loadOrCreateKey(`${keyFile()}.next`)
      }
      return 'none'
    }
    const { code, stderr } = await machine.here(['keys', 'rotate'])
    const signing = loadKey(keyFile()).kid
    expect([isBetween, code, stderr]).toEqual([true, 2, expect.stringContaining(`The key is ${signing} now`)])
    await expectOneKey()
    await expectFinished()
  })
})

type How = 'before' | 'half' | 'after'

/** Runs a command in a process of its own, which dies at that write, and says which writes it made. */
async function dieAt(at: number, how: How, args: readonly string[]): Promise<readonly string[]> {
  const tally = join(machine.folder, `tally-${at}-${how}`)
  const preload = resolve(import.meta.dirname, '../support/dying-process.ts')
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: machine.folder,
    env: {
      ...environment(machine.state),
      NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${preload}`,
      HOLDPOINT_DIES: JSON.stringify({ folder: machine.state, tally, at, how }),
    },
    stdio: 'ignore',
  })
  const [code, signal] = await new Promise<readonly [number | null, string | null]>((settle) => {
    child.on('close', (...ended) => settle(ended))
  })
  const writes = readFileSync(tally, 'utf8').trimEnd().split('\n')
  expect([code, signal]).toEqual(writes.length < at ? [0, null] : [null, 'SIGKILL'])
  return writes
}

/** Where a process dies: at the nth write of a name, from 0. */
type Death = readonly [how: How, name: string, nth: number]

/** A process dies at writes of a command, at each of them anew. */
async function dieAtEach({ first, args, behind }: Story, chosen: readonly Death[]): Promise<void> {
  await begin()
  await first?.()
  const writes = await dieAt(Number.MAX_SAFE_INTEGER, 'before', args())
  machine.remove()
  const places = (name: string): readonly number[] => writes.flatMap((one, at) => (one === name ? [at + 1] : []))
  const all = (['before', 'half', 'after'] as const).flatMap((how) =>
    writes.flatMap((name, at) => (how === 'half' && name !== 'writeFileSync' ? [] : [[how, at + 1] as const])),
  )
  const some = chosen.map(([how, name, nth]) => [how, places(name).at(nth) ?? -1] as const)
  expect(some.map(([, at]) => at)).not.toContain(-1)
  for (const [how, at] of isAll ? all : some) {
    await begin()
    await first?.()
    expect(await dieAt(at, how, args())).toEqual(writes.slice(0, at))
    await behind()
    machine.remove()
  }
}

describe('I6: a process that dies', () => {
  it(
    'leaves one key that signs, and a way on to the next: keys rotate',
    async () => {
      await dieAtEach(rotating, [
        ['half', 'writeFileSync', 0],
        ['after', 'linkSync', 0],
        ['before', 'run', 3],
        ['half', 'writeFileSync', 1],
        ['before', 'renameSync', 0],
      ])
    },
    LONGEST_MS,
  )

  it(
    'leaves an old key that can still be retired: keys retire',
    async () => {
      await dieAtEach(retiring, [
        ['before', 'run', 3],
        ['before', 'exec', -1],
      ])
    },
    LONGEST_MS,
  )
})
