import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Committed, OutcomeStatus, Receipt, Settlement, Sidecar, StoreOpening } from '../types.ts'
import { stillHanded } from './handed.ts'
import { SqliteApprovals } from './sqlite-approvals.ts'
import { type Mark, SqliteClaims } from './sqlite-claims.ts'
import type { Slot } from './sqlite-files.ts'
import { type Answer, type Answers, allFailed, type Job, type Reply, type Work } from './sqlite-messages.ts'
import { SqliteOverrides } from './sqlite-overrides.ts'

/** Streams whose head is remembered; others are looked up. */
const MOST_HEADS = 8

type Head = { readonly seq: number; readonly hash: string }
type CommitWork = Extract<Work, { do: 'commit' }>

/**
 * The book of an open slot: whole batches in one transaction, answered when it is durable.
 *
 * A batch that claims nothing touches the slot's file alone. One that claims takes `claims.db`'s write lock too and ends in a
 * single COMMIT, in which SQLite syncs the slot's log before that of `claims.db`. So after a crash in between
 * - a decision may stand without its claim: it was never acknowledged, and the call never began;
 * - an outcome may stand that `claims.db` has not heard of: `permits.status` remembers it, and it is told later.
 */
export class OpenBook {
  readonly #slot: Slot
  readonly #folder: string
  readonly #db: DatabaseSync
  readonly #claims: SqliteClaims
  readonly #approvals: SqliteApprovals
  readonly #overrides: SqliteOverrides
  readonly #sql: Record<
    'insert' | 'sidecar' | 'permit' | 'settle' | 'told' | 'gone' | 'marks' | 'open' | 'batch' | 'head' | 'newest',
    StatementSync
  >
  readonly #heads = new Map<string, Head>()
  /** Outcomes that `claims.db` has to hear of, and those it has heard of and whose permit row can go. */
  #unheard: Mark[] = []
  #heard: string[] = []
  /** Of the current transaction: does it hold the write lock of `claims.db`, and what has it told it? */
  #holdsClaims = false
  #ended: Mark[] = []
  /** Its number among those that claimed, once it has. */
  #batch: number | undefined
  /** Set when a transaction failed: what is in memory may no longer be what is on disk. */
  #isDoubtful = true

  constructor(slot: Slot, folder: string) {
    const db = slot.db
    this.#slot = slot
    this.#folder = folder
    this.#db = db
    this.#claims = new SqliteClaims(db)
    this.#approvals = new SqliteApprovals(db, 'claims')
    this.#overrides = new SqliteOverrides(db, 'claims')
    this.#sql = {
      insert: db.prepare(
        'INSERT INTO main.receipts (ref, hash, stream, seq, prev, kind, jws) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ),
      sidecar: db.prepare('INSERT INTO main.sidecars (receipt, salt, request) VALUES (?, ?, ?)'),
      permit: db.prepare('INSERT INTO main.permits (decision, call_key, batch) VALUES (?, ?, ?)'),
      settle: db.prepare('UPDATE main.permits SET status = ? WHERE decision = ? AND status IS NULL RETURNING call_key'),
      told: db.prepare('DELETE FROM main.permits WHERE decision = ? AND status IS NOT NULL'),
      gone: db.prepare('DELETE FROM main.permits WHERE decision = ? AND status IS NULL'),
      marks: db.prepare('SELECT decision, call_key, status FROM main.permits WHERE status IS NOT NULL'),
      open: db.prepare(
        'SELECT decision, call_key, batch = (SELECT batch FROM main.store) AS is_newest FROM main.permits WHERE status IS NULL',
      ),
      batch: db.prepare('UPDATE main.store SET batch = batch + 1 RETURNING batch'),
      head: db.prepare('SELECT seq, hash FROM main.receipts WHERE stream = ? ORDER BY seq DESC LIMIT 1'),
      newest: db.prepare('SELECT stream, seq, hash FROM main.receipts ORDER BY id DESC LIMIT 1'),
    }
    this.#recall()
  }

  get owed(): number {
    return this.#unheard.length
  }

  /** What this slot held when it was taken over. */
  opening(now: number): Omit<Answers['open'], 'place'> {
    this.tell()
    const newest = this.#sql.newest.get()
    const stranded = this.#open(now)
    return {
      durable: true,
      slot: this.#slot.number,
      stranded,
      ...(newest === undefined
        ? {}
        : { last: { stream: String(newest['stream']), seq: Number(newest['seq']), hash: String(newest['hash']) } }),
    }
  }

