import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { canonicalText } from '../bytes/canonical.ts'
import { sha256 } from '../bytes/digest.ts'
import { HoldpointError } from '../errors.ts'
import type { ApprovalAnswer, ApprovalRequest, EvaluationRequest, Receipt } from '../types.ts'
import { receiptOf } from './receipt-row.ts'
import { claimsPath, openEraser, slotsIn, withFreeSlots } from './sqlite-files.ts'
import { hasTable } from './sqlite-shelf.ts'

/** Rows that are looked at, or erased, in one transaction: a gate waits for no more than that. */
const PAGE = 64
/** Arguments were within a gate's bounds when they were kept. */
const LIMITS = { maxDepth: 512, maxNodes: 4_000_000, maxBytes: 64 * 1_048_576 }

/** Which calls are to be forgotten. */
export interface Forgetting {
  /**
   * Is what was kept of this decision to go? The reference of the yes that it rests on goes along.
   *
   * Called once for each decision receipt of the folder.
   */
  decision(receipt: Receipt): { readonly approval?: string } | undefined
  /** Is this question to a person to go, whether or not a receipt tells of it? */
  question(request: ApprovalRequest): boolean
}

/** What was found, and, unless it was only looked for, erased. */
export interface Erased {
  /** Requests with their arguments, from beside their receipts. */
  readonly requests: number
  /** Questions to people, which hold arguments too. */
  readonly questions: number
  /** What `claims.db` held of the arguments of calls that have ended: a digest without a salt, and an amount. */
  readonly claims: number
  /** Calls that have not ended, whose digest and amount `claims.db` still needs. */
  readonly running: number
  /** Files in which a reader that would not go left an older version of something erased. Never so when it was only looked for. */
  readonly unsettled: readonly string[]
  /** Files that a gate has open: what was in them is overwritten; they are rewritten whole when none has. */
  readonly inUse: readonly string[]
}

/**
 * Erases, for good, what a store's folder holds of calls beside their receipts. No receipt is touched, so everything still
 * verifies.
 *
 * What is erased is overwritten with zeros where it stood, the write-ahead logs are emptied, and each file that no gate has open is
 * written anew. Gates may go on meanwhile. Copies elsewhere are out of reach: backups, snapshots, spare blocks of the disk.
 * What failed half-way, or was cut off, is finished by the same again.
 *
 * @param look counts and erases nothing
 * @throws HoldpointError ERR_STORE
 */
export function eraseCalls(folder: string, forgetting: Forgetting, options: { readonly look?: boolean } = {}): Erased {
  try {
    return new Eraser(folder, forgetting, options.look === true).run()
  } catch (cause) {
    if (cause instanceof HoldpointError) throw cause
    const why = cause instanceof Error ? cause.message : 'the files cannot be written to'
    throw new HoldpointError('ERR_STORE', `erasing failed: ${why}`, { at: folder, cause })
  }
}

class Eraser {
  readonly #folder: string
  readonly #forgetting: Forgetting
  readonly #isLook: boolean
  /** Tool and arguments of what goes, as digests: questions about the same go too. */
  readonly #asked = new Set<string>()
  readonly #refs = new Set<string>()
  readonly #unsettled: string[] = []
  readonly #inUse: string[] = []
  #requests = 0
  #claims = 0
  #running = 0

  constructor(folder: string, forgetting: Forgetting, isLook: boolean) {
    this.#folder = folder
    this.#forgetting = forgetting
    this.#isLook = isLook
  }

