import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { judgeCheckpoint } from '../../src/log/trusted-checkpoint.ts'
import { readWitnessPolicy } from '../../src/log/witness-policy.ts'
import { Witnesses } from '../../src/log/witnesses.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { type LogHandle, openLog } from '../../src/store/log-book.ts'
import { verifyEd25519 } from '../../src/store/log-crypto.ts'
import { rebuildLog } from '../../src/store/log-rebuild.ts'
import type { Signer } from '../../src/types.ts'
import { witnessClient } from '../../src/witness/client.ts'
import { ascii, logCrypto } from '../support/log-keys.ts'
import { type Writer, writerOf } from '../support/stored-receipts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { startWitness, type WitnessServer } from '../support/witness-server.ts'

const temporary = temporaryFolders()
const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

const stuck = (words: RegExp) => expect.objectContaining({ code: 'ERR_LOG', message: expect.stringMatching(words) })

/** A store with a log and witnesses that know it. */
class World {
  readonly folder = temporary()
  readonly signer: Signer = generateSigner()
  /** Monotonic time of the log's side, ms. */
  time = 0
  /** How long a witness has to answer, ms. */
  deadlineMs = 10_000
  readonly servers: WitnessServer[]
  writer!: Writer
  readonly quorum: string

  constructor(servers: WitnessServer[], quorum: string) {
    this.servers = servers
    this.quorum = quorum
  }

  static async of(count: number, quorum = 'all'): Promise<World> {
    const servers = await Promise.all(Array.from({ length: count }, (_, n) => startWitness(`example.com/w${n}`)))
    open.push(...servers)
    const world = new World(servers, quorum)
    world.writer = await writerOf(world.folder)
    open.push(world.writer)
    const log = await world.open()
    for (const server of servers) server.know(log.key)
    await log.close()
    return world
  }

  policy(logs: readonly string[] = []): string {
    const names = this.servers.map(({ line }) => line.split(' ')[1])
    const group = this.quorum === 'none' ? 'quorum none' : `group g ${this.quorum} ${names.join(' ')}\nquorum g`
    return `${logs.map((key) => `log ${key}\n`).join('')}${this.servers.map(({ line }) => `${line}\n`).join('')}${group}\n`
  }

  /** So many receipts more, logged by a process that ends then. */
  async grow(receipts: number): Promise<void> {
    const log = await this.open()
    await this.writer.write(receipts)
    await log.step()
    await log.close()
  }

  async open(signer: Signer = this.signer): Promise<LogHandle> {
    return await openLog(this.folder, { signer, witnesses: this.witnesses() })
  }

  witnesses(): Witnesses {
    return new Witnesses({
      policy: readWitnessPolicy(sha256Bytes, ascii(this.policy())),
      ask: witnessClient({
        fetch: globalThis.fetch,
        schedule: (ms, run) => {
          const timer = setTimeout(run, ms)
          return () => clearTimeout(timer)
        },
        deadlineMs: this.deadlineMs,
      }),
      verifyEd25519,
      monotonic: () => this.time,
    })
  }

  /** What an auditor says who trusts this log's key and these witnesses. */
  async judged(key: string, note = readFileSync(join(this.folder, 'log', 'checkpoint'), 'utf8')): Promise<string> {
    const policy = readWitnessPolicy(sha256Bytes, ascii(this.policy([key])))
    return (await judgeCheckpoint(logCrypto, policy, note)).kind
  }

  copy(): { restore(): void } {
    const at = temporary()
    cpSync(join(this.folder, 'log'), at, { recursive: true })
    return {
      restore: () => {
        rmSync(join(this.folder, 'log'), { recursive: true })
        cpSync(at, join(this.folder, 'log'), { recursive: true })
      },
    }
  }
}