  /** Permits without an outcome, but for those of which somebody may still say how they went, or has said so elsewhere. */
  #open(now: number): StoreOpening['stranded'] {
    const rows = this.#sql.open.all()
    const handed = rows.length === 0 ? new Set<string>() : stillHanded(this.#folder, now)
    return rows.flatMap((row): StoreOpening['stranded'] => {
      const decision = String(row['decision'])
      const claim = this.#claims.held(String(row['call_key']), decision)
      if (claim !== undefined && claim !== 'claimed') {
        this.#sql.gone.run(decision)
        return []
      }
      if (handed.has(decision)) return []
      // Only the last batch can have been cut in two. Of an older permit, claims.db has lost the claim, and it may have run.
      const isCut = claim === undefined && row['is_newest'] === 1
      return [{ decision, status: isCut ? 'not_executed' : 'unknown' }]
    })
  }

  run(jobs: readonly Job[]): readonly Reply[] {
    const claiming = jobs.filter(({ work }) => claims(work))
    if (claiming.length === 0) return this.#transact('slot', jobs)
    try {
      return this.#transact('both', jobs)
    } catch (cause) {
      // Another process holds claims.db: nothing was begun. What claims nothing is written all the same.
      const rest = jobs.filter(({ work }) => !claims(work))
      return [...allFailed(claiming, cause), ...this.#transact('slot', rest)]
    }
  }

  tell(): void {
    if (this.#unheard.length === 0) return
    try {
      this.#transact('both', [])
    } catch {
      // claims.db is locked or unusable: the outcomes stay marked, and the next decision meets the same trouble and says so.
    }
  }

  close(): void {
    this.tell()
    if (this.#heard.length > 0) this.#transact('slot', [])
    this.#slot.close()
  }

  /** One transaction for all jobs. Throws only when it could not begin; any later failure is every job's answer. */
  #transact(files: 'slot' | 'both', jobs: readonly Job[]): readonly Reply[] {
    this.#recall()
    this.#db.exec(files === 'both' ? 'BEGIN IMMEDIATE' : 'BEGIN')
    this.#holdsClaims = files === 'both'
    this.#batch = undefined
    try {
      for (const decision of this.#heard.splice(0)) this.#sql.told.run(decision)
      const told = this.#holdsClaims ? this.#unheard.splice(0) : []
      for (const mark of told) this.#claims.end(mark)
      this.#ended = told
      const replies = jobs.map(({ id, work }): Reply => ({ id, ok: true, answer: this.#do(work) }))
      this.#db.exec('COMMIT')
      this.#heard = this.#ended.map(({ decision }) => decision)
      return replies
    } catch (cause) {
      this.#isDoubtful = true
      this.#rollBack()
      return allFailed(jobs, cause)
    }
  }

  #rollBack(): void {
    try {
      this.#db.exec('ROLLBACK')
    } catch {
      // SQLite has already rolled back by itself, as it does when the disk is full.
    }
  }

  /** Reads back what is owed after a start or a failure: a failed COMMIT may have kept the slot's half. */
  #recall(): void {
    if (!this.#isDoubtful) return
    this.#heads.clear()
    this.#heard = []
    this.#unheard = this.#sql.marks.all().map((row) => ({
      decision: String(row['decision']),
      callKey: String(row['call_key']),
      status: String(row['status']) as OutcomeStatus,
    }))
    this.#isDoubtful = false
  }

  #do(work: Work): Answer {
    switch (work.do) {
      case 'append':
        return this.#append(work.receipt, work.settles, work.sidecar)
      case 'commit':
        return this.#commit(work)
      case 'holder':
        return this.#holder(work.callKey)
      case 'read':
        return this.#claims.read(work.session, work.now)
      case 'request':
        return this.#approvals.request(work.request, work.now)
      case 'find':
        return this.#approvals.find(work.digest, work.now)
      case 'get':
        return this.#approvals.get(work.ref, work.now)
      case 'pending':
        return this.#approvals.pending(work.now)
      case 'answer':
        return this.#approvals.answer(work.ref, work.answer, work.now)
      case 'attended':
        return this.#approvals.attended(work.now)
      case 'attend':
        this.#approvals.attend(work.watcher, work.until)
        return undefined
      default:
        throw new Error(`a slot does not do "${work.do}"`)
    }
  }

  #append(receipt: Receipt, settles: Settlement | undefined, sidecar: Sidecar | undefined): Answers['append'] {
    if (!this.#follows(receipt)) return { outcome: 'discontinuous' }
    this.#insert(receipt, sidecar)
    if (settles !== undefined) {
      const row = this.#sql.settle.get(settles.status, settles.decision)
      const callKey = row === undefined ? settles.callKey : String(row['call_key'])
      // Another slot's permit is no mark of ours: `claims.db` hears of its end in this very transaction.
      if (row === undefined && callKey !== undefined) this.#claims.end({ ...settles, callKey })
      else if (callKey !== undefined) this.#end({ ...settles, callKey })
    }
    return { outcome: 'stored' }
  }

  /** What `claims.db` says of a key, and what this slot has yet to tell it: a call that ended here is not in progress. */
  #holder(callKey: string): Answers['holder'] {
    const holder = this.#claims.taken(callKey)
    const ended = this.#unheard.findLast((mark) => mark.callKey === callKey)
    if (holder === undefined || ended === undefined || !this.#claims.holds(callKey, ended.decision)) return holder
    return ended.status === 'not_executed' ? undefined : { ...holder, status: ended.status }
  }

  /** Ends a claim now when `claims.db` is locked anyway, and otherwise soon: nobody waits for it. */
  #end(mark: Mark): void {
    if (!this.#holdsClaims) {
      this.#unheard.push(mark)
      return
    }
    this.#claims.end(mark)
    this.#ended.push(mark)
  }

