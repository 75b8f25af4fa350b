import { HoldpointError } from '../../errors.ts'
import type { SessionClaim, StoreOpening } from '../../types.ts'
import type { Tenure } from './book.ts'
import { type ServerSettings, unfitness } from './durability.ts'
import type { Permit } from './ledger.ts'
import { lockKey, postgresSchema, quotedSchema, SCHEMA_VERSION, upgradeFrom1 } from './schema.ts'
import type { Backend, Session } from './session.ts'

/**
 * How long a slot that looks left behind is left alone, ms: whoever has lost only the connection is back by then. A slot that was
 * closed, and one that owes nothing, is free at once.
 */
const GRACE_MS = 2_000

/** What whoever takes over finds. */
export interface Takeover {
  readonly tenure: Tenure
  readonly place: string
  readonly last?: NonNullable<StoreOpening['last']>
  /** Permits of processes that are gone, this process's to end from here on. */
  readonly stranded: ReadonlyMap<string, Permit>
}

interface Slot {
  readonly slot: number
  readonly lease: string
  readonly closed: boolean
  readonly owes: boolean
}

/**
 * Who writes under which slot. The lock of a slot is held by the very connection that writes, so that whoever can still write holds it,
 * and PostgreSQL frees it the moment its holder is gone.
 */
export class Leases {
  readonly #schema: string
  readonly #s: string

  constructor(schema: string) {
    this.#schema = schema
    this.#s = quotedSchema(schema)
  }