describe('a log with witnesses', () => {
  it('publishes checkpoints that an auditor believes, as it grows and is opened anew', async () => {
    const world = await World.of(3)
    for (const count of [5, 300]) {
      await world.writer.write(count)
      const log = await world.open()
      expect(await log.step()).toMatchObject({ signed: true, quorum: 'met' })
      expect(await world.judged(log.key)).toBe('trusted')
      await world.writer.write(1)
      expect(await log.step()).toMatchObject({ entered: 1, quorum: 'met' })
      expect(await world.judged(log.key)).toBe('trusted')
      await log.close()
    }
  })

  it('goes on without one that is away, asks it again after a while, and adds what it says to the same checkpoint', async () => {
    const world = await World.of(2)
    const [, away] = world.servers
    const log = await world.open()
    await log.step()
    await world.writer.write(3)
    if (away !== undefined) away.staged = { status: 503 }
    expect(await log.step()).toMatchObject({ signed: true, quorum: 'missed' })
    expect(await world.judged(log.key)).toBe('unwitnessed')
    const asked = away?.asked.length ?? 0
    await log.step()
    expect(away?.asked.length).toBe(asked)
    if (away !== undefined) away.staged = undefined
    world.time += 60_000
    expect(await log.step()).toMatchObject({ entered: 0, signed: false, quorum: 'met' })
    expect(await world.judged(log.key)).toBe('trusted')
    await log.close()
  })

  it('finds its place again with a witness whose answer was lost on the way', async () => {
    const world = await World.of(1)
    const [server] = world.servers
    world.deadlineMs = 500
    const log = await world.open()
    await log.step()
    await world.writer.write(3)
    if (server !== undefined) server.staged = 'swallow'
    expect(await log.step()).toMatchObject({ quorum: 'missed' })
    if (server !== undefined) server.staged = undefined
    world.time += 60_000
    await world.writer.write(400)
    expect(await log.step()).toMatchObject({ signed: true, quorum: 'met' })
    expect(await world.judged(log.key)).toBe('trusted')
    await log.close()
  })

  it('takes no cosignature that does not hold, or is on another checkpoint', async () => {
    const world = await World.of(1)
    const [server] = world.servers
    const log = await world.open()
    await world.writer.write(1)
    await log.step()
    const line =
      readFileSync(join(world.folder, 'log', 'checkpoint'), 'utf8')
        .split('\n')
        .at(-2) ?? ''
    expect(line).toContain('example.com/w0')
    await world.writer.write(1)
    if (server !== undefined) server.staged = { status: 200, body: `${line}\n` }
    expect(await log.step()).toMatchObject({
      quorum: 'missed',
      witnesses: [{ result: 'unavailable', why: 'answered with a cosignature that does not hold' }],
    })
    expect(await world.judged(log.key)).toBe('unwitnessed')
    await log.close()
  })
})

