import { randomUUID } from 'node:crypto'
import pTimeout from 'p-timeout'
import { HoldpointError } from '../../errors.ts'
import { type Settings, weakness } from './durability.ts'

/** What the store uses of a `Pool` of the package `pg` (^8.16). */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
}

/** What the store uses of a `PoolClient` of `pg`. */
export interface PostgresClient {
  query(query: { readonly text: string; readonly values?: unknown[]; readonly name?: string }): Promise<unknown>
  /** With `true`, closes the connection instead of giving it back. */
  release(destroy?: boolean): void
  on(event: 'error', listener: (cause: Error) => void): unknown
  on(event: 'notice', listener: (notice: Notice) => void): unknown
  removeListener(event: 'error', listener: (cause: Error) => void): unknown
  removeListener(event: 'notice', listener: (notice: Notice) => void): unknown
  ref?(): void
  unref?(): void
}

/** Where connections come from. */
export interface Source {
  readonly pool: () => Promise<PostgresPool>
  /** For people; never with a password. */
  readonly place: string
}

/** What a server says beside its answers. */
export interface Notice {
  /** SQLSTATE. `severity` is a word of the server's own language. */
  readonly code?: string | undefined
  readonly message?: string | undefined
}

/** A row, as `pg` gives it. */
export type Row = Readonly<Record<string, unknown>>

/** SQL with its parameters. One that has a name is planned once for each connection. */
export interface Statement {
  readonly name?: string
  readonly text: string
}

/** A server's process that serves a session, so that it can be told apart from a later one of the same number. */
export interface Backend {
  readonly pid: number
  readonly startedAt: string
}

/**
 * How much longer the server may work than its client waits, ms. The client goes first: a server that gives up waiting for a standby
 * says that it committed, though the standby never did.
 */
const SERVER_PATIENCE_MS = 2_000
/** The SQLSTATE of what a server says without a warning, in every language (`successful_completion`). */
const NOTHING_AMISS = '00000'
const POOLED =
  'a pooler between the gate and PostgreSQL gives its connection to others: connect directly, or let it pool sessions'

/**
 * One connection, on which every question has a deadline. After a failure that leaves any doubt about what the other side does, it is
 * closed: the server then ends what it had begun, and lets its locks go.
 */
export class Session {
  readonly #client: PostgresClient
  #deadlineMs = 0
  #begin: Readonly<Record<'read' | 'write', string>> = { read: '', write: '' }
  readonly #onError: (cause: Error) => void
  readonly #onNotice: (notice: Notice) => void
  #warning: string | undefined
  #backend: Backend | undefined
  /** What this session leaves in its server's process, where nobody else's may be. */
  readonly #mark = randomUUID()
  #isOver = false
  #dueAt = Number.POSITIVE_INFINITY

