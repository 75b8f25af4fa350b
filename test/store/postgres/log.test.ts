import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { decodeBase64url } from '../../../src/bytes/base64url.ts'
import { sha256Bytes } from '../../../src/bytes/digest.ts'
import { verifyConsistency, verifyInclusion } from '../../../src/log/merkle.ts'
import { readNote } from '../../../src/log/note.ts'
import { openNote } from '../../../src/log/open-note.ts'
import { readVerifierKey } from '../../../src/log/verifier-key.ts'
import { postgresLogSchema, postgresSchema, postgresStore } from '../../../src/postgres.ts'
import { loadOrCreateKey } from '../../../src/receipt/key-file.ts'
import { generateSigner } from '../../../src/receipt/sign.ts'
import {
  examinePostgresLog,
  openPostgresLogReader,
  type PostgresLogSeat,
  postgresLog,
  seatAmong,
} from '../../../src/store/postgres/log-book.ts'
import { givenPool } from '../../../src/store/postgres/pool.ts'
import type { PostgresClient, PostgresPool } from '../../../src/store/postgres/session.ts'
import type { Signer } from '../../../src/types.ts'
import { logCrypto } from '../../support/log-keys.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../../support/postgres-server.ts'
import { openedChain, refusedDraft } from '../../support/receipt-drafts.ts'
import { temporaryFolders } from '../../support/temporary-folder.ts'

const CHILD = new URL('../../faults/postgres-log-child.ts', import.meta.url).pathname
const KILLS = Number(process.env['HOLDPOINT_POSTGRES_LOG_KILLS'] ?? 3)
const CRASHES = Number(process.env['HOLDPOINT_POSTGRES_LOG_CRASHES'] ?? 1)
const FAULTS = Number(process.env['HOLDPOINT_POSTGRES_LOG_FAULTS'] ?? 12)
const sha256 = sha256Bytes

/** A log's key that writes down what it signs: `size root` a line. */
function watched(folder: string): Signer {
  const key = loadOrCreateKey(join(folder, 'log-key'))
  return {
    ...key,
    sign: (bytes) => {
      const [, size, root] = Buffer.from(bytes).toString('utf8').split('\n')
      appendFileSync(join(folder, 'signed.txt'), `${size} ${root}\n`)
      return key.sign(bytes)
    },
  }
}

/** Sizes for which two different trees were signed. */
function forks(folder: string): readonly string[] {
  const file = join(folder, 'signed.txt')
  const lines = new Set(existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [])
  const sizes = [...lines].map((line) => line.split(' ')[0] ?? '')
  return sizes.filter((size, index) => sizes.indexOf(size) !== index)
}

