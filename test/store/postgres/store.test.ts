import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { HoldpointError } from '../../../src/errors.ts'
import { type PostgresPool, type PostgresStore, postgresSchema, postgresStore } from '../../../src/postgres.ts'
import { testGate } from '../../../src/testing.ts'
import type { Receipt } from '../../../src/types.ts'
import { verifyReceipts } from '../../../src/verify.ts'
import { answerBy, requestWith } from '../../support/approvals.ts'
import { blocksOf } from '../../support/markdown.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../../support/postgres-server.ts'
import {
  claim,
  collect,
  decisionDraft,
  jwsOf,
  openedChain,
  outcomeDraft,
  refusedDraft,
  SESSION,
} from '../../support/receipt-drafts.ts'

const RACES = Number(process.env['HOLDPOINT_POSTGRES_RACES'] ?? 100)
const RACERS = 8

const failureOf = (cause: unknown) => (cause instanceof HoldpointError ? cause.code : String(cause))

const REQUEST = {
  ref: 'hp_1',
  requestDigest: 'd',
  requires: 'confirmation',
  tool: 'shop/refund',
  materiality: 'high',
  principal: { type: 'user', id: 'alice' },
  argumentsText: '{}',
  because: '',
} as const

describe('options', () => {
  it.each([
    '',
    'a"; DROP TABLE x; --',
    'Holdpoint',
    'pg_toast',
    'information_schema',
    'ä',
    'a.b',
    'x'.repeat(64),
    'a\0',
  ])('take no schema called %j, which no parameter could carry', (schema) => {
    expect(() => postgresStore({ connectionString: 'postgres://127.0.0.1:1/', schema })).toThrow(/has no name that/)
    expect(() => postgresSchema(schema)).toThrow(/has no name that/)
  })

  it.each([0, -1, Number.NaN, 60_001])('take no deadline of %s ms', (deadlineMs) => {
    expect(() => postgresStore({ connectionString: 'postgres://127.0.0.1:1/', deadlineMs })).toThrow(/deadlineMs/)
  })

  it.each(['postgres://eve:hunter2@127.0.0.1:1/shop', 'postgres://eve:hunter2@[/', 'hunter2://'])(
    'keep a password out of what is said when nobody is there: %s',
    async (connectionString) => {
      const store = postgresStore({ connectionString, deadlineMs: 2_000 })
      const failure = await store.open().catch((cause: unknown) => cause)
      expect(failure).toMatchObject({ code: 'ERR_STORE' })
      const { message, cause } = failure as { message: string; cause: unknown }
      expect([message, String(cause), JSON.stringify(cause)].join(' ')).not.toContain('hunter2')
    },
  )
})

