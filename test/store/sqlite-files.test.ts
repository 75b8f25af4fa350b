import { execFileSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { openSlot } from '../../src/store/sqlite-files.ts'
import { openDesk, openReader } from '../../src/store/sqlite-reader.ts'
import { NO_SESSION, type Receipt } from '../../src/types.ts'
import { claim, decisionDraft, openedChain, outcomeDraft, refusedDraft, SESSION } from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()

/** A folder with one permitted call, as its process left it. */
async function left(outcome?: 'ok'): Promise<{ readonly folder: string; readonly decision: Receipt }> {
  const folder = join(temporary(), 'store')
  const store = createSqliteStore({ folder })
  await store.open()
  const chain = await openedChain(store)
  const { receipt } = await chain.commit(decisionDraft(), claim('key'))
  const decision = receipt as Receipt
  if (outcome !== undefined) {
    await chain.append(outcomeDraft(decision.hash, outcome), { settles: { decision: decision.hash, status: outcome } })
  }
  await store.close()
  return { folder, decision }
}

function edit(folder: string, file: string, sql: string): void {
  const db = new DatabaseSync(join(folder, file))
  db.exec(sql)
  db.close()
}

async function reopened(folder: string) {
  const store = createSqliteStore({ folder })
  try {
    const { stranded } = await store.open()
    return { stranded, holder: await store.holder('key') }
  } finally {
    await store.close()
  }
}

describe('the files of the embedded store', () => {
  it('sync every commit, and say so when asked', () => {
    const slot = openSlot(temporary(), 100)
    for (const schema of ['main', 'claims']) {
      expect(slot.db.prepare(`PRAGMA ${schema}.synchronous`).get()).toEqual({ synchronous: 2 })
      expect(slot.db.prepare(`PRAGMA ${schema}.journal_mode`).get()).toEqual({ journal_mode: 'wal' })
    }
    slot.close()
  })

  it('keep receipts from being changed, removed or replaced by a mistake of ours', async () => {
    const { folder } = await left()
    const slot = openSlot(folder, 100)
    const replace =
      'INSERT OR REPLACE INTO receipts (id, ref, hash, stream, seq, kind, jws) SELECT id, ref, hash, stream, seq, kind, ? FROM receipts LIMIT 1'
    expect(() => slot.db.exec("UPDATE receipts SET jws = 'other'")).toThrow(/append-only/)
    expect(() => slot.db.exec('DELETE FROM receipts')).toThrow(/append-only/)
    expect(() => slot.db.prepare(replace).run('other')).toThrow(/append-only/)
    slot.close()
  })

  it('are one slot per live process; the lowest free one is taken', () => {
    const folder = temporary()
    const [first, second, third] = [openSlot(folder, 100), openSlot(folder, 100), openSlot(folder, 100)]
    expect([first.number, second.number, third.number]).toEqual([0, 1, 2])
    second.close()
    const again = openSlot(folder, 100)
    expect(again.number).toBe(1)
    expect(() => openSlot(folder, 100, 0)).toThrow(/taken/)
    for (const slot of [first, again, third]) slot.close()
  })

  it('are for this user alone, in a folder of their own or in one that was there', async () => {
    const { folder } = await left()
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    const shared = temporary()
    chmodSync(shared, 0o755)
    const slot = openSlot(shared, 100)
    const files = readdirSync(shared)
    expect(files).toEqual(expect.arrayContaining(['claims.db-wal', 'receipts-0.db-wal', 'receipts-0.lock.db']))
    for (const file of files) expect(statSync(join(shared, file)).mode & 0o777, file).toBe(0o600)
    slot.close()
    expect(readdirSync(folder).sort()).toEqual(['claims.db', 'opening.lock.db', 'receipts-0.db', 'receipts-0.lock.db'])
  })

  it.skipIf(process.platform === 'win32').each([
    ['its folder', '', 0o777, '777'],
    ['its folder, although the sticky bit stands', '', 0o1777, '777'],
    ['its folder, by a group', '', 0o770, '770'],
    ['the call keys', 'claims.db', 0o606, '606'],
    ['the receipts', 'receipts-0.db', 0o662, '662'],
  ])(
    'are refused when others could have changed %s, with the command that mends it',
    async (_what, file, mode, said) => {
      const { folder } = await left('ok')
      chmodSync(join(folder, file), mode)
      const error = await createSqliteStore({ folder })
        .open()
        .catch((cause: unknown) => cause)
      expect(error).toMatchObject({ code: 'ERR_STORE', at: folder })
      const { message } = error as Error
      expect(message).toContain(`${join(folder, file).replace(/\/$/, '')} can be changed by others (mode ${said})`)
      const desk = openDesk(folder)
      await expect(desk.attend('w', 1)).rejects.toThrow('can be changed by others')
      await desk.close()
      execFileSync('sh', ['-c', message.split('run: ')[1] ?? 'false'])
      const store = createSqliteStore({ folder })
      await expect(store.open()).resolves.toMatchObject({ durable: true })
      await store.close()
    },
  )

  it('are refused when another version wrote them, rather than read wrongly', async () => {
    for (const file of ['claims.db', 'receipts-0.db']) {
      const { folder } = await left()
      edit(folder, file, 'PRAGMA user_version = 99')
      await expect(createSqliteStore({ folder }).open()).rejects.toMatchObject({
        code: 'ERR_STORE',
        message: expect.stringContaining('schema 99'),
      })
    }
  })
})

/** `claims.db` as version 1 made it, with a session that spent 7.5 in two calls, one of them still owing its outcome. */
function asVersion1(folder: string): void {
  edit(
    folder,
    'claims.db',
    `DROP TABLE store;
    DROP TABLE tallies;
    DROP TABLE overrides;
    ALTER TABLE claims DROP COLUMN principal;
    ALTER TABLE claims DROP COLUMN surface;
    ALTER TABLE claims DROP COLUMN at;
    CREATE TABLE session_tools (
      key TEXT NOT NULL, tool TEXT NOT NULL, calls INTEGER NOT NULL, spent TEXT NOT NULL, PRIMARY KEY (key, tool)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO session_tools VALUES ('s', 'shop/refund', 2, '75000'), ('s', 'shop/freed', 0, '0');
    UPDATE claims SET session = 's', tool = 'shop/refund', amount = '2.5';
    PRAGMA user_version = 1;`,
  )
  slotAsVersion1(folder)
}

/** A slot as version 1 made it. */
function slotAsVersion1(folder: string): void {
  edit(folder, 'receipts-0.db', 'DROP TABLE store; ALTER TABLE permits DROP COLUMN batch; PRAGMA user_version = 1;')
}

/** `claims.db` as version 2 made it. */
function asVersion2(folder: string): void {
  edit(folder, 'claims.db', 'DROP TABLE store; DROP TABLE overrides; PRAGMA user_version = 2;')
  slotAsVersion1(folder)
}

describe('a store that an earlier version wrote', () => {
  it('opens with its claims, receipts and sums, and counts on', async () => {
    const { folder, decision } = await left()
    asVersion1(folder)
    const store = createSqliteStore({ folder })
    expect((await store.open()).stranded).toEqual([{ decision: decision.hash, status: 'unknown' }])
    expect((await store.read(SESSION, SESSION.at)).facts).toEqual({
      ...NO_SESSION,
      calls: { 'shop/refund': 2 },
      spent: { 'shop/refund': '7.5' },
    })
    const chain = await openedChain(store)
    expect(await chain.commit(decisionDraft(), claim('key'))).toMatchObject({ committed: { outcome: 'taken' } })
    await chain.commit(decisionDraft(), claim('new', { session: { ...SESSION, amount: '1' } }))
    const { facts } = await store.read(SESSION, SESSION.at)
    expect([facts.spent, facts.day.spent]).toEqual([{ 'shop/refund': '8.5' }, { 'shop/refund': '1.0' }])
    // What it had reserved by its own count goes on counting, and its key is free.
    await chain.append(outcomeDraft(decision.hash, 'not_executed'), {
      settles: { decision: decision.hash, status: 'not_executed' },
    })
    expect(await chain.commit(decisionDraft(), claim('key'))).toMatchObject({ committed: { outcome: 'claimed' } })
    expect((await store.read(SESSION, SESSION.at)).facts.spent).toEqual({ 'shop/refund': '8.5' })
    await store.close()
    expect((await reopened(folder)).holder).toMatchObject({ outcome: 'taken' })
  })

  it('opens although it knew no overrides, keeps its claims, and counts overrides from then on', async () => {
    const { folder } = await left('ok')
    asVersion2(folder)
    const reader = openReader(folder)
    expect(await reader.overrideUses('ov_1')).toBe(0)
    const store = createSqliteStore({ folder })
    await store.open()
    const chain = await openedChain(store)
    const once = { override: { id: 'ov_1', most: 1 } }
    expect(await chain.commit(decisionDraft(), claim('key', once))).toMatchObject({ committed: { outcome: 'taken' } })
    expect(await chain.commit(decisionDraft(), claim('new', once))).toMatchObject({ committed: { use: 1 } })
    expect(await chain.commit(decisionDraft(), claim('newer', once))).toEqual({
      committed: { outcome: 'override_spent' },
    })
    expect(await reader.overrideUses('ov_1')).toBe(1)
    await Promise.all([store.close(), reader.close()])
  })

  it('counts overrides once however many processes come upon it at a time', async () => {
    const { folder } = await left('ok')
    asVersion2(folder)
    const stores = [1, 2, 3].map(() => createSqliteStore({ folder }))
    await Promise.all(stores.map((store) => store.open()))
    const uses = await Promise.all(
      stores.map(async (store, n) => {
        const chain = await openedChain(store)
        const { committed } = await chain.commit(
          decisionDraft(),
          claim(`new ${n}`, { override: { id: 'ov_1', most: 2 } }),
        )
        return committed.outcome
      }),
    )
    expect(uses.sort()).toEqual(['claimed', 'claimed', 'override_spent'])
    await Promise.all(stores.map((store) => store.close()))
  })

  it('opens at the desk, and for several processes at once', async () => {
    const { folder } = await left('ok')
    asVersion1(folder)
    const desk = openDesk(folder)
    const stores = [1, 2, 3].map(() => createSqliteStore({ folder }))
    await Promise.all([desk.pending(), ...stores.map((store) => store.open())])
    expect((await stores[0]?.read(SESSION, SESSION.at))?.facts.calls).toEqual({ 'shop/refund': 2 })
    await Promise.all([desk.close(), ...stores.map((store) => store.close())])
  })
})

describe('receipts whose claims.db is not theirs', () => {
  const refused = async (folder: string, says: RegExp) =>
    await expect(createSqliteStore({ folder }).open()).rejects.toMatchObject({
      code: 'ERR_STORE',
      message: expect.stringMatching(says),
    })
  const lose = (folder: string) => {
    for (const name of readdirSync(folder)) if (name.startsWith('claims.db')) rmSync(join(folder, name))
  }

  it('are not opened when it is lost, however often it is tried: calls that ran could run again', async () => {
    const { folder } = await left('ok')
    lose(folder)
    for (let time = 0; time < 2; time += 1) await refused(folder, /no claims\.db: .*Put the claims\.db .* back/)
  })

  it('are not opened either by a process that would begin a slot of its own', async () => {
    const { folder } = await left('ok')
    const lease = new DatabaseSync(join(folder, 'receipts-0.lock.db'))
    lease.exec('BEGIN EXCLUSIVE')
    lose(folder)
    await refused(folder, /no claims\.db/)
    lease.close()
  })

  it('are not opened when it was restored from a copy, and are when it is put back', async () => {
    const { folder } = await left('ok')
    const now = readFileSync(join(folder, 'claims.db'))
    const { holder } = await reopened(folder)
    const newest = readFileSync(join(folder, 'claims.db'))
    writeFileSync(join(folder, 'claims.db'), now)
    await refused(folder, /older than the receipts/)
    writeFileSync(join(folder, 'claims.db'), newest)
    expect((await reopened(folder)).holder).toEqual(holder)
  })

  it("are not opened with another store's", async () => {
    const [one, other] = [await left('ok'), await left('ok')]
    writeFileSync(join(one.folder, 'claims.db'), readFileSync(join(other.folder, 'claims.db')))
    await refused(one.folder, /belongs to other receipts/)
  })

  it('are no matter where nothing was written yet: a first start that crashed begins anew', async () => {
    const folder = join(temporary(), 'store')
    openSlot(folder, 100).close()
    lose(folder)
    edit(folder, 'receipts-0.db', 'DELETE FROM store')
    const store = createSqliteStore({ folder })
    await expect(store.open()).resolves.toMatchObject({ durable: true })
    await store.close()
  })
})

describe('what a crash between the two files leaves', () => {
  it('a decision without its claim never began: it is handed back, and its key is free', async () => {
    const { folder, decision } = await left()
    edit(folder, 'claims.db', 'DELETE FROM claims')
    expect(await reopened(folder)).toEqual({
      stranded: [{ decision: decision.hash, status: 'not_executed' }],
      holder: undefined,
    })
  })

  it('an older decision without its claim may have run: nobody says that it never began', async () => {
    const { folder, decision } = await left()
    const store = createSqliteStore({ folder })
    await store.open()
    const chain = await openedChain(store)
    await chain.commit(decisionDraft(), claim('later'))
    await store.close()
    edit(folder, 'claims.db', "DELETE FROM claims WHERE call_key = 'key'")
    const { stranded } = await reopened(folder)
    expect(stranded).toContainEqual({ decision: decision.hash, status: 'unknown' })
    expect(stranded.map(({ status }) => status)).toEqual(['unknown', 'unknown'])
  })

  it("is not taken for another process's claim on the same key", async () => {
    const { folder, decision } = await left()
    edit(folder, 'claims.db', "UPDATE claims SET decision = 'of another process'")
    const store = createSqliteStore({ folder })
    expect((await store.open()).stranded).toEqual([{ decision: decision.hash, status: 'not_executed' }])
    const chain = await openedChain(store)
    await chain.append(outcomeDraft(decision.hash, 'not_executed'), {
      settles: { decision: decision.hash, status: 'not_executed' },
    })
    await chain.commit(decisionDraft(), claim('other'))
    expect(await store.holder('key')).toMatchObject({ outcome: 'taken', status: 'claimed' })
    await store.close()
  })

  it('an outcome that claims.db has not heard of is told when the slot is taken over', async () => {
    const { folder, decision } = await left('ok')
    edit(folder, 'claims.db', "UPDATE claims SET status = 'claimed'")
    edit(folder, 'receipts-0.db', `INSERT OR REPLACE INTO permits VALUES ('${decision.hash}', 'key', 'ok', 1)`)
    expect(await reopened(folder)).toEqual({ stranded: [], holder: expect.objectContaining({ status: 'ok' }) })
  })
})

describe('a long life', () => {
  it('leaves no permit behind that was settled', async () => {
    const { folder } = await left('ok')
    const db = new DatabaseSync(join(folder, 'receipts-0.db'), { readOnly: true })
    expect(db.prepare('SELECT count(*) AS n FROM permits').get()).toEqual({ n: 0 })
    db.close()
  })

  it('continues the slot of the process before it, and points at its last receipt', async () => {
    const folder = temporary()
    let last: Receipt | undefined
    for (let life = 0; life < 3; life += 1) {
      const store = createSqliteStore({ folder })
      const opening = await store.open()
      expect(opening.last?.hash).toBe(last?.hash)
      last = await (await openedChain(store)).append(refusedDraft())
      await store.close()
    }
    expect(readdirSync(folder).filter((name) => name.startsWith('receipts-'))).toEqual([
      'receipts-0.db',
      'receipts-0.lock.db',
    ])
  })
})