describe('a log that was cut, restored or forked', () => {
  it('I6: restored from an old copy signs nothing new: a witness has seen more', async () => {
    const world = await World.of(1)
    await world.grow(10)
    const old = world.copy()
    await world.grow(10)
    old.restore()
    const restored = await world.open()
    await world.writer.write(1)
    const before = restored.head()
    await expect(restored.step()).rejects.toEqual(stuck(/has seen 21 leaves of this log, and here are 11/))
    await expect(restored.step()).rejects.toEqual(stuck(/restored from an old copy/))
    expect(restored.head()).toEqual(before)
    await restored.close()
  })

  it('I6: whose folder was lost does not begin once more under its name', async () => {
    const world = await World.of(1)
    await world.grow(4)
    rmSync(join(world.folder, 'log'), { recursive: true })
    const again = await world.open()
    await expect(again.step()).rejects.toEqual(stuck(/has seen 5 leaves of this log, and here are 0/))
    expect(again.head()).toBeUndefined()
    await again.close()
  })

  it('I6: that begins waits until its witnesses can be asked, and for none that does not know it', async () => {
    const world = await World.of(2)
    const [knows, away] = world.servers
    await world.writer.write(4)
    if (away !== undefined) away.staged = { status: 500 }
    const log = await world.open()
    await expect(log.step()).rejects.toEqual(stuck(/too few witnesses answer.*w1 answered HTTP 500/))
    world.time += 60_000
    if (away !== undefined) away.staged = { status: 404 }
    expect(await log.step()).toMatchObject({ signed: true, quorum: 'missed' })
    expect(knows?.asked.length).toBeGreaterThan(1)
    await log.close()
  })

  it('I6: stands still where no quorum is asked for, and one witness has seen more', async () => {
    const world = await World.of(2, 'none')
    await world.grow(2)
    const old = world.copy()
    await world.grow(2)
    old.restore()
    const [, away] = world.servers
    if (away !== undefined) away.staged = { status: 503 }
    const restored = await world.open()
    await expect(restored.step()).rejects.toEqual(
      stuck(/example.com\/w0 has seen 5 leaves of this log, and here are 3/),
    )
    expect(restored.head()?.size).toBe(3)
    await restored.close()
  })

  it('I6: is not signed while nobody can be asked whether it was restored', async () => {
    const world = await World.of(1)
    const [server] = world.servers
    await world.grow(10)
    world.deadlineMs = 500
    const again = await world.open()
    await world.writer.write(1)
    if (server !== undefined) server.staged = 'hang'
    await expect(again.step()).rejects.toEqual(stuck(/too few witnesses answer/))
    expect(again.head()?.size).toBe(11)
    if (server !== undefined) server.staged = undefined
    world.time += 60_000
    expect(await again.step()).toMatchObject({ signed: true, quorum: 'met', head: { size: 12 } })
    await again.close()
  })

  it('I6: of which only the index is an old copy is known by the checkpoint beside it, without any witness', async () => {
    const world = await World.of(0, 'none')
    const open = () => openLog(world.folder, { signer: world.signer })
    const log = await open()
    await world.writer.write(10)
    await log.step()
    await log.close()
    const index = readFileSync(join(world.folder, 'log', 'log.db'))
    const later = await open()
    await world.writer.write(10)
    await later.step()
    await later.close()
    writeFileSync(join(world.folder, 'log', 'log.db'), index)
    const restored = await open()
    await expect(restored.step()).rejects.toEqual(stuck(/the index is an old copy/))
    await restored.close()
  })

  it('I6: of which the index was lost goes on from what a witness has seen, although it was not published', async () => {
    const world = await World.of(1)
    const log = await world.open()
    await world.writer.write(10)
    await log.step()
    await log.close()
    const checkpoint = join(world.folder, 'log', 'checkpoint')
    const published = readFileSync(checkpoint)
    const later = await world.open()
    await world.writer.write(300)
    await later.step()
    await later.close()
    // As if it had died between the witness's answer and the file.
    writeFileSync(checkpoint, published)
    rmSync(join(world.folder, 'log', 'log.db'))
    const { signer } = world
    expect(await rebuildLog(world.folder, { signer })).toEqual({ kind: 'rebuilt', size: 11, beyond: 300 })
    await world.writer.write(1)
    const again = await world.open()
    expect(await again.step()).toMatchObject({ entered: 1, quorum: 'met', head: { size: 312 } })
    expect(await world.judged(again.key)).toBe('trusted')
    await again.close()
  })

  it('I6: that was restored from an old copy without its index is found out by a witness, however whole it was made', async () => {
    const world = await World.of(1)
    const log = await world.open()
    await world.writer.write(10)
    await log.step()
    await log.close()
    const old = world.copy()
    const later = await world.open()
    await world.writer.write(10)
    await later.step()
    await later.close()
    old.restore()
    for (const name of ['log.db', 'log.db-wal']) rmSync(join(world.folder, 'log', name), { force: true })
    const { signer } = world
    expect(await rebuildLog(world.folder, { signer })).toEqual({ kind: 'rebuilt', size: 11, beyond: 0 })
    const restored = await world.open()
    await expect(restored.step()).rejects.toEqual(stuck(/has seen 21 leaves of this log, and here are 11/))
    expect(restored.head()?.size).toBe(11)
    await restored.close()
  })

  it('I6: whose other branch a witness has seen stops, and says so', async () => {
    const world = await World.of(1)
    const other = await writerOf(world.folder)
    open.push(other)
    const log = await world.open()
    await log.step()
    await log.close()
    const fork = world.copy()
    const earlier = Date.now()
    const first = await world.open()
    await other.write(1)
    await first.step()
    await first.close()
    // The other branch gives the next leaf to another receipt, whose clock is behind, and nobody asks a witness yet.
    fork.restore()
    vi.spyOn(Date, 'now').mockReturnValue(earlier)
    await world.writer.write(1)
    vi.restoreAllMocks()
    const branch = await openLog(world.folder, { signer: world.signer })
    await branch.step()
    await branch.close()
    const judged = await world.open()
    await expect(judged.step()).rejects.toEqual(stuck(/example.com\/w0 has seen another log of this name/))
    expect(await world.judged(judged.key)).toBe('unwitnessed')
    await judged.close()
  })

  it('is not stopped by one liar among three, while two vouch for it', async () => {
    const world = await World.of(3, '2')
    const [liar] = world.servers
    const log = await world.open()
    await world.writer.write(3)
    await log.step()
    for (const lie of [{ status: 422 }, { status: 409, body: '9007199254740991\n' }]) {
      if (liar !== undefined) liar.staged = lie
      await world.writer.write(1)
      expect(await log.step()).toMatchObject({
        signed: true,
        quorum: 'met',
        witnesses: [{ result: 'contradicted' }, {}, {}],
      })
    }
    await log.close()
    const again = await world.open()
    expect(await again.step()).toMatchObject({ quorum: 'met' })
    await again.close()
  })

  it('is stopped by two of three', async () => {
    const world = await World.of(3, '2')
    const log = await world.open()
    await world.writer.write(3)
    await log.step()
    for (const server of world.servers.slice(1)) server.staged = { status: 422 }
    await world.writer.write(1)
    await expect(log.step()).rejects.toEqual(stuck(/example.com\/w1 has seen another log.*example.com\/w2/))
    await world.writer.write(1)
    await expect(log.step()).rejects.toEqual(stuck(/another log/))
    expect(log.head()?.size).toBe(5)
    await log.close()
  })

  it('is another’s under another key or another name', async () => {
    const world = await World.of(0, 'none')
    const log = await openLog(world.folder, { signer: world.signer })
    await world.writer.write(1)
    await log.step()
    await log.close()
    await expect(openLog(world.folder, { signer: generateSigner() })).rejects.toEqual(stuck(/is signed with/))
    await expect(openLog(world.folder, { signer: world.signer, origin: 'a/b' })).rejects.toEqual(stuck(/is named/))
  })
})
