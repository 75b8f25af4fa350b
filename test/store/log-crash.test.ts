import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { readCheckpoint } from '../../src/log/checkpoint.ts'
import { readNote } from '../../src/log/note.ts'
import {
  logParts,
  MadeUpReceipts,
  type Trouble,
  troubledDisk,
  troubledLedger,
  WatchedSigner,
} from '../support/log-parts.ts'
import { expectWhole } from '../support/whole-log.ts'

/** In memory where there is such a folder: what is tested is the order of writes, and a sync takes milliseconds. */
const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
function temporary(): string {
  const folder = mkdtempSync(join(root, 'holdpoint-log-'))
  folders.push(folder)
  return folder
}

const troubles: readonly Trouble[] = ['fail', 'fail_but_persist', 'half', 'hang']
/** Each kind of trouble at every nth write of the disk, each beginning elsewhere. `HOLDPOINT_LOG_CRASHES=all`: at all of them. */
const stride = process.env['HOLDPOINT_LOG_CRASHES'] === 'all' ? 1 : troubles.length

/** One life with trouble at its nth write, then one without. Was there an nth write? */
async function liveThrough(nth: number, trouble: Trouble, where: 'disk' | 'index'): Promise<boolean> {
  const folder = temporary()
  const signer = new WatchedSigner()
  const receipts = new MadeUpReceipts(201)
  const first = logParts(folder, receipts, signer)
  await first.sequencer.step()
  first.drop()

  const opened: FileHandle[] = []
  let writes = 0
  let hit: (() => void) | undefined
  const isHit = new Promise<void>((resolve) => {
    hit = resolve
  })
  const at = (): Trouble | undefined => {
    writes += 1
    if (writes !== nth) return undefined
    hit?.()
    return trouble
  }
  // Beyond the end of a tile, and up to another.
  receipts.count = 530
  const troubled = logParts(folder, receipts, signer, {
    ...(where === 'disk' ? { disk: troubledDisk(at, opened) } : { ledger: (ledger) => troubledLedger(ledger, at) }),
  })
  const ended = troubled.sequencer.step().then(
    () => 'stepped',
    () => 'failed',
  )
  const how = await Promise.race([ended, isHit.then(() => (trouble === 'hang' ? 'hung' : ended))])
  // What is on the disk now is a checkpoint that holds: the earlier one or the new one.
  const note = readNote(readFileSync(join(folder, 'log', 'checkpoint')))
  expect([201, 530]).toContain(readCheckpoint(sha256Bytes, note.text).size)
  if (how !== 'stepped') {
    // It may try again itself, or die.
    if (nth % 2 === 0 && how === 'failed') await troubled.sequencer.step()
  }
  troubled.drop()
  await Promise.all(opened.map((handle) => handle.close().catch(() => undefined)))

  receipts.count = 700
  const next = logParts(folder, receipts, signer)
  await next.sequencer.step()
  await expectWhole(next, signer, 700)
  next.drop()
  rmSync(folder, { recursive: true, force: true })
  return writes >= nth
}

describe('a log whose every write goes wrong once', () => {
  for (const where of ['disk', 'index'] as const) {
    for (const trouble of troubles.filter((one) => where === 'disk' || one !== 'half')) {
      it(`I6: goes on with no leaf lost, none twice and nothing forked: ${trouble}, in its ${where}`, async () => {
        let nth = where === 'disk' ? 1 + (troubles.indexOf(trouble) % stride) : 1
        while (await liveThrough(nth, trouble, where)) nth += where === 'disk' ? stride : 1
        expect(nth).toBeGreaterThan(where === 'disk' ? 30 : 2)
      }, 120_000)
    }
  }
})

describe('a log on a machine whose clock is set back', () => {
  it('never has a checkpoint that is older than the one before', async () => {
    const folder = temporary()
    let now = 1_790_000_000_000
    const receipts = new MadeUpReceipts(3)
    const parts = logParts(folder, receipts, new WatchedSigner(), { now: () => now })
    for (const step of [0, -3_600_000, 1_000, -1_000_000_000_000]) {
      now += step
      receipts.count += 2
      await parts.sequencer.step()
    }
    const times = parts.ledger.checkpoints().map(({ at }) => at)
    expect(times).toHaveLength(4)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    parts.drop()
  })
})

describe('a log whose head was moved by somebody else', () => {
  it('I6: signs no second tree over what is taken: the head is compared before it is replaced', async () => {
    const folder = temporary()
    const receipts = new MadeUpReceipts(10)
    const parts = logParts(folder, receipts, new WatchedSigner())
    await parts.sequencer.step()
    const head = parts.ledger.headNow()
    if (head === undefined) throw new Error('no head')
    const { ledger } = parts
    expect(await ledger.record({ ...head, size: 12 }, undefined)).toBe(false)
    expect(await ledger.record({ ...head, size: 12 }, { size: 9, root: head.root })).toBe(false)
    expect(await ledger.record({ ...head, size: 12 }, { size: 10, root: new Uint8Array(32) })).toBe(false)
    expect(await ledger.record({ ...head, size: 10, root: new Uint8Array(32) }, head)).toBe(false)
    expect(await ledger.record({ ...head, size: 9 }, head)).toBe(false)
    expect(ledger.checkpoints()).toEqual([head])
    parts.drop()
  })
})

describe('a receipt that is changed after its leaf was given', () => {
  it('I6: is not logged in its place: nothing is signed over it', async () => {
    const folder = temporary()
    const receipts = new MadeUpReceipts(10)
    const signer = new WatchedSigner()
    const dying = logParts(folder, receipts, signer, {
      disk: troubledDisk(() => 'fail'),
    })
    await expect(dying.sequencer.step()).rejects.toThrow(/no space/)
    dying.drop()
    receipts.word = 'another receipt'
    const next = logParts(folder, receipts, signer)
    await expect(next.sequencer.step()).rejects.toMatchObject({
      code: 'ERR_LOG',
      message: expect.stringContaining('receipt 1 of slot 0 is not the one that has leaf 0'),
    })
    expect(signer.roots.size).toBe(0)
    next.drop()
  })
})