  private constructor(client: PostgresClient, deadlineMs: number, onLost: () => void) {
    this.#client = client
    this.allow(deadlineMs)
    this.#onError = () => {
      this.end()
      onLost()
    }
    this.#onNotice = ({ code, message }) => {
      if (code !== NOTHING_AMISS) this.#warning = message ?? 'without words'
    }
    client.on('error', this.#onError)
    client.on('notice', this.#onNotice)
  }

  /** @param onLost called when the connection breaks while nobody uses it */
  static async open(pool: PostgresPool, deadlineMs: number, onLost: () => void = () => undefined): Promise<Session> {
    const connecting = pool.connect()
    try {
      const client = await pTimeout(connecting, { milliseconds: deadlineMs, message: late(deadlineMs) })
      return new Session(client, deadlineMs, onLost)
    } catch (cause) {
      // Came too late for anybody: it goes back when it comes.
      connecting.then(
        (client) => client.release(true),
        () => undefined,
      )
      throw cause
    }
  }

  /** How long each question, and each transaction as a whole, may take from now on, ms. */
  allow(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs
    this.#begin = beginnings(deadlineMs)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Who serves this session; known after `settle`. */
  get backend(): Backend | undefined {
    return this.#backend
  }

  /**
   * Says who serves this session, and lets the server notice within some seconds that this machine is gone.
   *
   * INVARIANT I2: the locks of a slot are its process's, which takes them twice if it is asked to. So a process serves one session
   * alone, which marks it: a pooler that hands the same one to two gates is noticed by the second, and the first is left as it was.
   */
  async settle(): Promise<Backend> {
    await this.query({
      text: 'SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3',
    })
    const [row] = await this.query(
      {
        text: `SELECT pg_catalog.pg_backend_pid() AS pid, extract(epoch FROM backend_start)::text AS started,
               CASE WHEN coalesce(pg_catalog.current_setting('holdpoint.session', true), '') = ''
                 THEN pg_catalog.set_config('holdpoint.session', $1, false) END AS mark
             FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()`,
      },
      [this.#mark],
    )
    if (row?.['mark'] !== this.#mark) throw new Error(POOLED)
    this.#backend = { pid: Number(row?.['pid']), startedAt: String(row?.['started']) }
    return this.#backend
  }

  /** @throws what `pg` throws, or HoldpointError ERR_STORE when the deadline has passed */
  async query(statement: Statement, values?: unknown[]): Promise<readonly Row[]> {
    return rowsOf(await this.#ask({ ...statement, ...(values === undefined ? {} : { values }) }))
  }

  /** The one row's `found`, which is JSON: what comes back does not depend on how a program has `pg` read types. */
  async find<T>(statement: Statement, values: unknown[]): Promise<T> {
    const [row] = await this.query(statement, values)
    return JSON.parse(String(row?.['found'])) as T
  }

  /**
   * Everything that `work` writes, or nothing. Resolves when it is durable.
   *
   * INVARIANT I6: a commit counts only when the server says COMMIT, and warns of nothing: of a standby that never confirmed it only
   * a warning tells. So warnings are asked for, whatever the role is set to, and known by their SQLSTATE.
   */
  async transaction<T>(kind: 'read' | 'write', work: () => Promise<T>): Promise<T> {
    this.#dueAt = performance.now() + this.#deadlineMs
    try {
      const [begun] = await this.query({ text: this.#begin[kind] })
      if (kind === 'write') this.#check(JSON.parse(String(begun?.['found'])) as Settings)
      const answer = await work()
      this.#warning = undefined
      const done = await this.#ask({ text: 'COMMIT' })
      if (commandOf(done) !== 'COMMIT') throw new Error('the server rolled the work back')
      if (this.#warning !== undefined) throw new Error(`the server committed with a warning: ${this.#warning}`)
      return answer
    } catch (cause) {
      await this.#rollBack(cause)
      throw cause
    } finally {
      this.#dueAt = Number.POSITIVE_INFINITY
    }
  }

  /** Closes the connection, or gives it back to its pool as it came. */
  end(how: 'close' | 'give back' = 'close'): void {
    if (this.#isOver) return
    this.#isOver = true
    // The listener for errors stays on one that is closed: what it still says must not end the process.
    if (how === 'give back') this.#client.removeListener('error', this.#onError)
    this.#client.removeListener('notice', this.#onNotice)
    this.#client.ref?.()
    this.#client.release(how === 'close')
  }

  /** An idle session does not keep the process alive. */
  rest(): void {
    this.#client.unref?.()
  }

  wake(): void {
    this.#client.ref?.()
  }

  #check(settings: Settings): void {
    const weak = weakness(settings)
    if (weak !== undefined) throw new HoldpointError('ERR_STORE', weak)
    if (this.#backend === undefined) return
    // A pooler may carry settings along to another process, and may wipe those of the same one, with its locks.
    if (settings.pid !== this.#backend.pid || settings.mark !== this.#mark) throw new Error(POOLED)
  }

  async #ask(query: Parameters<PostgresClient['query']>[0]): Promise<unknown> {
    if (this.#isOver) throw new Error('the connection to PostgreSQL is closed')
    const milliseconds = Math.min(this.#deadlineMs, this.#dueAt - performance.now())
    // Nobody listens to a question that was given up.
    const asking = this.#client.query(query)
    asking.catch(() => undefined)
    try {
      return await pTimeout(asking, { milliseconds: Math.max(0, milliseconds), message: late(this.#deadlineMs) })
    } catch (cause) {
      if (stateOf(cause) === undefined) this.end()
      throw cause
    }
  }

  /** What the server itself refused is undone and the session goes on; after anything else it is closed. */
  async #rollBack(cause: unknown): Promise<void> {
    if (this.#isOver) return
    try {
      if (stateOf(cause) === undefined && !(cause instanceof HoldpointError)) throw cause
      await this.#ask({ text: 'ROLLBACK' })
    } catch {
      this.end()
    }
  }
}

/** The SQLSTATE of what the server refused; absent where the connection itself failed. */
export function stateOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause) || !('severity' in cause)) return undefined
  // 08 and 57P: the connection goes, or the server does.
  return typeof cause.code === 'string' && !/^(08|57P)/.test(cause.code) ? cause.code : undefined
}

/**
 * PostgreSQL's own operators and functions alone: nobody's schema can put others in their place. And by index alone: statements are
 * planned once, perhaps while the tables are empty, and everything here looks up few rows by their keys. Nothing is worth compiling.
 */
function beginnings(deadlineMs: number): Readonly<Record<'read' | 'write', string>> {
  const server = Math.ceil(deadlineMs) + SERVER_PATIENCE_MS
  const terms = `
    SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off;
    SET LOCAL statement_timeout = ${server};
    SET LOCAL lock_timeout = ${Math.ceil(deadlineMs)};
    SET LOCAL idle_in_transaction_session_timeout = ${server};
    SET LOCAL client_min_messages = warning;`
  return {
    read: `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; ${terms}`,
    // Said again to itself, synchronous_commit stays as it was found here, whatever the configuration becomes meanwhile.
    write: `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ${terms}
      SELECT json_build_object(
        'pid', pg_backend_pid(),
        'mark', current_setting('holdpoint.session', true),
        'synchronous_commit', set_config('synchronous_commit', current_setting('synchronous_commit'), true),
        'fsync', current_setting('fsync'),
        'full_page_writes', current_setting('full_page_writes')
      )::text AS found`,
  }
}

/** The rows of the last statement of a query. */
function rowsOf(result: unknown): readonly Row[] {
  const last: unknown = Array.isArray(result) ? result.at(-1) : result
  return (last as { readonly rows?: readonly Row[] }).rows ?? []
}

function commandOf(result: unknown): unknown {
  return (result as { readonly command?: unknown }).command
}

function late(ms: number): HoldpointError {
  return new HoldpointError('ERR_STORE', `PostgreSQL did not answer within ${ms} ms`)
}
