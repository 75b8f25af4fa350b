import { HoldpointError } from '../../errors.ts'
import { refuseAnothers } from '../log-book.ts'
import type { LogIdentity } from '../log-ledger.ts'
import { LOG_VERSION, postgresLogSchema } from './log-schema.ts'
import type { Reads } from './reads.ts'
import { lockKey, quotedSchema } from './schema.ts'
import { Session, type Source } from './session.ts'
import { troubleOf } from './trouble.ts'

/** The right to take the log of a store forward, and the connection over which that is done. */
export interface LogHolder extends Reads {
  /** Everything that `work` writes, or nothing; and nothing where another has become the holder. @throws HoldpointError */
  write<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** Lets the lease go, and the connection. Never rejects. */
  release(): Promise<void>
}

/** Who may become the holder of a log. It keeps one connection, so that trying costs a question. */
export class LogCandidate {
  readonly #source: Source
  readonly #schema: string
  readonly #s: string
  readonly #deadlineMs: number
  #session: Session | undefined
  /** Whose log it is, once that was looked at over this session. */
  #identity: LogIdentity | undefined

  constructor(source: Source, terms: { readonly schema: string; readonly deadlineMs: number }) {
    this.#source = source
    this.#schema = terms.schema
    this.#s = quotedSchema(terms.schema)
    this.#deadlineMs = terms.deadlineMs
  }

  /**
   * Takes the lease; `undefined` while another has it.
   *
   * INVARIANT I6: it is an advisory lock of the very connection that writes the log, so that PostgreSQL frees it the moment its holder is
   * gone, and whoever can still write has it. Each holder has a newer number besides, which each of its transactions looks at under a
   * lock of the row: of two who believe to hold the lease, whatever took it from one, the older writes nothing.
   *
   * @throws HoldpointError ERR_LOG where the log is another's, ERR_STORE
   */
  async take(
    identityOf: (store: string) => LogIdentity,
  ): Promise<{ readonly holder: LogHolder; readonly identity: LogIdentity } | undefined> {
    try {
      const session = await this.#ready()
      const identity = this.#identity ?? (await this.#begin(session, identityOf))
      this.#identity = identity
      const lock = String(lockKey(this.#schema, 'log'))
      const [row] = await session.transaction('write', () =>
        session.query({ text: 'SELECT pg_try_advisory_lock($1::bigint) AS taken' }, [lock]),
      )
      if (row?.['taken'] !== true) return undefined
      const [held] = await session.transaction('write', () =>
        session.query({
          text: `UPDATE ${this.#s}.log SET holder = nextval('${this.#s}.log_holders') RETURNING holder::text`,
        }),
      )
      this.#session = undefined
      const holder = new Holder(session, {
        s: this.#s,
        number: String(held?.['holder']),
        place: this.#source.place,
        lock,
      })
      return { holder, identity }
    } catch (cause) {
      this.close()
      throw troubleOf(cause, this.#source.place)
    }
  }

  /** Has any gate begun the store? @throws HoldpointError ERR_STORE */
  async hasStore(): Promise<boolean> {
    try {
      if (this.#identity !== undefined) return true
      const session = await this.#ready()
      const [row] = await session.query({ text: 'SELECT pg_catalog.to_regclass($1) IS NOT NULL AS made' }, [
        `${this.#s}.store`,
      ])
      return row?.['made'] === true
    } catch (cause) {
      this.close()
      throw troubleOf(cause, this.#source.place)
    }
  }

  close(): void {
    this.#session?.end()
    this.#session = undefined
    this.#identity = undefined
  }

  async #ready(): Promise<Session> {
    if (this.#session !== undefined && !this.#session.isOver) return this.#session
    this.#identity = undefined
    const session = await Session.open(await this.#source.pool(), this.#deadlineMs)
    this.#session = session
    await session.settle()
    return session
  }

  /** Makes what is missing, and looks whose log this is. */
  async #begin(session: Session, identityOf: (store: string) => LogIdentity): Promise<LogIdentity> {
    return await session.transaction('write', async () => {
      const [store] = await session.query({ text: `SELECT id FROM ${this.#s}.store` })
      const mine = identityOf(String(store?.['id']))
      // One process makes tables at a time, and the next finds them.
      await session.query({ text: 'SELECT pg_advisory_xact_lock($1::bigint)' }, [
        String(lockKey(this.#schema, 'opening')),
      ])
      const [made] = await session.query({ text: 'SELECT to_regclass($1) IS NOT NULL AS made' }, [`${this.#s}.log`])
      if (made?.['made'] !== true) await session.query({ text: postgresLogSchema(this.#schema) })
      await session.query(
        {
          text: `INSERT INTO ${this.#s}.log (version, store, origin, key) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
        },
        [LOG_VERSION, mine.store, mine.origin, mine.key],
      )
      const [row] = await session.query({ text: `SELECT version, store, origin, key FROM ${this.#s}.log` })
      if (Number(row?.['version']) !== LOG_VERSION) {
        const version = String(row?.['version'])
        throw new HoldpointError('ERR_LOG', `the log was written by another version of holdpoint (schema ${version})`)
      }
      refuseAnothers(
        { store: String(row?.['store']), origin: String(row?.['origin']), key: String(row?.['key']) },
        mine,
      )
      return mine
    })
  }
}

class Holder implements LogHolder {
  readonly #session: Session
  readonly #s: string
  readonly #number: string
  readonly #place: string
  readonly #lock: string
  /** One transaction at a time is on the connection. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(
    session: Session,
    terms: { readonly s: string; readonly number: string; readonly place: string; readonly lock: string },
  ) {
    this.#session = session
    this.#s = terms.s
    this.#number = terms.number
    this.#place = terms.place
    this.#lock = terms.lock
  }

  async read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return await this.#inTurn(() => this.#session.transaction('read', () => work(this.#session)))
  }

  async write<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return await this.#inTurn(() =>
      this.#session.transaction('write', async () => {
        await this.#fence()
        return await work(this.#session)
      }),
    )
  }

  /** Said, and not only meant by closing: whoever waits need not wait for the server to notice. */
  async release(): Promise<void> {
    const unlock = (): Promise<unknown> =>
      this.#session.query({ text: 'SELECT pg_catalog.pg_advisory_unlock($1::bigint)' }, [this.#lock])
    if (!this.#session.isOver) await this.#inTurn(unlock).catch(() => undefined)
    this.#session.end()
  }

  /** INVARIANT I6: nobody else becomes the holder before this transaction has ended, and whoever was it before has no more to say. */
  async #fence(): Promise<void> {
    const [row] = await this.#session.query({
      text: `SELECT holder::text AS holder FROM ${this.#s}.log FOR UPDATE`,
    })
    if (row?.['holder'] === this.#number) return
    throw new HoldpointError('ERR_LOG', 'the log cannot go on: another process has taken it over')
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    try {
      return await turn
    } catch (cause) {
      throw troubleOf(cause, this.#place)
    }
  }
}