describe.skipIf(!hasPostgres)('the log of a store in PostgreSQL', () => {
  const temporaryFolder = temporaryFolders()
  const open: { close(): Promise<void> }[] = []
  let server: PostgresServer
  let folder: string
  beforeAll(async () => {
    server = await startPostgres()
  })
  beforeEach(async () => {
    folder = temporaryFolder()
    await server.sql('DROP SCHEMA IF EXISTS holdpoint CASCADE')
  })
  afterEach(async () => void (await Promise.all(open.splice(0).map((one) => one.close().catch(() => undefined)))))
  afterAll(async () => await server?.end())

  const place = () => ({ connectionString: server.connectionString, schema: 'holdpoint', deadlineMs: 5_000 })
  const closing = <T extends { close(): Promise<void> }>(one: T): T => {
    open.push(one)
    return one
  }
  const seat = (signer: Signer = watched(folder)): PostgresLogSeat => closing(postgresLog(place(), { signer }))
  async function taken(from: PostgresLogSeat = seat()) {
    // A connection that broke may hold it for a moment yet.
    for (let tries = 0; tries < 100; tries += 1) {
      const book = await from.take()
      if (book !== undefined) return closing(book)
      await delay(50)
    }
    throw new Error('another has the lease')
  }

  async function gate() {
    const store = closing(postgresStore({ connectionString: server.connectionString }))
    await store.open()
    const chain = await openedChain(store, { signer: generateSigner() })
    return {
      write: async (count: number) =>
        (await Promise.all(Array.from({ length: count }, () => chain.append(refusedDraft())))).map(({ hash }) => hash),
    }
  }

  async function whole(size: number): Promise<void> {
    expect(await examinePostgresLog(place())).toEqual({ kind: 'whole', size, index: 'examined' })
    expect(forks(folder)).toEqual([])
  }

  it('has every receipt of every gate once, under a checkpoint that a stranger can check', async () => {
    const [one, other] = [await gate(), await gate()]
    const hashes = [...(await one.write(300)), ...(await other.write(40))]
    const book = await taken()
    expect(await book.step()).toMatchObject({ entered: 342, signed: true, quorum: 'none', changed: [] })
    expect(await book.step()).toMatchObject({ entered: 0, signed: false })
    const reader = closing(openPostgresLogReader(place()))
    const head = await reader.head()
    if (head === undefined) throw new Error('nothing was logged')
    const note = readNote(Buffer.from(head.note))
    expect(await openNote(note, [readVerifierKey(sha256, book.key)], logCrypto.verifyEd25519)).toMatchObject({
      kind: 'verified',
    })
    const leaves = await reader.leavesOf(new Set(hashes), head.size)
    expect(leaves.size).toBe(340)
    // Each stream in its own order, a longer number behind a shorter one; streams in the order of their times.
    let before = 0
    const seen = new Map<string, number>()
    for await (const entry of reader.entries(head.size)) {
      const { stream, seq, ts } = JSON.parse(Buffer.from(entry).toString('utf8'))
      expect(ts).toBeGreaterThanOrEqual(before)
      before = ts
      expect(seq).toBe((seen.get(stream) ?? -1) + 1)
      seen.set(stream, seq)
    }
    const { size, root } = head
    for (const hash of hashes.filter((_, index) => index % 50 === 0)) {
      const index = leaves.get(hash) ?? -1
      const proof = await reader.proveInclusion(index, size)
      expect(verifyInclusion(sha256, { index, leaf: decodeBase64url(hash), size, root, proof })).toBe(true)
    }
    await whole(342)
  })

  it('goes on where it was under the next holder, keeps few partial tiles, and proves that it goes on', async () => {
    const { write } = await gate()
    const reader = closing(openPostgresLogReader(place()))
    const heads: { size: number; root: Uint8Array }[] = []
    for (let step = 0; step < 14; step += 1) {
      await write(20)
      const book = await taken()
      await book.step()
      await book.close()
      const head = await reader.head()
      if (head !== undefined) heads.push(head)
    }
    expect(heads.map(({ size }) => size)).toEqual(Array.from({ length: 14 }, (_, step) => 1 + 20 * (step + 1)))
    for (const [index, to] of heads.entries()) {
      const from = heads[Math.max(0, index - 3)] ?? to
      expect(verifyConsistency(sha256, { from, to, proof: await reader.proveConsistency(from.size, to.size) })).toBe(
        true,
      )
    }
    const paths = (await server.sql('SELECT path FROM holdpoint.log_files')).map(({ path }) => String(path))
    expect(paths.filter((path) => path.startsWith('tile/0/000.p/'))).toEqual([])
    expect(paths).toContain('tile/0/001.p/25')
    await whole(281)
  })

  it('has one holder, whoever asks at once; the next takes it when the first lets go', async () => {
    await gate()
    const seats = Array.from({ length: 4 }, () => seat())
    for (let round = 0; round < 8; round += 1) {
      const books = await Promise.all(seats.map((one) => one.take()))
      const holders = books.filter((book) => book !== undefined)
      expect(holders).toHaveLength(1)
      await holders[0]?.close()
    }
  })

  it('I6: is taken forward by nobody whose lease another has, however it was lost', async () => {
    const { write } = await gate()
    const book = await taken()
    await book.step()
    // As if a pooler had given its connection to somebody else for a moment.
    await server.sql("UPDATE holdpoint.log SET holder = nextval('holdpoint.log_holders')")
    await write(5)
    await expect(book.step()).rejects.toThrow(/another process has taken it over/)
    expect(await server.sql('SELECT count(*)::int AS n FROM holdpoint.log_leaves')).toEqual([{ n: 1 }])
    await book.close()
    await (await taken()).step()
    await whole(6)
  })

  it('I6: signs no tree beside one that was recorded meanwhile', async () => {
    const { write } = await gate()
    const book = await taken()
    await book.step()
    await write(5)
    await server.sql('UPDATE holdpoint.log SET size = 2')
    await expect(book.step()).rejects.toThrow(/somebody else has signed a checkpoint meanwhile/)
    expect(await server.sql('SELECT size::int FROM holdpoint.log_checkpoints')).toEqual([{ size: 1 }])
  })

  it('refuses to go on under another key or name, and gives the lease to whoever has the right one', async () => {
    await gate()
    await (await taken()).close()
    await expect(seat(generateSigner()).take()).rejects.toThrow(/is signed with .*, and the key here is/)
    const renamed = closing(postgresLog(place(), { signer: watched(folder), origin: 'a/b' }))
    await expect(renamed.take()).rejects.toThrow(/is named "holdpoint\/.*", not "a\/b"/)
    await taken()
  })

  it('I6: writes nothing over a receipt that was changed in the store', async () => {
    const { write } = await gate()
    await write(5)
    await server.sql('ALTER TABLE holdpoint.receipts DISABLE TRIGGER ALL')
    await server.sql("UPDATE holdpoint.receipts SET jws = replace(jws, '.', '.A') WHERE seq = 3")
    await expect((await taken()).step()).rejects.toThrow(/is gone, or was changed after it was stored/)
    expect(await examinePostgresLog(place())).toEqual({ kind: 'none' })
  })

  it('says of a log without its tables, and of a store without a log, what is missing', async () => {
    await expect(seat().take()).rejects.toThrow(/nothing has been decided/)
    await gate()
    expect(await examinePostgresLog(place())).toEqual({ kind: 'none' })
  })

  it('finds the first byte that is wrong, in a table as in a file', async () => {
    const { write } = await gate()
    await write(20)
    await (await taken()).step()
    await server.sql("UPDATE holdpoint.log_files SET bytes = set_byte(bytes, 40, 1) WHERE path = 'tile/0/000.p/21'")
    expect(await examinePostgresLog(place())).toMatchObject({ kind: 'wrong', path: 'tile/0/000.p/21', byte: 40 })
  })

  it('goes on under roles that may not make tables, with what docs/postgres.md grants', async () => {
    await server.sql(postgresSchema())
    await server.sql(postgresLogSchema())
    const page = readFileSync(new URL('../../../docs/postgres.md', import.meta.url), 'utf8')
    const grants = [...page.matchAll(/^GRANT [^;]+;/gm)].map(([grant]) => grant)
    await server.sql('DROP ROLE IF EXISTS gate')
    await server.sql('CREATE ROLE gate LOGIN')
    for (const grant of grants) await server.sql(grant)
    const asGate = { ...place(), connectionString: server.connectionString.replace('postgres@', 'gate@') }
    const store = closing(postgresStore({ connectionString: asGate.connectionString }))
    await store.open()
    await openedChain(store)
    const book = closing(postgresLog(asGate, { signer: watched(folder) }))
    expect(await (await taken(book)).step()).toMatchObject({ entered: 1, signed: true })
    await whole(1)
    await server.sql('REVOKE SELECT, UPDATE, INSERT ON holdpoint.log FROM gate')
    await expect(closing(postgresLog(asGate, { signer: watched(folder) })).take()).rejects.toThrow(/grant what docs/)
    await server.sql('DROP OWNED BY gate')
    await server.sql('DROP ROLE gate')
  })

  it(`I6: goes on after ${FAULTS} transactions that failed, or failed but persisted, anywhere in a step`, async () => {
    const { write } = await gate()
    const real = new pg.Pool({ connectionString: server.connectionString, max: 3 })
    real.on('error', () => undefined)
    let commits = 0
    let failAt = 0
    const pool: PostgresPool = {
      connect: async () => {
        const client = await real.connect()
        return new Proxy(client as unknown as PostgresClient, {
          get(target, name) {
            if (name !== 'query') {
              const value = Reflect.get(target, name)
              return typeof value === 'function' ? value.bind(target) : value
            }
            return async (query: { readonly text: string }) => {
              if (query.text !== 'COMMIT') return await target.query(query)
              commits += 1
              if (commits !== failAt) return await target.query(query)
              // Every other one is done, and nobody hears of it.
              if (failAt % 2 === 0) await target.query(query)
              throw new Error('the connection broke')
            }
          },
        })
      },
    }
    let size = 1
    for (let fault = 0; fault < FAULTS; fault += 1) {
      await write(7)
      size += 7
      commits = 0
      // Two are reads, and some a write each: later ones are past the end of a step.
      failAt = 3 + fault
      const shaky = closing(seatAmong(givenPool(pool, 'holdpoint'), place(), { signer: watched(folder) }))
      const broken = await taken(shaky)
        .then(async (book) => await book.step().finally(() => book.close()))
        .then(
          () => false,
          () => true,
        )
      await shaky.close()
      failAt = 0
      if (fault < 12) expect({ fault, broken }).toEqual({ fault, broken: true })
      const book = await taken()
      expect((await book.step()).head?.size).toBe(size)
      await book.close()
    }
    await real.end()
    await whole(size)
  }, 120_000)

  it(`moves to another when its holder is killed outright, ${KILLS} times, and goes on`, async () => {
    const { write } = await gate()
    loadOrCreateKey(join(folder, 'log-key'))
    const start = () => {
      const child = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', CHILD, folder, server.connectionString],
        {
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      )
      const said = { text: '' }
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said.text += text
      })
      const until = async (what: RegExp) => {
        for (const until = performance.now() + 20_000; !what.test(said.text); await delay(5)) {
          if (performance.now() > until) throw new Error(`waited for ${what}: ${said.text.slice(-500)}`)
        }
        return said.text
      }
      return { child, until }
    }
    let holder = start()
    await holder.until(/stepped/)
    const waits: number[] = []
    for (let kill = 0; kill < KILLS; kill += 1) {
      const next = start()
      await next.until(/waiting/)
      const writing = write(40)
      holder.child.kill('SIGKILL')
      const killedAt = Date.now()
      const [, tookAt] = /took (\d+)/.exec(await next.until(/took \d+\n/)) ?? []
      waits.push(Number(tookAt) - killedAt)
      await writing
      const [last] = await server.sql('SELECT count(*)::int AS n FROM holdpoint.receipts')
      await next.until(new RegExp(`stepped ${String(last?.['n'])}\\n`))
      holder = next
    }
    holder.child.kill('SIGKILL')
    if (process.env['HOLDPOINT_POSTGRES_LOG_KILLS'] !== undefined)
      process.stdout.write(`ms to the next holder: ${waits.join(' ')}\n`)
    // A guard against a lease that waits for a timeout, not a measurement.
    expect(Math.max(...waits)).toBeLessThan(5_000)
    await whole(1 + 40 * KILLS)
  }, 60_000)

  it('I6: goes on after the server crashed in the middle of steps', async () => {
    const { write } = await gate()
    let book = await taken()
    await book.step()
    for (let crash = 0; crash < CRASHES; crash += 1) {
      await write(200)
      const stepping = book.step().then(
        () => 'stepped',
        (cause: Error) => cause.message,
      )
      await delay(crash * 10)
      await server.halt('immediate')
      await stepping
      await book.close().catch(() => undefined)
      await server.start()
      book = await taken()
      await book.step()
      await whole(1 + 200 * (crash + 1))
    }
  }, 60_000)
})
