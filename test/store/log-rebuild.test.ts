/** A log whose index is gone: made anew out of its entries, never another history. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Rebuilt, rebuildIndex } from '../../src/store/log-rebuild.ts'
import { flipped } from '../support/log-keys.ts'
import {
  type LogParts,
  logParts,
  MadeUpReceipts,
  type Trouble,
  troubledDisk,
  troubledLedger,
  WatchedSigner,
} from '../support/log-parts.ts'
import { expectWhole } from '../support/whole-log.ts'

const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A log of 201 receipts that is kept, and of which anything may be lost. */
class Log {
  readonly folder = mkdtempSync(join(root, 'holdpoint-rebuild-'))
  readonly signer = new WatchedSigner()
  readonly receipts = new MadeUpReceipts(201)

  constructor() {
    folders.push(this.folder)
  }

  static async kept(): Promise<Log> {
    const log = new Log()
    await log.step()
    return log
  }

  open(between: Parameters<typeof logParts>[3] = {}): LogParts {
    return logParts(this.folder, this.receipts, this.signer, between)
  }

  async step(between: Parameters<typeof logParts>[3] = {}): Promise<void> {
    const parts = this.open(between)
    await parts.sequencer.step().finally(() => parts.drop())
  }

  /** Does something on a disk of which the nth write goes wrong. Was there one, and did it come to its end? */
  async troubled(nth: number, trouble: Trouble, act: (parts: LogParts) => Promise<unknown>) {
    const opened: FileHandle[] = []
    let writes = 0
    let hang = (): void => undefined
    const hung = new Promise<'hung'>((resolve) => {
      hang = () => resolve('hung')
    })
    const at = (): Trouble | undefined => {
      writes += 1
      if (writes !== nth) return undefined
      if (trouble === 'hang') hang()
      return trouble
    }
    const parts = this.open({ disk: troubledDisk(at, opened) })
    const ended = act(parts).then(
      () => 'ended' as const,
      () => 'failed' as const,
    )
    const how = await Promise.race([ended, hung])
    const known = { head: parts.ledger.headNow(), leaves: await parts.ledger.leaves(0, 1) }
    parts.drop()
    await Promise.all(opened.map((handle) => handle.close().catch(() => undefined)))
    return { wasHit: writes >= nth, how, known }
  }

  at(path: string): string {
    return join(this.folder, 'log', path)
  }

  loseIndex(): void {
    for (const name of ['log.db', 'log.db-wal', 'log.db-shm']) rmSync(this.at(name), { force: true })
  }

  async rebuild(): Promise<Rebuilt> {
    const parts = this.open()
    return await this.rebuildIn(parts).finally(() => parts.drop())
  }

  async rebuildIn({ db, ledger, files }: LogParts, signer = this.signer): Promise<Rebuilt> {
    return await rebuildIndex({ db, ledger, files, source: this.receipts.source(), signer, now: () => 1 })
  }

  async expectWhole(count: number): Promise<void> {
    this.receipts.count = count
    await this.step()
    const parts = this.open()
    await expectWhole(parts, this.signer, count)
    parts.drop()
  }
}

const stuck = (words: RegExp) => expect.objectContaining({ code: 'ERR_LOG', message: expect.stringMatching(words) })
const troubles: readonly Trouble[] = ['fail', 'fail_but_persist', 'half', 'hang']
/** Every nth write, each kind of trouble beginning elsewhere. `HOLDPOINT_LOG_CRASHES=all`: all of them. */
const stride = process.env['HOLDPOINT_LOG_CRASHES'] === 'all' ? 1 : 3 * troubles.length