  #commit({ receipt, claim, sidecar, now }: CommitWork): Committed {
    if (!this.#follows(receipt)) return { outcome: 'discontinuous' }
    const taken = this.#claims.taken(claim.callKey)
    if (taken !== undefined) return taken
    if (claim.session !== undefined && this.#claims.isStale(claim.session)) return { outcome: 'stale' }
    const { override } = claim
    if (override !== undefined && this.#overrides.isSpent(override)) return { outcome: 'override_spent' }
    if (claim.approval !== undefined && !this.#approvals.spend(claim.approval, now))
      return { outcome: 'approval_spent' }
    this.#insert(receipt, sidecar)
    this.#batch ??= Number(this.#sql.batch.get()?.['batch'])
    this.#sql.permit.run(receipt.hash, claim.callKey, this.#batch)
    this.#claims.claim(claim, receipt)
    return { outcome: 'claimed', ...(override === undefined ? {} : { use: this.#overrides.use(override) }) }
  }

  /** INVARIANT I6: a stream is stored in sequence, each receipt on the one it names, so there is never a hole. */
  #follows(receipt: Receipt): boolean {
    const head = this.#heads.get(receipt.stream) ?? this.#headOf(receipt.stream)
    if (head === undefined) return receipt.seq === 0 && receipt.prev === undefined
    return receipt.seq === head.seq + 1 && receipt.prev === head.hash
  }

  #headOf(stream: string): Head | undefined {
    const row = this.#sql.head.get(stream)
    return row === undefined ? undefined : { seq: Number(row['seq']), hash: String(row['hash']) }
  }

  #insert(receipt: Receipt, sidecar: Sidecar | undefined): void {
    const { id, hash, stream, seq, prev, kind, jws } = receipt
    const { lastInsertRowid } = this.#sql.insert.run(id, hash, stream, seq, prev ?? null, kind, jws)
    if (sidecar !== undefined) this.#sql.sidecar.run(lastInsertRowid, sidecar.salt, sidecar.request)
    this.#heads.delete(stream)
    this.#heads.set(stream, { seq, hash })
    for (const oldest of this.#heads.keys()) {
      if (this.#heads.size <= MOST_HEADS) break
      this.#heads.delete(oldest)
    }
  }
}

/** Work that needs the write lock of `claims.db`. */
function claims(work: Work): boolean {
  if (work.do === 'append') return work.settles?.callKey !== undefined
  return work.do === 'commit' || work.do === 'request' || work.do === 'answer' || work.do === 'attend'
}