  /** Makes what is missing, takes a slot and everything that dead processes left. @param pause waits so many ms */
  async take(session: Session, pause: (ms: number) => Promise<void>): Promise<Takeover> {
    await this.#makeTables(session)
    const given = await session.transaction('write', () => this.#leftBehind(session))
    if (given.size > 0) await pause(GRACE_MS)
    return await session.transaction('write', () => this.#takeOver(session, given))
  }

  /**
   * Goes on after a lost connection: in the same slot where nobody took it over, and otherwise in another that owes nothing.
   * @param before who served the connection that was lost, if it still does
   */
  async resume(session: Session, held: Tenure, before: Backend | undefined): Promise<Tenure> {
    if (before !== undefined) await this.#end(session, before)
    return await session.transaction('write', async () => {
      if (await this.#isStillHeld(session, held)) {
        // The lost connection may hold the lock for a moment yet. Nobody takes the slot over from here on.
        await session.query({ text: 'SELECT pg_advisory_lock($1::bigint)' }, [this.#lockOf(held.slot)])
        if (await this.#isStillHeld(session, held)) return held
        await session.query({ text: 'SELECT pg_advisory_unlock($1::bigint)' }, [this.#lockOf(held.slot)])
      }
      await this.#lockOpening(session)
      return (await this.#choose(session, (slot) => !slot.owes)).tenure
    })
  }

  async #isStillHeld(session: Session, { slot, lease }: Tenure): Promise<boolean> {
    const [row] = await session.query(
      { text: `SELECT lease = $2::bigint AS held FROM ${this.#s}.slots WHERE slot = $1` },
      [slot, lease],
    )
    return row?.['held'] === true
  }

  /** Leaves the slot to whoever comes next, who need not wait then. */
  async leave(session: Session, { slot, lease }: Tenure): Promise<void> {
    await session.transaction('write', () =>
      session.query({ text: `UPDATE ${this.#s}.slots SET closed = true WHERE slot = $1 AND lease = $2` }, [
        slot,
        lease,
      ]),
    )
  }

  async #makeTables(session: Session): Promise<void> {
    await session.transaction('write', async () => {
      const server = await session.find<ServerSettings>(
        {
          text: `SELECT json_build_object('encoding', current_setting('server_encoding'), 'recovery', pg_is_in_recovery(),
                   'read_only', current_setting('default_transaction_read_only'))::text AS found`,
        },
        [],
      )
      const unfit = unfitness(server)
      if (unfit !== undefined) throw new HoldpointError('ERR_STORE', unfit)
      // One process makes tables at a time, and the next finds them.
      await this.#lockOpening(session)
      const version = await this.#version(session)
      if (version === undefined) await session.query({ text: postgresSchema(this.#schema) })
      else if (version === 1) await session.query({ text: upgradeFrom1(this.#schema) })
      else if (version !== SCHEMA_VERSION)
        throw new HoldpointError(
          'ERR_STORE',
          `the store was written by another version of holdpoint (schema ${version})`,
        )
      await this.#refuseUnlogged(session)
    })
  }

  async #version(session: Session): Promise<number | undefined> {
    const [made] = await session.query({ text: `SELECT to_regclass($1) IS NOT NULL AS made` }, [`${this.#s}.store`])
    if (made?.['made'] !== true) return undefined
    const [row] = await session.query({ text: `SELECT version FROM ${this.#s}.store` })
    return Number(row?.['version'])
  }

  /** INVARIANT I6: a table that is not logged is empty after a crash. */
  async #refuseUnlogged(session: Session): Promise<void> {
    const unlogged = await session.query(
      {
        text: `SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' AND relpersistence <> 'p'`,
      },
      [this.#s],
    )
    if (unlogged.length === 0) return
    const names = unlogged.map((row) => String(row['relname'])).join(', ')
    throw new HoldpointError('ERR_STORE', `a crash would empty ${names}: ALTER TABLE … SET LOGGED`)
  }

  /** Slots that owe outcomes, were not closed, and that nobody holds. Their locks go with the transaction. */
  async #leftBehind(session: Session): Promise<ReadonlySet<number>> {
    const left = new Set<number>()
    for (const { slot, closed, owes } of await this.#slots(session)) {
      if (closed || !owes) continue
      if (await this.#isFree(session, slot)) left.add(slot)
    }
    return left
  }

  async #takeOver(session: Session, given: ReadonlySet<number>): Promise<Takeover> {
    await this.#lockOpening(session)
    const mayTake = ({ slot, closed, owes }: Slot): boolean => closed || !owes || given.has(slot)
    const { tenure, left, others } = await this.#choose(session, mayTake)
    const dead: Slot[] = []
    for (const other of others) {
      if (other.owes && mayTake(other) && (await this.#isFree(session, other.slot))) dead.push(other)
    }
    // Whoever comes back to one of these slots finds that it is no longer theirs.
    await session.query(
      {
        text: `UPDATE ${this.#s}.slots SET closed = true, lease = nextval('${this.#s}.leases') WHERE slot = ANY ($1::integer[])`,
      },
      [dead.map(({ slot }) => slot)],
    )
    const leases = [...dead.map(({ lease }) => lease), ...(left === undefined ? [] : [left])]
    const stranded = await session.query(
      {
        text: `WITH adopted AS (
                 UPDATE ${this.#s}.permits SET lease = $1 WHERE lease = ANY ($2::bigint[]) RETURNING decision, call_key
               )
               SELECT adopted.decision, adopted.call_key, claims.session FROM adopted
               JOIN ${this.#s}.receipts ON receipts.hash = adopted.decision
               LEFT JOIN ${this.#s}.claims ON claims.call_key = adopted.call_key AND claims.decision = adopted.decision
               ORDER BY receipts.id`,
      },
      [tenure.lease, leases],
    )
    const [last] = await session.query(
      {
        text: `SELECT stream, seq::text AS seq, hash FROM ${this.#s}.receipts WHERE slot = $1 ORDER BY id DESC LIMIT 1`,
      },
      [tenure.slot],
    )
    const [database] = await session.query({ text: 'SELECT current_database()::text AS name' })
    return {
      tenure,
      place: `PostgreSQL database ${String(database?.['name'])}, schema ${this.#schema}`,
      stranded: new Map(stranded.map((row) => [String(row['decision']), permitOf(row)])),
      ...(last === undefined
        ? {}
        : { last: { stream: String(last['stream']), seq: Number(last['seq']), hash: String(last['hash']) } }),
    }
  }

  /** Takes the lowest slot that is free and may be taken, or a new one. `left`: the lease under which it was held before. */
  async #choose(
    session: Session,
    mayTake: (slot: Slot) => boolean,
  ): Promise<{ readonly tenure: Tenure; readonly left?: string; readonly others: readonly Slot[] }> {
    const slots = await this.#slots(session)
    let chosen: Slot | undefined
    for (const slot of slots) {
      if (!mayTake(slot)) continue
      const [row] = await session.query({ text: 'SELECT pg_try_advisory_lock($1::bigint) AS taken' }, [
        this.#lockOf(slot.slot),
      ])
      if (row?.['taken'] !== true) continue
      chosen = slot
      break
    }
    const number = chosen?.slot ?? (slots.at(-1)?.slot ?? -1) + 1
    if (chosen === undefined)
      await session.query({ text: 'SELECT pg_advisory_lock($1::bigint)' }, [this.#lockOf(number)])
    const [row] = await session.query(
      {
        text: `INSERT INTO ${this.#s}.slots (slot, lease, closed) VALUES ($1, nextval('${this.#s}.leases'), false)
               ON CONFLICT (slot) DO UPDATE SET lease = excluded.lease, closed = false RETURNING lease::text AS lease`,
      },
      [number],
    )
    return {
      tenure: { slot: number, lease: String(row?.['lease']) },
      others: slots.filter(({ slot }) => slot !== number),
      ...(chosen === undefined ? {} : { left: chosen.lease }),
    }
  }

  async #slots(session: Session): Promise<readonly Slot[]> {
    const rows = await session.query({
      text: `SELECT slot, lease::text AS lease, closed, EXISTS (SELECT FROM ${this.#s}.permits WHERE permits.lease = slots.lease) AS owes
             FROM ${this.#s}.slots ORDER BY slot`,
    })
    return rows.map((row) => ({
      slot: Number(row['slot']),
      lease: String(row['lease']),
      closed: row['closed'] === true,
      owes: row['owes'] === true,
    }))
  }

  /** Is nobody there? If so, nobody comes either before this transaction has ended. */
  async #isFree(session: Session, slot: number): Promise<boolean> {
    const [row] = await session.query({ text: 'SELECT pg_try_advisory_xact_lock($1::bigint) AS free' }, [
      this.#lockOf(slot),
    ])
    return row?.['free'] === true
  }

  async #lockOpening(session: Session): Promise<void> {
    await session.query({ text: 'SELECT pg_advisory_xact_lock($1::bigint)' }, [
      String(lockKey(this.#schema, 'opening')),
    ])
  }

  /** Ends what serves a connection that this process itself has given up. */
  async #end(session: Session, { pid, startedAt }: Backend): Promise<void> {
    await session.query(
      {
        text: `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
               WHERE pid = $1 AND extract(epoch FROM backend_start)::text = $2`,
      },
      [pid, startedAt],
    )
  }

  #lockOf(slot: number): string {
    return String(lockKey(this.#schema, `slot ${slot}`))
  }
}

function permitOf(row: Readonly<Record<string, unknown>>): Permit {
  const { call_key: callKey, session } = row
  return {
    callKey: String(callKey),
    ...(typeof session === 'string' ? { session: JSON.parse(session) as SessionClaim } : {}),
  }
}
