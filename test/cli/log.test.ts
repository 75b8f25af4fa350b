/** `holdpoint log`: what operators see of the log, and the first byte of it that is wrong. */
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { openLog } from '../../src/store/log-book.ts'
import { flipped } from '../support/log-keys.ts'
import { type Writer, writerOf } from '../support/stored-receipts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { startWitness } from '../support/witness-server.ts'
import { runHere } from './in-process.ts'

const temporary = temporaryFolders()
let state: string
let store: string
beforeEach(() => {
  state = temporary()
  store = join(state, 'receipts')
  vi.stubEnv('HOLDPOINT_STATE', state)
})
afterEach(() => vi.unstubAllEnvs())

const inLog = (path: string): string => join(store, 'log', path)

function flip(path: string, byte: number): void {
  writeFileSync(inLog(path), flipped(readFileSync(inLog(path)), byte * 8))
}

describe('holdpoint log copy', () => {
  it('writes what a static host serves, goes on as the log grows, and never back', async () => {
    const writer = await writerOf(store)
    const www = join(state, 'www')
    expect(await runHere('log', 'copy', www)).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing was') })
    await writer.write(299)
    await runHere('log', 'checkpoint')
    const first = JSON.parse((await runHere('log', 'copy', www, '--json')).stdout)
    expect(first).toMatchObject({ size: 300, files: 6 })
    cpSync(inLog('checkpoint'), join(state, 'old'))
    await writer.write(10)
    await runHere('log', 'checkpoint')
    expect(JSON.parse((await runHere('log', 'copy', www, '--json')).stdout)).toMatchObject({ size: 310, files: 4 })
    expect(readFileSync(join(www, 'checkpoint'))).toEqual(readFileSync(inLog('checkpoint')))
    cpSync(join(state, 'old'), inLog('checkpoint'))
    const back = await runHere('log', 'copy', www)
    expect(back).toMatchObject({ code: 1, stderr: expect.stringContaining('has 310 leaves and the log 300') })
    await writer.close()
  })
})

describe('holdpoint log', () => {
  let writer: Writer
  beforeEach(async () => {
    writer = await writerOf(store)
  })
  afterEach(() => writer.close())

  it('logs what is there, prints the checkpoint and the key that it is signed with', async () => {
    await writer.write(4)
    expect(await runHere('log', 'head')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nothing was logged yet'),
    })
    expect(await runHere('log', 'fsck')).toEqual({ code: 0, stdout: 'nothing was logged yet\n', stderr: '' })
    expect(await runHere('log', 'checkpoint')).toEqual({
      code: 0,
      stdout: '5 receipts are logged, 5 of them now\n',
      stderr: '',
    })
    const { stdout } = await runHere('log', 'head')
    expect(stdout).toBe(readFileSync(inLog('checkpoint'), 'utf8'))
    const [origin] = stdout.split('\n')
    const key = await runHere('log', 'key')
    expect(key.stdout).toMatch(new RegExp(`^${origin}\\+[0-9a-f]{8}\\+[A-Za-z0-9+/=]+\n$`))
    expect(await runHere('log', 'fsck')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('every receipt is as it'),
    })
  })

  it('waits for the gate that keeps the log, and says when it does not come', async () => {
    const signer = loadOrCreateKey(join(state, 'keys', 'log-key'))
    const log = await openLog(store, { signer })
    await log.step()
    expect(await runHere('log', 'checkpoint', '--json')).toMatchObject({
      code: 0,
      stdout: `${JSON.stringify({ by: 'a running gate', size: 1, isCurrent: true })}\n`,
    })
    expect(await runHere('log', 'fsck')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('a running gate has the index'),
    })
    await log.close()
  })

  it('exits 1 when witnesses have not seen the checkpoint, and names them', async () => {
    const witness = await startWitness('example.com/w')
    const config = join(state, 'holdpoint.yaml')
    writeFileSync(join(state, 'w.policy'), `${witness.line}\nquorum example.com/w\n`)
    writeFileSync(config, 'log: { witnesses: w.policy }\n')
    expect(await runHere('log', 'checkpoint', '--config', config)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('example.com/w: does not know this log (HTTP 404): give it the key that'),
    })
    await witness.close()
  })

  it('is said by the doctor: how far it is, that nobody witnesses it, and what is wrong with its policy', async () => {
    const config = join(state, 'holdpoint.yaml')
    const doctor = async (yaml: string): Promise<string> => {
      writeFileSync(config, yaml)
      return (await runHere('doctor', '--config', config)).stdout
    }
    expect(await doctor('timeoutMs: 2000\n')).not.toMatch(/^. log /m)
    expect(await doctor('log: {}\n')).toMatch(/^! log +nothing is logged yet; without witnesses/m)
    await runHere('log', 'checkpoint')
    expect(await doctor('log: {}\n')).toMatch(/^! log +1 receipt under a signed checkpoint; without witnesses/m)
    expect(await doctor('log: { witnesses: gone.policy }\n')).toMatch(
      /^✗ log +holdpoint.yaml:1:19: the witness policy/m,
    )
  })
})

