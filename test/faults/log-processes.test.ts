import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadKey } from '../../src/receipt/key-file.ts'
import { openLog } from '../../src/store/log-book.ts'
import { examineLog } from '../../src/store/log-fsck.ts'
import { openReader } from '../../src/store/sqlite-reader.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { collect, jwsOf } from '../support/receipt-drafts.ts'

const PROCESSES = 8
/** Every other one strikes whoever has the lease. */
const KILLS = Number(process.env['HOLDPOINT_LOG_HOLDERS'] ?? 4)
const child = path.join(import.meta.dirname, 'log-processes-child.ts')
const folder = mkdtempSync(path.join(tmpdir(), 'holdpoint-log-processes-'))
const running = new Map<number, ChildProcess>()

afterAll(() => {
  for (const one of running.values()) one.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function start(): void {
  const one = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', child], {
    env: { ...process.env, LOG_FOLDER: folder, HOLDPOINT_STATE: path.join(folder, 'state') },
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const { pid } = one
  if (pid === undefined) throw new Error('no process')
  running.set(pid, one)
  one.on('exit', () => running.delete(pid))
}

async function ended(one: ChildProcess): Promise<void> {
  if (one.exitCode === null && one.signalCode === null) await new Promise((resolve) => one.on('exit', resolve))
}

function lines(file: string): readonly string[] {
  const at = path.join(folder, file)
  return existsSync(at) ? readFileSync(at, 'utf8').split('\n').slice(0, -1) : []
}

interface Signed {
  readonly pid: number
  readonly size: number
  readonly at: number
}

function signed(): readonly Signed[] {
  return lines('signed').map((line) => {
    const [pid = 0, size = 0, at = 0] = line.split(' ').map(Number)
    return { pid, size, at }
  })
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}

const holder = (): number | undefined => signed().at(-1)?.pid

describe('eight gates of one store, killed at random', () => {
  it(`I6: keep their own chains and one log, whose lease goes to the next when its holder dies (${KILLS} kills)`, async () => {
    for (let n = 0; n < PROCESSES; n += 1) start()
    await until(() => lines('ready').length >= PROCESSES && holder() !== undefined)
    const gaps: number[] = []
    for (let kill = 0; kill < KILLS; kill += 1) {
      const others = [...running.keys()].filter((pid) => pid !== holder())
      const struck = kill % 2 === 0 ? holder() : others[(kill * 3) % others.length]
      const victim = running.get(struck ?? 0)
      if (victim === undefined) throw new Error('the holder is not running')
      const wasHolder = struck === holder()
      victim.kill('SIGKILL')
      await ended(victim)
      const diedAt = Date.now()
      start()
      const before = lines('ready').length
      if (wasHolder) {
        await until(() => holder() !== struck)
        gaps.push((signed().find(({ pid, at }) => pid !== struck && at >= diedAt)?.at ?? Date.now()) - diedAt)
      }
      await until(() => lines('ready').length > before)
    }
    console.log(`the lease's next holder had signed after ${gaps.map((ms) => `${ms} ms`).join(', ')}`)
    for (const one of running.values()) one.stdin?.end()
    await Promise.all([...running.values()].map(ended))

    // Whoever has the lease has it until it dies: nobody signs again once another has.
    const order = signed().map(({ pid }) => pid)
    const holders = order.filter((pid, index) => pid !== order[index - 1])
    expect(new Set(holders).size).toBe(holders.length)
    expect(holders.length).toBeGreaterThan(KILLS / 2)
    const sizes = signed().map(({ size }) => size)
    expect(sizes).toEqual([...new Set(sizes)].sort((a, b) => a - b))
    expect(lines('stalled')).toEqual([])

    const store = path.join(folder, 'store')
    const log = await openLog(store, { signer: loadKey(path.join(folder, 'keys', 'log-key')) })
    await log.step()
    expect(log.checkpoints().map(({ size }) => size)).toEqual(expect.arrayContaining(sizes))
    const reader = openReader(store)
    const receipts = await collect(reader.receipts())
    await reader.close()
    const hashes = new Set(receipts.map(({ hash }) => hash))
    expect(lines('acknowledged').filter((hash) => !hashes.has(hash) || log.leafOf(hash) === undefined)).toEqual([])
    expect(log.head()?.size).toBe(receipts.length)
    await log.close()
    expect(await examineLog(store)).toMatchObject({ kind: 'whole', size: receipts.length, index: 'examined' })
    const { publicJwk } = loadKey(path.join(folder, 'keys', 'receipt.pem'))
    expect((await verifyReceipts(jwsOf(receipts), { keys: [publicJwk] })).failures).toEqual([])
  }, 240_000)
})
