import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { generateSigner } from '../../src/receipt/sign.ts'
import { openLog } from '../../src/store/log-book.ts'
import { examineLog } from '../../src/store/log-fsck.ts'
import { tryLease } from '../../src/store/log-lease.ts'
import { type Writer, writerOf } from '../support/stored-receipts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()
const signer = generateSigner()
const writers: Writer[] = []
afterEach(async () => {
  // Some were closed by their test.
  for (const writer of writers.splice(0)) await writer.close().catch(() => undefined)
})

async function storeIn(folder: string, receipts: number): Promise<Writer> {
  const writer = await writerOf(folder)
  writers.push(writer)
  await writer.write(receipts)
  return writer
}

/** A small disk of our own over a folder; undefined where this user may not. */
function mount(folder: string): { remount(options: string): void; unmount(): void } | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'holdpoint-test', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return {
    remount: (changed) => execFileSync('mount', ['-o', `remount,${changed}`, folder]),
    unmount: () => execFileSync('umount', ['-l', folder]),
  }
}

describe('a log whose disk is full, or cannot be written to', () => {
  it('I6: says so, keeps what it signed, and goes on once there is room', async (context) => {
    const folder = temporary()
    const writer = await storeIn(folder, 20)
    const disk = mount(join(folder, 'log'))
    if (disk === undefined) {
      console.log('skipped: a disk of our own to fill needs the right to mount (root)')
      return context.skip()
    }
    try {
      const log = await openLog(folder, { signer })
      expect(await log.step()).toMatchObject({ signed: true, head: { size: 21 } })
      const ballast = join(folder, 'log', 'ballast')
      let failure: unknown
      for (let kilobytes = 600; failure === undefined && kilobytes < 1_024; kilobytes += 8) {
        writeFileSync(ballast, Buffer.alloc(kilobytes * 1_024))
        await writer.write(10)
        await log.step().catch((error: unknown) => (failure = error))
      }
      expect(String(failure)).toMatch(/no space|full/i)
      const signed = log.head()?.size ?? 0
      rmSync(ballast)
      expect(await log.step()).toMatchObject({ signed: true })
      expect(log.head()?.size).toBeGreaterThan(signed)
      await log.close()
      disk.remount('ro')
      await writer.write(1)
      await expect(openLog(folder, { signer })).rejects.toMatchObject({ code: 'ERR_STORE' })
      disk.remount('rw')
      const again = await openLog(folder, { signer })
      expect(await again.step()).toMatchObject({ signed: true })
      await again.close()
      expect(await examineLog(folder)).toMatchObject({ kind: 'whole', index: 'examined' })
    } finally {
      disk.unmount()
    }
  })

  it('is not begun where its folder is a file, or can be changed by others', async () => {
    const folder = temporary()
    await storeIn(folder, 1)
    writeFileSync(join(folder, 'log'), '')
    await expect(openLog(folder, { signer })).rejects.toMatchObject({ code: 'ERR_STORE' })
    rmSync(join(folder, 'log'))
    mkdirSync(join(folder, 'log'))
    execFileSync('chmod', ['0777', join(folder, 'log')])
    await expect(openLog(folder, { signer })).rejects.toThrow(/can be changed by others/)
  })
})

describe('a log of which a file was torn or exchanged', () => {
  it.each(['tile/0/000.p/21', 'tile/entries/000.p/21'])('I6: signs nothing over it, and names it: %s', async (path) => {
    const folder = temporary()
    const writer = await storeIn(folder, 20)
    const log = await openLog(folder, { signer })
    await log.step()
    truncateSync(join(folder, 'log', path), 40)
    await writer.write(1)
    const before = log.head()
    await expect(log.step()).rejects.toMatchObject({ code: 'ERR_FORMAT', at: path })
    expect(log.head()).toEqual(before)
    await log.close()
    expect(await examineLog(folder)).toMatchObject({ kind: 'wrong', path: expect.stringMatching(/tile\/(0|entries)/) })
  })

  it('writes a checkpoint again that was torn: the index knows what was signed', async () => {
    const folder = temporary()
    await storeIn(folder, 3)
    const log = await openLog(folder, { signer })
    await log.step()
    await log.close()
    truncateSync(join(folder, 'log', 'checkpoint'), 30)
    const again = await openLog(folder, { signer })
    expect(await again.step()).toMatchObject({ signed: false })
    await again.close()
    expect(await examineLog(folder)).toMatchObject({ kind: 'whole' })
  })

  it('takes over what is new of a slot that was restored from a copy, and says which', async () => {
    const folder = temporary()
    const writer = await storeIn(folder, 3)
    await writer.close()
    const copy = temporary()
    cpSync(folder, copy, { recursive: true })
    const later = await storeIn(folder, 5)
    const log = await openLog(folder, { signer })
    expect(await log.step()).toMatchObject({ entered: 10, changed: [] })
    await later.close()
    cpSync(join(copy, 'receipts-0.db'), join(folder, 'receipts-0.db'))
    const restored = await storeIn(folder, 2)
    expect(await log.step()).toMatchObject({ entered: 3, changed: [0], head: { size: 13 } })
    expect(await log.step()).toMatchObject({ entered: 0, changed: [] })
    await restored.close()
    await log.close()
    expect(await examineLog(folder)).toMatchObject({ kind: 'wrong', path: 'the store' })
  })
})

describe('the lease of a log', () => {
  it('is one, in a process as between processes, and is free once it is given back', async () => {
    const folder = temporary()
    await storeIn(folder, 1)
    const log = await openLog(folder, { signer })
    expect(tryLease(folder)).toBeUndefined()
    await expect(openLog(folder, { signer })).rejects.toMatchObject({ code: 'ERR_STORE' })
    const waiting = openLog(folder, { signer, waitMs: 20_000 })
    await log.close()
    await (await waiting).close()
  })

  it('I6: is lost with its folder: whoever had it writes nothing into one that was put in its place', async () => {
    const folder = temporary()
    const writer = await storeIn(folder, 3)
    const log = await openLog(folder, { signer })
    await log.step()
    renameSync(join(folder, 'log'), join(folder, 'moved'))
    const other = await openLog(folder, { signer })
    await other.step()
    await writer.write(1)
    await expect(log.step()).rejects.toMatchObject({
      code: 'ERR_LOG',
      message: expect.stringMatching(/moved or replaced/),
    })
    expect(log.head()?.size).toBe(4)
    expect(await other.step()).toMatchObject({ signed: true, head: { size: 5 } })
    await Promise.all([log.close(), other.close()])
  })
})