  run(): Erased {
    const slots = slotsIn(this.#folder)
    const shared = existsSync(claimsPath(this.#folder)) ? openEraser(claimsPath(this.#folder), this.#folder) : undefined
    try {
      const kept = slots.map((slot) => ({ slot, rows: this.#find(slot, shared) }))
      const questions = shared === undefined ? 0 : this.#questions(shared)
      // Last: what is asked for is known by its request alone, so a run that was cut off is finished by the next one.
      for (const { slot, rows } of kept) this.#eraseRequests(slot, rows)
      if (shared !== undefined) this.#settle(shared, 'claims.db', slots)
      return {
        requests: this.#requests,
        questions,
        claims: this.#claims,
        running: this.#running,
        unsettled: this.#unsettled,
        inUse: this.#inUse,
      }
    } finally {
      shared?.close()
    }
  }

  /** Finds what goes of a slot: the rows whose requests are still there. What `claims.db` holds of those calls goes now. */
  #find(slot: number, shared: DatabaseSync | undefined): readonly number[] {
    const db = openEraser(this.#pathOf(slot), this.#folder)
    const kept: number[] = []
    try {
      const pages = db.prepare(
        `SELECT receipts.*, sidecars.request FROM receipts LEFT JOIN sidecars ON sidecars.receipt = receipts.id
         WHERE receipts.id > ? AND kind = 'decision' ORDER BY receipts.id LIMIT ${PAGE}`,
      )
      let page = pages.all(0)
      while (page.length > 0) {
        const going = page.filter((row) => this.#goes(row))
        for (const row of going) if (row['request'] !== null) kept.push(Number(row['id']))
        if (shared !== undefined) this.#forget(shared, going)
        page = pages.all(Number(page.at(-1)?.['id']))
      }
      this.#requests += kept.length
      return kept
    } finally {
      db.close()
    }
  }

  #eraseRequests(slot: number, rows: readonly number[]): void {
    if (this.#isLook) return
    const db = openEraser(this.#pathOf(slot), this.#folder)
    try {
      const erase = db.prepare('DELETE FROM sidecars WHERE receipt = ?')
      for (let from = 0; from < rows.length; from += PAGE) {
        const page = rows.slice(from, from + PAGE)
        written(db, () => page.forEach((row) => void erase.run(row)))
      }
      this.#settle(db, basename(this.#pathOf(slot)), [slot])
    } finally {
      db.close()
    }
  }

  #pathOf(slot: number): string {
    return join(this.#folder, `receipts-${slot}.db`)
  }

  #goes(row: Record<string, unknown>): boolean {
    const going = this.#forgetting.decision(receiptOf(row))
    if (going === undefined) return false
    if (going.approval !== undefined) this.#refs.add(going.approval)
    if (typeof row['request'] === 'string') this.#asked.add(askedIn(row['request']))
    return true
  }

  /**
   * INVARIANT I2: the key of a call that ran stays taken. Without its digest it is refused as a key that was used for something
   * else, which is as much a no.
   */
  #forget(shared: DatabaseSync, going: readonly Record<string, unknown>[]): void {
    const known = shared.prepare('SELECT status, input_digest, amount FROM claims WHERE decision = ?')
    const blank = shared.prepare(
      "UPDATE claims SET input_digest = '', amount = NULL WHERE decision = ? AND status <> 'claimed'",
    )
    const held = going.filter((row) => {
      const claim = known.get(String(row['hash']))
      if (claim?.['status'] === 'claimed') this.#running += 1
      else if (claim !== undefined && (claim['input_digest'] !== '' || claim['amount'] !== null)) return true
      return false
    })
    this.#claims += held.length
    if (!this.#isLook && held.length > 0)
      written(shared, () => held.forEach((row) => void blank.run(String(row['hash']))))
  }

  /** A question that is forgotten is never a yes. */
  #questions(shared: DatabaseSync): number {
    // A file that no process of this version has opened yet.
    const table = hasTable(shared, 'requests') ? 'requests' : 'approvals'
    const going: number[] = []
    for (const row of shared.prepare(`SELECT id, request FROM ${table}`).iterate()) {
      const request = JSON.parse(String(row['request'])) as ApprovalRequest
      if (!this.#isMeant(request)) continue
      going.push(Number(row['id']))
      for (const digest of askedBy(request)) this.#asked.add(digest)
    }
    const erase = shared.prepare(`DELETE FROM ${table} WHERE id = ?`)
    if (this.#isLook) return going.length
    written(shared, () => going.forEach((id) => void erase.run(id)))
    if (table === 'requests') this.#copies(shared)
    return going.length
  }

  #isMeant(request: ApprovalRequest): boolean {
    const isAsked = askedBy(request).some((digest) => this.#asked.has(digest))
    return isAsked || this.#refs.has(request.ref) || this.#forgetting.question(request)
  }

  /** What else holds what goes: later questions, which are compared with it, and people's own words. A no itself stays (I4). */
  #copies(shared: DatabaseSync): void {
    const compared: { readonly id: number; readonly request: string }[] = []
    for (const row of shared.prepare('SELECT id, request FROM requests').iterate()) {
      const { previousText, ...request } = JSON.parse(String(row['request'])) as ApprovalRequest
      if (previousText === undefined) continue
      if (!askedBy({ ...request, argumentsText: previousText }).some((digest) => this.#asked.has(digest))) continue
      compared.push({ id: Number(row['id']), request: JSON.stringify(request) })
    }
    const said: { readonly ref: string; readonly answered: string }[] = []
    for (const row of shared.prepare('SELECT ref, request, answered FROM answers').iterate()) {
      if (!this.#isMeant(JSON.parse(String(row['request'])) as ApprovalRequest)) continue
      const answers = JSON.parse(String(row['answered'])) as readonly ApprovalAnswer[]
      const answered = JSON.stringify(answers.map(({ reason: _, ...answer }) => ({ ...answer, statement: '' })))
      said.push({ ref: String(row['ref']), answered })
    }
    const compare = shared.prepare('UPDATE requests SET request = ? WHERE id = ?')
    const unsay = shared.prepare('UPDATE answers SET answered = ? WHERE ref = ?')
    written(shared, () => {
      for (const { id, request } of compared) compare.run(request, id)
      for (const { ref, answered } of said) unsay.run(answered, ref)
    })
  }

  /** Writes a file anew where no gate can have it, and empties its log: until then the file itself holds what was erased. */
  #settle(db: DatabaseSync, name: string, slots: readonly number[]): void {
    if (this.#isLook) return
    if (!withFreeSlots(this.#folder, slots, () => db.exec('VACUUM'))) this.#inUse.push(name)
    const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() ?? {}
    if (busy !== 0) this.#unsettled.push(name)
  }
}

/** One transaction, or nothing at all. */
function written(db: DatabaseSync, write: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    write()
    db.exec('COMMIT')
  } catch (cause) {
    db.exec('ROLLBACK')
    throw cause
  }
}

/** What a request asks for, as a digest: tool and arguments. */
function askedIn(text: string): string {
  const request = JSON.parse(text) as EvaluationRequest
  return asked(request.resource.id, canonicalText(request.context.arguments, LIMITS))
}

/** The same of a question, which shows more than the arguments where more goes to the tool. */
function askedBy({ tool, argumentsText }: ApprovalRequest): readonly string[] {
  const whole = asked(tool, argumentsText)
  if (!argumentsText.startsWith('{"arguments":')) return [whole]
  const shown = JSON.parse(argumentsText) as { readonly arguments: unknown }
  return [whole, asked(tool, canonicalText(shown.arguments, LIMITS))]
}

function asked(tool: string, argumentsText: string): string {
  return sha256(`${tool}\n${argumentsText}`)
}