describe.skipIf(!hasPostgres)('a store in PostgreSQL', () => {
  let server: PostgresServer
  let schemas = 0
  let schema = ''
  const opened: PostgresStore[] = []
  beforeAll(async () => {
    server = await startPostgres({ language: 'de' })
  })
  afterEach(async () => {
    await server.sql('ALTER SYSTEM RESET ALL')
    await server.sql('SELECT pg_reload_conf()')
    await Promise.allSettled(opened.splice(0).map((store) => store.close()))
  })
  afterAll(async () => await server?.end())

  const fresh = () => {
    schemas += 1
    schema = `store_${schemas}`
  }
  const another = (options: { readonly pool?: PostgresPool; readonly deadlineMs?: number } = {}): PostgresStore => {
    const { pool, ...terms } = options
    const store = postgresStore({
      schema,
      ...terms,
      ...(pool === undefined ? { connectionString: server.connectionString } : { pool }),
    })
    opened.push(store)
    return store
  }
  const make = (options = {}) => {
    fresh()
    return another(options)
  }
  const configure = async (setting: string) => {
    await server.sql(`ALTER SYSTEM SET ${setting}`)
    await server.sql('SELECT pg_reload_conf()')
    const [name = '', value] = setting.replaceAll("'", '').split(' = ')
    while ((await server.sql(`SELECT current_setting('${name}') AS now`))[0]?.['now'] !== value) {}
  }
  /** The server's process that serves who holds the lock of a slot. */
  const writerPids = async () =>
    (
      await server.sql(
        "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = 'postgres')",
      )
    ).map(({ pid }) => Number(pid))
  /** A commit that is written and waits for a standby that there is not. */
  const unconfirmed = async () => {
    const store = make()
    await store.open()
    const chain = await openedChain(store)
    await configure('synchronous_standby_names = nobody')
    const [pid] = await writerPids()
    const ended = chain.commit(decisionDraft(), claim('k')).catch((cause: unknown) => cause)
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'"
    await expect.poll(async () => (await server.sql(waiting, [pid])).length).toBe(1)
    return { store, pid, ended }
  }

  describe('is refused where what it acknowledges could be lost', () => {
    it.each([
      ['synchronous_commit = off', /synchronous_commit = off/],
      ['fsync = off', /fsync = off/],
      ['full_page_writes = off', /full_page_writes = off/],
    ])('%s: at the start, and from the moment on when it is set', async (setting, says) => {
      const store = make()
      await store.open()
      const chain = await openedChain(store)
      await chain.append(refusedDraft())
      await configure(setting)
      await expect(another().open()).rejects.toMatchObject({ code: 'ERR_STORE', message: expect.stringMatching(says) })
      await expect(chain.commit(decisionDraft(), claim('k'))).rejects.toMatchObject({
        message: expect.stringMatching(says),
      })
      expect(await collect(store.receipts())).toHaveLength(2)
      await server.sql('ALTER SYSTEM RESET ALL')
      await server.sql('SELECT pg_reload_conf()')
      await expect.poll(async () => await chain.append(refusedDraft()).then(() => 'stored', String)).toBe('stored')
    })

    it('a session of its own that acknowledges early', async () => {
      fresh()
      const pool = new pg.Pool({ connectionString: server.connectionString, options: '-c synchronous_commit=off' })
      try {
        await expect(another({ pool }).open()).rejects.toThrow(/synchronous_commit = off/)
      } finally {
        await pool.end()
      }
    })

    it('a table that a crash would empty', async () => {
      const store = make()
      await store.open()
      await store.close()
      await server.sql(`ALTER TABLE ${schema}.claims SET UNLOGGED`)
      await expect(another().open()).rejects.toThrow(/a crash would empty claims/)
    })

    describe('a commit that no standby confirmed, of which the server only warns', () => {
      const committed = async (...settings: readonly string[]) => {
        for (const setting of settings) await configure(setting)
        const { pid, ended } = await unconfirmed()
        await server.sql('SELECT pg_cancel_backend($1)', [pid])
        return await ended
      }
      const unknown = { message: expect.stringContaining('committed with a warning') }

      it('in English', async () => {
        expect(await committed()).toMatchObject(unknown)
      })

      it('to a role that is set to hear no warnings', async () => {
        expect(await committed('client_min_messages = error')).toMatchObject(unknown)
      })

      it('in another language', async ({ skip }) => {
        await configure("lc_messages = 'C.UTF-8'")
        const { severity } = (await server.sql('SELECT 1/0').catch((cause: unknown) => cause)) as { severity: string }
        if (severity === 'ERROR') skip('this PostgreSQL speaks nothing but English: its translations are not installed')
        expect(severity).toBe('FEHLER')
        expect(await committed()).toMatchObject(unknown)
      })
    })

    it('a database that cannot hold every text', async () => {
      await server.sql("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
      const store = postgresStore({ connectionString: server.connectionString.replace(/postgres$/, 'ascii') })
      opened.push(store)
      await expect(store.open()).rejects.toThrow(/its encoding is SQL_ASCII/)
    })

    it('tables of version 1, and none of two who open them at once is too late: receipts and claims stay, requests are asked anew', async () => {
      const store = make()
      await store.open()
      const chain = await openedChain(store)
      await chain.commit(decisionDraft(), claim('k'))
      const before = jwsOf(await collect(store.receipts()))
      await store.close()
      // As version 1 had it: one table, one answer, and nothing of what was shown.
      await server.sql(`
DROP TABLE ${schema}.requests, ${schema}.answers;
CREATE TABLE ${schema}.approvals (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ref text COLLATE "C" NOT NULL UNIQUE, digest text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL, expires_at bigint NOT NULL, request text COLLATE "C" NOT NULL, answered text COLLATE "C"
);
CREATE INDEX approvals_by_digest ON ${schema}.approvals (digest, id);
CREATE INDEX approvals_by_end ON ${schema}.approvals (expires_at);
UPDATE ${schema}.store SET version = 1`)
      const request = requestWith({ ref: 'hp_00000001', createdAt: Date.now() })
      await server.sql(
        `INSERT INTO ${schema}.approvals (ref, digest, state, expires_at, request, answered) VALUES ($1, $2, 'approved', $3, $4, 'ada')`,
        [request.ref, request.requestDigest, request.expiresAt, JSON.stringify(request)],
      )
      const [one, other] = [another(), another()]
      await Promise.all([one.open(), other.open()])
      expect(await server.sql(`SELECT version FROM ${schema}.store`)).toEqual([{ version: 2 }])
      expect(jwsOf(await collect(other.receipts())).slice(0, before.length)).toEqual(before)
      const again = await openedChain(one)
      expect((await again.commit(decisionDraft(), claim('k'))).committed).toMatchObject({ outcome: 'taken' })
      // A yes that does not say what was shown is none, and who was asked then is asked anew.
      expect(await one.find(request.requestDigest)).toBeUndefined()
      expect(await one.request({ ...request, ref: 'hp_00000002' })).toMatchObject({
        ref: 'hp_00000002',
        state: 'pending',
      })
      expect(await other.answer('hp_00000002', answerBy('ada'))).toBe(true)
      expect(await one.get('hp_00000002')).toMatchObject({ state: 'approved', answers: [{ by: 'ada' }] })
    })

    it('tables of another version', async () => {
      await make().open()
      await server.sql(`UPDATE ${schema}.store SET version = 7`)
      await expect(another().open()).rejects.toThrow(/another version of holdpoint \(schema 7\)/)
    })

    describe('a pooler that gives its connection to others between two transactions', () => {
      /** Connections that go over whichever of these is said, transaction by transaction. */
      const over = (query: (query: pg.QueryConfig) => Promise<unknown>): { readonly pool: PostgresPool } => {
        const quiet = { release: () => undefined, on: () => undefined, removeListener: () => undefined }
        return { pool: { connect: async () => ({ ...quiet, query }) } }
      }
      const shared: pg.Client[] = []
      const direct = async () => {
        const client = new pg.Client({ connectionString: server.connectionString })
        shared.push(client)
        await client.connect()
        return client
      }
      afterEach(async () => {
        await Promise.all(shared.splice(0).map((client) => client.end()))
      })

      it('to another one, even where it carries settings along', async () => {
        fresh()
        const both = [await direct(), await direct()]
        let turn = 0
        const pooled = over(async (query) => {
          if (query.text.includes('set_config') && !query.text.startsWith('BEGIN')) await both[1]?.query(query)
          if (query.text.startsWith('BEGIN')) turn += 1
          return await both[turn % 2]?.query(query)
        })
        await expect(another(pooled).open()).rejects.toThrow(/a pooler between/)
      })

      it('I2: and hands two gates the same one: the second does not take over what the first is at work on', async () => {
        fresh()
        const only = await direct()
        const pooled = over(async (query) => await only.query(query))
        const first = another(pooled)
        await first.open()
        const chain = await openedChain(first)
        const { receipt } = await chain.commit(decisionDraft(), claim('k'))
        await expect(another(pooled).open()).rejects.toThrow(/a pooler between/)
        if (receipt === undefined) throw new Error('not claimed')
        const settles = { settles: { decision: receipt.hash, status: 'ok' } } as const
        await chain.append(outcomeDraft(receipt.hash), settles)
        expect(await first.holder('k')).toMatchObject({ status: 'ok' })
      })

      it('I2: and wipes what the session had, its locks too', async () => {
        fresh()
        const only = await direct()
        const store = another(over(async (query) => await only.query(query)))
        await store.open()
        const chain = await openedChain(store)
        await only.query('SELECT pg_advisory_unlock_all(); RESET ALL')
        await expect(chain.commit(decisionDraft(), claim('k'))).rejects.toThrow(/a pooler between/)
      })
    })
  })

  it('I6: no receipt can be changed, removed or emptied away, not even by a session that plays a replica', async () => {
    const store = make()
    await store.open()
    await openedChain(store)
    for (const how of ['', 'SET session_replication_role = replica; ']) {
      for (const act of ['UPDATE $.receipts SET seq = 9', 'DELETE FROM $.receipts', 'TRUNCATE $.receipts'])
        await expect(server.sql(how + act.replace('$', schema))).rejects.toThrow('receipts are append-only')
    }
    expect(await collect(store.receipts())).toHaveLength(1)
  })

  it('is made once, however many open it at the same moment, and each has a slot of its own', async () => {
    fresh()
    const stores = Array.from({ length: RACERS }, () => another())
    await Promise.all(stores.map((store) => store.open()))
    await Promise.all(stores.map((store) => openedChain(store)))
    const slots = await server.sql(`SELECT DISTINCT slot FROM ${schema}.receipts ORDER BY slot`)
    expect(slots.map(({ slot }) => slot)).toEqual(Array.from({ length: RACERS }, (_, n) => n))
  })

  it(`I2: ${RACES} call keys, ${RACERS} gates that race for each: one winner each, and everybody else learns who it was`, async () => {
    fresh()
    const stores = Array.from({ length: RACERS }, () => another({ deadlineMs: 20_000 }))
    await Promise.all(stores.map((store) => store.open()))
    const chains = await Promise.all(stores.map((store) => openedChain(store)))
    const race = async (key: string) => {
      const asks = chains.map((chain) =>
        chain.commit(decisionDraft(), claim(key, { session: { ...SESSION, amount: '1' } })),
      )
      const answers = await Promise.all(asks)
      const winners = answers.flatMap(({ receipt }) => receipt ?? [])
      expect(winners).toHaveLength(1)
      const losers = answers.filter(({ receipt }) => receipt === undefined).map(({ committed }) => committed)
      const lost = expect.objectContaining({ outcome: 'taken', receipt: winners[0]?.id })
      expect(losers).toEqual(Array(RACERS - 1).fill(lost))
    }
    for (let n = 0; n < RACES; n += 1) await race(`key ${n}`)
    const { facts, seen } = (await stores[0]?.read(SESSION, SESSION.at)) ?? {}
    expect(facts?.spent).toEqual({ 'shop/refund': `${RACES}.0` })
    expect(seen).toEqual({ conversation: RACES, principal: RACES })
  }, 600_000)

  it('fails a text that PostgreSQL cannot hold by itself, and nothing beside it', async () => {
    const store = make()
    await store.open()
    const chain = await openedChain(store)
    const odd = [
      chain.commit(decisionDraft(), claim('k', { session: { ...SESSION, tool: 'a\0b' } })),
      store.answer('hp_\0', answerBy('eve')),
      store.get('hp_\ud800'),
      store.find('x'.repeat(10_000)),
    ].map((one: Promise<unknown>) => one.catch((cause: unknown) => cause))
    const fine = await Promise.all([
      store.holder('\0'),
      store.holder('\ud800'.repeat(9_000)),
      store.read({ conversation: '\0', principal: '\0' }, 0),
    ])
    expect(fine.slice(0, 2)).toEqual([undefined, undefined])
    for (const one of odd) expect(await one).toMatchObject({ code: 'ERR_STORE' })
    expect((await chain.commit(decisionDraft(), claim('k\0'))).committed).toEqual({ outcome: 'claimed' })
  })

  it('gives connections back to a pool of the program as they came, and leaves the pool open', async () => {
    fresh()
    const pool = new pg.Pool({ connectionString: server.connectionString, max: 2 })
    try {
      const store = another({ pool })
      await store.open()
      await openedChain(store)
      const all = "SELECT string_agg(name || '=' || setting, ',' ORDER BY name) AS settings FROM pg_settings"
      const [untouched] = await server.sql(all)
      expect(await collect(store.receipts())).toHaveLength(1)
      const read = (await pool.query(all)).rows[0]
      expect(read.settings.replace(/application_name=[^,]*/, '')).toBe(
        String(untouched?.['settings']).replace(/application_name=[^,]*/, ''),
      )
      await store.close()
      // The one that wrote held locks: it is closed, and the pool makes others.
      expect(await writerPids()).toEqual([])
      expect((await Promise.all([pool.query(all), pool.query(all)])).map(({ rows }) => rows.length)).toEqual([1, 1])
    } finally {
      await pool.end()
    }
  })

  it('reads page by page what was written meanwhile, each receipt once and none passed over', async () => {
    const stores = [make(), another(), another()]
    await Promise.all(stores.map((store) => store.open()))
    const chains = await Promise.all(stores.map((store) => openedChain(store)))
    const reader = another()
    const seen: Receipt[] = []
    let isWriting = true
    const writing = Promise.all(
      chains.map(async (chain) => {
        for (let n = 0; n < 12; n += 1)
          await Promise.all(Array.from({ length: 30 }, () => chain.append(refusedDraft())))
      }),
    ).finally(() => {
      isWriting = false
    })
    let cursor: Parameters<typeof reader.newer>[0]
    for (;;) {
      // Asked before the page is: what is committed while an empty page is on its way is on the next one.
      const last = !isWriting
      const page = await reader.newer(cursor)
      seen.push(...page.receipts)
      if (last && page.receipts.length === 0) break
      cursor = page.cursor
    }
    await writing
    expect(seen).toHaveLength(3 * (1 + 12 * 30))
    expect(new Set(seen.map(({ hash }) => hash)).size).toBe(seen.length)
    for (const stream of new Set(seen.map((receipt) => receipt.stream))) {
      const seqs = seen.filter((receipt) => receipt.stream === stream).map(({ seq }) => seq)
      expect(seqs).toEqual(seqs.map((_, n) => n))
    }
  })

  it('never reads a table from end to end for a call, so that it does not slow down with age', async () => {
    await make().open()
    await Promise.all(opened.map((made) => made.close()))
    // The server counts a session's scans once that has ended. Those that made the indexes are not meant.
    const tables = ['claims', 'receipts', 'tallies', 'sessions', 'permits', 'overrides']
    const scans = async (which: string) =>
      (
        await server.sql(
          `SELECT relname FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = ANY ($2) AND ${which} > 0`,
          [schema, tables],
        )
      ).map(({ relname }) => relname)
    await expect.poll(() => scans('seq_scan')).toHaveLength(tables.length)
    await server.sql('SELECT pg_stat_reset()')
    const store = another()
    await store.open()
    const chain = await openedChain(store)
    for (let n = 0; n < 12; n += 1) {
      const session = { ...SESSION, amount: '1', conversation: `c${n}` }
      const { receipt } = await chain.commit(
        decisionDraft(),
        claim(`k${n}`, { session, override: { id: 'ov', most: 99 } }),
      )
      const settles = { decision: receipt?.hash ?? '', status: n % 2 === 0 ? 'ok' : 'not_executed' } as const
      await chain.append(outcomeDraft(settles.decision, settles.status), { settles })
      await store.holder(`k${n}`)
      await store.read(session, SESSION.at)
    }
    await collect(store.receipts())
    await store.close()
    await expect.poll(() => scans('idx_scan')).toHaveLength(tables.length)
    expect(await scans('seq_scan')).toEqual([])
  })

  it('I2: carries whole gates: what ran through one is not run again through another', async () => {
    const gates = [testGate({ store: make() }), testGate({ store: another() })]
    let ran = 0
    const outcomes = []
    for (const gate of gates) {
      gate.register([{ name: 'refund', origin: 'own', inputSchema: { type: 'object' } }])
      const me = gate.as({ user: 'alice' }, { conversation: 'c1' })
      const call = { tool: 'refund', input: { order: 'A1' }, callId: 'call_1' }
      const { outcome } = await me.run(call, () => {
        ran += 1
        return 'done'
      })
      outcomes.push(outcome)
    }
    expect([ran, outcomes]).toEqual([1, ['ran', 'refused']])
    expect(gates[1]?.calls).toMatchObject([{ code: 'already_executed' }])
    await Promise.all(gates.map((gate) => gate.close()))
    const kinds = (await collect(another().receipts())).map(({ kind }) => kind)
    expect(kinds.toSorted()).toEqual(['decision', 'decision', 'open', 'open', 'outcome', 'seal', 'seal'])
  })

  it('lets whoever has no slot read, and answer for a person', async () => {
    const store = make()
    await store.open()
    const desk = another()
    await store.request(requestWith({ ...REQUEST, createdAt: Date.now() }))
    expect((await desk.pending()).map(({ ref }) => ref)).toEqual(['hp_1'])
    expect(await desk.answer('hp_1', answerBy('alice'))).toBe(true)
    expect(await store.get('hp_1')).toMatchObject({ state: 'approved' })
    const chain = await openedChain(store)
    const { receipt } = await chain.commit(decisionDraft(), claim('k', { approval: 'hp_1' }), {
      salt: 's',
      request: '{}',
    })
    expect(await desk.sidecar(receipt?.hash ?? '')).toEqual({ salt: 's', request: '{}' })
    await expect(openedChain(desk)).rejects.toThrow('the store is not open')
    expect(await server.sql(`SELECT slot FROM ${schema}.slots`)).toHaveLength(1)
  })

  it('I6: needs no more of a role than the page grants, and that role cannot take a receipt back', async () => {
    await server.sql('CREATE ROLE gate LOGIN')
    await server.sql(postgresSchema())
    const page = readFileSync(new URL('../../../docs/postgres.md', import.meta.url), 'utf8')
    await server.sql(blocksOf(page).find(({ language }) => language === 'sql')?.text ?? '')
    const connectionString = server.connectionString.replace('postgres@', 'gate@')
    const open = () => {
      const store = postgresStore({ connectionString })
      opened.push(store)
      return store
    }
    const store = open()
    await store.open()
    const chain = await openedChain(store)
    const session = { ...SESSION, amount: '1', reads: ['private'] } as const
    const { receipt: freed } = await chain.commit(
      decisionDraft(),
      claim('a', { session, override: { id: 'ov', most: 9 } }),
    )
    const settles = { decision: freed?.hash ?? '', status: 'not_executed' } as const
    await chain.append(outcomeDraft(settles.decision, settles.status), {
      settles,
      sidecar: { salt: 's', request: '{}' },
    })
    await store.attend('w', Date.now() + 1_000)
    await store.request(requestWith({ ...REQUEST, createdAt: Date.now() }))
    await store.answer('hp_1', answerBy('alice'))
    const { receipt } = await chain.commit(decisionDraft(), claim('b', { approval: 'hp_1' }))
    await store.close()
    expect((await open().open()).stranded).toEqual([{ decision: receipt?.hash, status: 'unknown' }])

    const client = new pg.Client({ connectionString })
    await client.connect()
    try {
      for (const act of [
        'UPDATE holdpoint.receipts SET seq = 9',
        'DELETE FROM holdpoint.receipts',
        'TRUNCATE holdpoint.receipts',
        'ALTER TABLE holdpoint.receipts DISABLE TRIGGER ALL',
        'DROP TRIGGER receipts_never_change ON holdpoint.receipts',
      ])
        await expect(client.query(act)).rejects.toThrow(/permission denied|must be owner/)
    } finally {
      await client.end()
    }
  })

  it('takes no slot for work that comes after it was closed, until it is opened again', async () => {
    const store = make()
    await store.open()
    await store.close()
    await expect(store.holder('any key')).rejects.toMatchObject({ code: 'ERR_STORE', message: 'the store was closed' })
    await store.open()
    expect(await store.holder('any key')).toBeUndefined()
  })

  describe('that is lost sight of', () => {
    /** A pool whose connections a test can cut, and forbid. */
    const network = () => {
      const pool = new pg.Pool({ connectionString: server.connectionString })
      pool.on('error', () => undefined)
      const made: pg.PoolClient[] = []
      let isDown = false
      return {
        connect: async () => {
          if (isDown) throw new Error('no route to host')
          const client = await pool.connect()
          made.push(client)
          return client
        },
        cut: async () => {
          isDown = true
          for (const pid of await writerPids()) await server.sql('SELECT pg_terminate_backend($1)', [pid])
        },
        mend: () => {
          isDown = false
        },
        end: () => pool.end(),
      }
    }

    /** A pool that tells what is asked over it. */
    const watched = (tell: (text: string) => void): PostgresPool => ({
      connect: async () => {
        const client = new pg.Client({ connectionString: server.connectionString })
        await client.connect()
        return {
          query: async (query) => {
            tell(query.text)
            return await client.query(query)
          },
          release: () => void client.end(),
          on: (event: string, listener: (said: never) => void) =>
            client.on(event as 'error', listener as (cause: Error) => void),
          removeListener: (event: string, listener: (said: never) => void) =>
            client.removeListener(event, listener as (cause: Error) => void),
        }
      },
    })

    it('I2: keeps its slot and its permits when it is soon back, whoever opens meanwhile', async () => {
      fresh()
      const wire = network()
      try {
        const store = another({ pool: wire })
        await store.open()
        const chain = await openedChain(store)
        const { receipt } = await chain.commit(decisionDraft(), claim('k'))
        await wire.cut()
        // Back as soon as the other has seen that nobody is there.
        const looked = Promise.withResolvers<void>()
        const opening = another({
          pool: watched((text) => text.includes('pg_try_advisory_xact_lock') && looked.resolve()),
        })
        const found = opening.open()
        await looked.promise
        wire.mend()
        expect((await found).stranded).toEqual([])
        const settles = { decision: receipt?.hash ?? '', status: 'ok' } as const
        await chain.append(outcomeDraft(settles.decision), { settles })
        expect(await store.holder('k')).toMatchObject({ status: 'ok' })
      } finally {
        await Promise.allSettled(opened.splice(0).map((store) => store.close()))
        await wire.end()
      }
    })

    it('I2: has its permits ended once, by whoever took them over, and ends none itself when it is back', async () => {
      fresh()
      const wire = network()
      try {
        const store = another({ pool: wire })
        await store.open()
        const chain = await openedChain(store)
        const { receipt } = await chain.commit(decisionDraft(), claim('k', { session: SESSION }))
        const decision = receipt?.hash ?? ''
        await wire.cut()
        await expect(chain.append(refusedDraft())).rejects.toMatchObject({ code: 'ERR_STORE' })

        const heir = another()
        const opening = await heir.open()
        expect(opening.stranded).toEqual([{ decision, status: 'unknown' }])
        expect((await another().open()).stranded).toEqual([])
        const recovered = await openedChain(heir)
        const end = { decision, status: 'unknown' } as const
        await recovered.append(outcomeDraft(decision, 'unknown'), { settles: end })

        wire.mend()
        const settles = { decision, status: 'not_executed' } as const
        await expect
          .poll(async () => await chain.append(outcomeDraft(decision, 'not_executed'), { settles }).catch(String))
          .toMatch(/another process has taken this permit over/)
        expect(await store.holder('k')).toMatchObject({ status: 'unknown' })
        const after = await chain.append(refusedDraft())
        const receipts = await collect(store.receipts())
        expect(receipts.filter(({ kind }) => kind === 'outcome')).toHaveLength(1)
        expect(receipts.map(({ hash }) => hash)).toContain(after.hash)
        expect((await verifyReceipts(jwsOf(receipts), { keys: [] })).count).toBe(receipts.length)
        // In a slot of its own again.
        expect(await server.sql(`SELECT count(DISTINCT slot)::int AS slots FROM ${schema}.receipts`)).toEqual([
          { slots: 2 },
        ])
      } finally {
        await Promise.allSettled(opened.splice(0).map((store) => store.close()))
        await wire.end()
      }
    })

    it('I2: answers nobody with a permit when the connection breaks during the commit', async () => {
      const { store, pid, ended } = await unconfirmed()
      await server.sql('SELECT pg_terminate_backend($1)', [pid])
      expect(await ended).toMatchObject({ code: 'ERR_STORE' })
      await server.sql('ALTER SYSTEM RESET ALL')
      await server.sql('SELECT pg_reload_conf()')
      // It had been written: the key stays taken, and nothing ran.
      await expect.poll(async () => (await store.holder('k').catch(() => undefined))?.status).toBe('claimed')
    })

    it('I2: tells its callers in time when the server hangs, and serves nobody later who has given up by then', async () => {
      const store = make({ deadlineMs: 1_500 })
      await store.open()
      const chain = await openedChain(store)
      const other = await openedChain(store)
      const [pid = 0] = await writerPids()
      process.kill(pid, 'SIGSTOP')
      try {
        const sent = [chain.append(refusedDraft()), store.holder('k')].map((one) => one.then(() => 'done', failureOf))
        await delay(50)
        const waiting = other.commit(decisionDraft(), claim('given up')).then(() => 'done', failureOf)
        expect(await Promise.all([...sent, waiting])).toEqual(Array(3).fill('ERR_STORE'))
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      await expect.poll(async () => await chain.append(refusedDraft()).then(() => 'stored', failureOf)).toBe('stored')
      expect(await store.holder('given up')).toBeUndefined()
      const streams = new Map<string, number>()
      for (const { stream, seq } of await collect(store.receipts())) {
        expect(seq).toBe(streams.get(stream) ?? 0)
        streams.set(stream, seq + 1)
      }
    })

    it('refuses more than it can hold for a server that hangs', async () => {
      const store = make({ deadlineMs: 1_500 })
      await store.open()
      await openedChain(store)
      const [pid = 0] = await writerPids()
      process.kill(pid, 'SIGSTOP')
      try {
        const asked = Array.from({ length: 2_000 }, (_, n) =>
          store.holder(`k${n}`).catch((cause: Error) => cause.message),
        )
        const said = new Set(await Promise.all(asked))
        expect([...said].some((message) => String(message).includes('overloaded'))).toBe(true)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    })
  })
})