describe('a log whose index is lost', () => {
  it('stands still and says what makes it anew; then every receipt has the leaf that it had', async () => {
    const log = await Log.kept()
    const before = log.open()
    const leaves = await before.ledger.leaves(0, 300)
    before.drop()
    log.loseIndex()
    await expect(log.step()).rejects.toEqual(stuck(/log.db was lost.*"holdpoint log rebuild"/))
    expect(await log.rebuild()).toEqual({ kind: 'rebuilt', size: 201, beyond: 0 })
    const after = log.open()
    expect(await after.ledger.leaves(0, 300)).toEqual(leaves)
    after.drop()
    expect(await log.rebuild()).toEqual({ kind: 'whole', size: 201 })
    await log.expectWhole(700)
  })

  it.each(troubles)(
    'I6: at any write of a step, signs nothing else for a size that it had signed: %s',
    async (trouble) => {
      let nth = 1 + troubles.indexOf(trouble)
      for (; ; nth += stride) {
        const log = await Log.kept()
        log.receipts.count = 530
        const { wasHit } = await log.troubled(nth, trouble, ({ sequencer }) => sequencer.step())
        log.loseIndex()
        const made = await log.rebuild()
        expect(made.kind).toBe('rebuilt')
        await log.expectWhole(700)
        rmSync(log.folder, { recursive: true })
        if (!wasHit) break
      }
      expect(nth).toBeGreaterThan(30)
    },
    120_000,
  )

  it.each(['gone', 'unreadable'])('I6: does not begin once more where its checkpoint is %s too', async (how) => {
    const log = await Log.kept()
    log.loseIndex()
    if (how === 'gone') rmSync(log.at('checkpoint'))
    else writeFileSync(log.at('checkpoint'), 'roses are red')
    log.receipts.count = 300
    await expect(log.step()).rejects.toEqual(stuck(/there are tiles of it, and neither its index nor its checkpoint/))
    expect([...log.signer.roots.keys()]).toEqual([201])
  })

  /** The tree of 530 leaves is written and signed; nobody recorded it. */
  async function signedUnseen(): Promise<Log> {
    const log = await Log.kept()
    log.receipts.count = 530
    let writes = 0
    const between = {
      ledger: (ledger: Parameters<typeof troubledLedger>[0]) =>
        troubledLedger(ledger, () => {
          writes += 1
          return log.signer.roots.has(530) ? 'fail' : undefined
        }),
    }
    await expect(log.step(between)).rejects.toThrow('disk I/O error')
    expect([writes > 0, log.signer.roots.has(530)]).toEqual([true, true])
    log.loseIndex()
    return log
  }

  it('I6: signs again what was signed and never published, before it gives another leaf', async () => {
    const log = await signedUnseen()
    log.receipts.count = 600
    expect(await log.rebuild()).toEqual({ kind: 'rebuilt', size: 201, beyond: 329 })
    await log.expectWhole(700)
  })

  it.each(troubles)(
    'is made anew as a whole or not at all, whatever write of it goes wrong: %s',
    async (trouble) => {
      let nth = 1 + troubles.indexOf(trouble)
      for (; ; nth += stride) {
        const log = await signedUnseen()
        const { wasHit, how, known } = await log.troubled(nth, trouble, (parts) => log.rebuildIn(parts))
        if (how !== 'ended') {
          expect(known).toEqual({ head: undefined, leaves: [] })
          expect((await log.rebuild()).kind).toBe('rebuilt')
        }
        await log.expectWhole(700)
        rmSync(log.folder, { recursive: true })
        if (!wasHit) break
      }
      expect(nth).toBeGreaterThan(8)
    },
    120_000,
  )
})

describe('a log whose index is an older copy', () => {
  it('I6: stands still; anew, the index has the heads that it knew and the checkpoint', async () => {
    const log = await Log.kept()
    const copy = readFileSync(log.at('log.db'))
    log.receipts.count = 530
    await log.step()
    writeFileSync(log.at('log.db'), copy)
    await expect(log.step()).rejects.toEqual(stuck(/the index is an old copy.*"holdpoint log rebuild"/))
    expect(await log.rebuild()).toEqual({ kind: 'rebuilt', size: 530, beyond: 0 })
    const parts = log.open()
    expect(parts.ledger.checkpoints().map(({ size }) => size)).toEqual([201, 530])
    parts.drop()
    await log.expectWhole(700)
  })
})

describe('an index that cannot be made anew', () => {
  it.each<[string, (log: Log) => void, RegExp]>([
    [
      'a turned bit of an entry',
      (log) => turn(log, 'tile/entries/000.p/201', 70),
      /tile\/0\/000.p\/201, byte \d+: hash/,
    ],
    ['a turned bit of a hash', (log) => turn(log, 'tile/0/000.p/201', 70), /tile\/0\/000.p\/201, byte 70: /],
    ['no checkpoint', (log) => rmSync(log.at('checkpoint')), /there is no signed checkpoint beside it/],
    ['a forged checkpoint', (log) => turn(log, 'checkpoint', 100), /checkpoint /],
    [
      'receipts that are not in the store',
      (log) => {
        log.receipts.count = 150
      },
      /leaf \d+ is of a receipt that is not in the store/,
    ],
    [
      'receipts that were changed',
      (log) => {
        log.receipts.word = 'lie'
      },
      /leaf 0 is of a receipt that is not in the store/,
    ],
  ])('I6: %s: it is said, and nothing is changed', async (_, damage, says) => {
    const log = await Log.kept()
    log.loseIndex()
    damage(log)
    await expect(log.rebuild()).rejects.toEqual(stuck(says))
    const parts = log.open()
    expect([parts.ledger.headNow(), await parts.ledger.leaves(0, 1)]).toEqual([undefined, []])
    parts.drop()
    expect(log.signer.forks).toBe(0)
  })

  it('I6: one that had signed another history than the files beside it', async () => {
    const log = await Log.kept()
    const copy = readFileSync(log.at('log.db'))
    const other = new Log()
    other.receipts.word = 'another receipt'
    const fork = logParts(other.folder, other.receipts, log.signer)
    await fork.sequencer.step()
    other.receipts.count = 300
    await fork.sequencer.step()
    fork.drop()
    writeFileSync(other.at('log.db'), copy)
    const parts = logParts(other.folder, other.receipts, log.signer)
    await expect(other.rebuildIn(parts, log.signer)).rejects.toEqual(
      stuck(/it had signed another root of 201 leaves than the files have: two histories were signed/),
    )
    parts.drop()
  })
})

function turn(log: Log, path: string, byte: number): void {
  writeFileSync(log.at(path), flipped(readFileSync(log.at(path)), byte * 8))
}