describe('holdpoint log fsck', () => {
  /** A state folder with 300 receipts, logged. */
  let whole: string
  beforeAll(async () => {
    whole = mkdtempSync(join(tmpdir(), 'holdpoint-whole-'))
    vi.stubEnv('HOLDPOINT_STATE', whole)
    const writer = await writerOf(join(whole, 'receipts'))
    await writer.write(299)
    await writer.close()
    await runHere('log', 'checkpoint')
  })
  afterAll(() => rmSync(whole, { recursive: true, force: true }))
  beforeEach(() => cpSync(whole, state, { recursive: true }))

  it.each<[string, () => void, RegExp]>([
    [
      'a turned bit of a hash',
      () => flip('tile/0/000', 547),
      /^tile\/0\/000, byte 547: hash 18 is not that of entry 18/,
    ],
    ['a turned bit above', () => flip('tile/1/000.p/1', 3), /^tile\/1\/000.p\/1, byte 3: hash 1 is not the root/],
    [
      'a changed entry',
      () => flip('tile/entries/001.p/44', 2),
      /^tile\/0\/001.p\/44, byte 0: hash 1 is not that of entry 1/,
    ],
    ['a torn file', () => truncateSync(inLog('tile/0/001.p/44'), 100), /^tile\/0\/001.p\/44, byte 100: /],
    ['a file that is gone', () => rmSync(inLog('tile/entries/000')), /^tile\/entries\/000: .*missing/],
    ['no checkpoint', () => rmSync(inLog('checkpoint')), /^checkpoint: is missing/],
    [
      'an index that is no database',
      () => writeFileSync(inLog('log.db'), 'x'.repeat(9_000)),
      /^log.db: is no database any more: move it away/,
    ],
    ['no index', () => rmSync(inLog('log.db')), /^log.db: is missing/],
    ['half a checkpoint', () => truncateSync(inLog('checkpoint'), 60), /^checkpoint: the note /],
    [
      "another key's checkpoint",
      () => renameSync(join(state, 'keys', 'log-key'), join(state, 'keys', 'old')),
      /^checkpoint: is not signed with this log's key/,
    ],
  ])('names the first wrong byte: %s', async (_, damage, words) => {
    damage()
    const { code, stdout } = await runHere('log', 'fsck')
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(words) })
  })

  it('names a receipt that the log has and the store has not', async () => {
    const db = new DatabaseSync(join(store, 'receipts-0.db'))
    db.exec('DROP TRIGGER receipts_never_go; PRAGMA foreign_keys = OFF; DELETE FROM receipts WHERE id = 212')
    db.close()
    expect(await runHere('log', 'fsck')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^the store: receipt 212 of slot 0 is gone/),
    })
  })

  it('names a lost index and what makes it anew; then the log is whole, and goes on', async () => {
    for (const name of ['log.db', 'log.db-wal', 'log.db-shm']) rmSync(inLog(name), { force: true })
    const remedy = expect.stringContaining('"holdpoint log rebuild"')
    expect(await runHere('log', 'fsck')).toMatchObject({ code: 1, stdout: remedy })
    expect(await runHere('log', 'checkpoint')).toMatchObject({ code: 1, stderr: remedy })
    const writer = await writerOf(store)
    await writer.write(2)
    await writer.close()
    const made = await runHere('log', 'rebuild')
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^300 leaves of the signed checkpoint: the index/),
    })
    expect(made.stderr).toContain('no witness can say')
    expect((await runHere('log', 'checkpoint')).stdout).toMatch(/^303 receipts are logged, 3 of them now/)
    expect(await runHere('log', 'fsck')).toMatchObject({ code: 0 })
    expect((await runHere('log', 'rebuild', '--json')).stdout).toBe('{"kind":"whole","size":303}\n')
    rmSync(inLog('log.db'))
    truncateSync(inLog('tile/entries/000'), 500)
    expect(await runHere('log', 'rebuild')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('tile/entries/000'),
    })
  })

  it('and the log that goes on name a file of receipts that is gone', async () => {
    rmSync(join(store, 'receipts-0.db'))
    const gone = expect.stringContaining('receipts-0.db is gone')
    expect(await runHere('log', 'fsck')).toMatchObject({ code: 1, stdout: gone })
    expect(await runHere('log', 'checkpoint')).toMatchObject({ code: 1, stdout: gone })
  })

  it('names an index that says other than the tiles', async () => {
    const db = new DatabaseSync(inLog('log.db'))
    db.exec('UPDATE leaves SET hash = zeroblob(32) WHERE leaf = 290')
    db.close()
    expect(await runHere('log', 'fsck')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^log.db: leaf 290 is not/),
    })
  })
})
