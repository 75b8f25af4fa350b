import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { openReader } from '../../src/store/sqlite-reader.ts'
import { verifyReceipts } from '../../src/verify.ts'
import {
  claim,
  collect,
  decisionDraft,
  jwsOf,
  openedChain,
  outcomeDraft,
  refusedDraft,
} from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()
const signer = generateSigner()
const isRoot = process.getuid?.() === 0

/** Mounts a file system of our own; undefined where this user may not. */
function mount(
  options: string,
): { readonly folder: string; remount(options: string): void; unmount(): void } | undefined {
  const folder = temporary()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'holdpoint-test', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return {
    folder,
    remount: (changed) => execFileSync('mount', ['-o', `remount,${changed}`, folder]),
    unmount: () => execFileSync('umount', ['-l', folder]),
  }
}

describe('when the disk is full', () => {
  it('acknowledges nothing that it cannot keep, keeps what it acknowledged, and goes on once there is room', async (context) => {
    const disk = mount('size=2m,mode=0700')
    if (disk === undefined) {
      console.log('skipped: a disk of our own to fill needs the right to mount (root)')
      return context.skip()
    }
    try {
      const ballast = join(disk.folder, 'ballast')
      writeFileSync(ballast, Buffer.alloc(1_000_000))
      const store = createSqliteStore({ folder: join(disk.folder, 'store') })
      await store.open()
      const chain = await openedChain(store, { signer })
      const acknowledged: string[] = []
      const write = async (key: string) => {
        const { receipt } = await chain.commit(decisionDraft(), claim(key), { salt: 's', request: 'x'.repeat(2_000) })
        const decision = receipt?.hash ?? ''
        acknowledged.push(decision)
        const outcome = await chain.append(outcomeDraft(decision), { settles: { decision, status: 'ok' } })
        acknowledged.push(outcome.hash)
      }
      let failure: unknown
      for (let n = 0; n < 2_000 && failure === undefined; n += 1)
        await write(`k${n}`).catch((error: unknown) => (failure = error))
      expect(failure).toMatchObject({ code: 'ERR_STORE', message: expect.stringContaining('full') })
      // A smaller receipt may still have found room where the larger one did not: what was acknowledged must be there.
      let refused: unknown
      for (let n = 0; n < 2_000 && refused === undefined; n += 1)
        await chain.append(refusedDraft({ note: 'x'.repeat(500) })).then(
          ({ hash }) => acknowledged.push(hash),
          (error: unknown) => (refused = error),
        )
      expect(refused).toMatchObject({ code: 'ERR_STORE' })

      rmSync(ballast)
      await write('after')
      const receipts = await collect(store.receipts())
      const hashes = new Set(receipts.map(({ hash }) => hash))
      expect(acknowledged.filter((hash) => !hashes.has(hash))).toEqual([])
      expect(await verifyReceipts(jwsOf(receipts), { keys: [signer.publicJwk] })).toMatchObject({
        ok: true,
        failures: [],
      })
      await store.close()
    } finally {
      disk.unmount()
    }
  })
})

describe('when the folder cannot be written to', () => {
  it('says so at the start, naming the folder', async (context) => {
    const folder = temporary()
    if (!isRoot) {
      chmodSync(folder, 0o500)
      await expect(createSqliteStore({ folder }).open()).rejects.toMatchObject({ code: 'ERR_STORE', at: folder })
      chmodSync(folder, 0o700)
      return
    }
    const disk = mount('size=1m,ro,mode=0700')
    if (disk === undefined) {
      console.log('skipped: this user may write everywhere and cannot mount a read-only disk')
      return context.skip()
    }
    try {
      const store = createSqliteStore({ folder: disk.folder })
      await expect(store.open()).rejects.toMatchObject({ code: 'ERR_STORE', at: disk.folder })
      disk.remount('rw')
      await expect(store.open()).resolves.toMatchObject({ durable: true })
      await store.close()
    } finally {
      disk.unmount()
    }
  })

  it('can still be read and verified', async (context) => {
    const disk = isRoot ? mount('size=4m,mode=0700') : undefined
    const folder = disk?.folder ?? temporary()
    if (isRoot && disk === undefined) {
      console.log('skipped: this user may write everywhere and cannot mount a read-only disk')
      return context.skip()
    }
    try {
      const store = createSqliteStore({ folder })
      await store.open()
      await (await openedChain(store, { signer })).append(refusedDraft())
      await store.close()
      if (disk === undefined) chmodSync(folder, 0o500)
      else disk.remount('ro')
      const reader = openReader(folder)
      expect(await collect(reader.receipts())).toHaveLength(2)
      await reader.close()
      if (disk === undefined) chmodSync(folder, 0o700)
    } finally {
      disk?.unmount()
    }
  })

  it('is refused when a file stands in its place, or a folder in place of a database', async () => {
    const folder = temporary()
    writeFileSync(join(folder, 'file'), '')
    await expect(createSqliteStore({ folder: join(folder, 'file') }).open()).rejects.toMatchObject({
      code: 'ERR_STORE',
    })
    mkdirSync(join(folder, 'claims.db'))
    await expect(createSqliteStore({ folder }).open()).rejects.toMatchObject({ code: 'ERR_STORE' })
  })

  it('is refused when a database is not one', async () => {
    const folder = temporary()
    writeFileSync(
      join(folder, 'claims.db'),
      'this is not a database, and it is longer than a hundred bytes so that nobody takes it for an empty one.',
    )
    await expect(createSqliteStore({ folder }).open()).rejects.toMatchObject({ code: 'ERR_STORE' })
  })
})
