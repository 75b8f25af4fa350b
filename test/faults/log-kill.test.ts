import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { readCheckpoint } from '../../src/log/checkpoint.ts'
import { findFault } from '../../src/log/fsck.ts'
import { readNote } from '../../src/log/note.ts'
import { consistencyIn, type TreeHead } from '../../src/log/tiles.ts'
import { logParts, MadeUpReceipts, WatchedSigner } from '../support/log-parts.ts'

/** Lives, each killed at a later write than the one before. `HOLDPOINT_LOG_KILLS=100` is every write of two steps. */
const KILLS = Number(process.env['HOLDPOINT_LOG_KILLS'] ?? 12)
const WRITES = 100
const child = path.join(import.meta.dirname, 'log-kill-child.ts')
const folder = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdpoint-log-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function live(env: { readonly [name: string]: string }): Promise<NodeJS.Signals | null> {
  return new Promise((resolve) => {
    const running = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', child], {
      env: { ...process.env, KILL_FOLDER: folder, ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 60_000,
    })
    running.on('close', (_, signal) => resolve(signal))
  })
}

/** What the killed processes have signed, whether or not it was recorded. */
function signedIn(at: string): readonly TreeHead[] {
  const file = path.join(at, 'signed.txt')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  return lines.map((line) => {
    const [size = '', hex = ''] = line.split(' ')
    return { size: Number(size), root: new Uint8Array(Buffer.from(hex, 'hex')) }
  })
}

describe('a process that takes a log forward and is killed outright at any write', () => {
  it(`I6: leaves a log that goes on, has nothing twice, and has signed one tree for each size (${KILLS} kills)`, async () => {
    const signer = new WatchedSigner()
    const receipts = new MadeUpReceipts(5)
    for (let kill = 0; kill < KILLS; kill += 1) {
      const at = 1 + Math.floor((kill * WRITES) / KILLS)
      const signal = await live({ KILL_AT: String(at), KILL_RECEIPTS: String(receipts.count) })
      expect({ at, signal }).toEqual({ at, signal: 'SIGKILL' })
      // What readers find is a checkpoint, whole.
      const published = path.join(folder, 'log', 'checkpoint')
      if (existsSync(published)) readCheckpoint(sha256Bytes, readNote(readFileSync(published)).text)

      // More than the killed life can have come upon: what it entered stays entered.
      receipts.count += 150
      const parts = logParts(folder, receipts, signer)
      await parts.sequencer.step()
      const head = parts.ledger.headNow()
      if (head === undefined) throw new Error('nothing was logged')
      expect(head.size).toBe(receipts.count)
      const log = { storage: parts.files, sha256: sha256Bytes }
      expect(await findFault(log, head)).toBeUndefined()
      for (const { size, root } of signedIn(folder)) await consistencyIn(log, { size, root }, head)
      parts.drop()
    }
    expect(signer.forks).toBe(0)
    expect(signedIn(folder).length).toBeGreaterThan(KILLS)
  }, 300_000)
})
