import { HoldpointError } from '../../errors.ts'
import type { Receipt, Sidecar } from '../../types.ts'
import { inTime } from '../in-time.ts'
import { receiptOf } from '../receipt-row.ts'
import type { Cursor } from '../sqlite-reader.ts'
import { quotedSchema } from './schema.ts'
import { type Row, Session, type Source } from './session.ts'
import { unstorable } from './texts.ts'

const PAGE = 256
const LEAST_OF_SLOT = 16
const COLUMNS = 'id::text AS number, ref, hash, stream, seq::text AS seq, prev, kind, jws'

/**
 * Receipts of a store, to look at. Each answer is one short transaction on a connection of the pool, which is given back.
 *
 * A slot's rows are committed in the order of their numbers, because one connection at a time writes them, and each of its
 * transactions ends before the next begins. So no row ever appears before one that was read: numbers over all slots would not do.
 */
export class PostgresReader {
  readonly #source: Source
  readonly #deadlineMs: number
  readonly #s: string

  constructor(source: Source, terms: { readonly schema: string; readonly deadlineMs: number }) {
    this.#source = source
    this.#deadlineMs = terms.deadlineMs
    this.#s = quotedSchema(terms.schema)
  }

  async *receipts(): AsyncIterable<Receipt> {
    yield* inTime(await this.#slots(), (slot, after, most) => this.#page(slot, after, most))
  }

  async newer(cursor?: Cursor): Promise<{ readonly receipts: readonly Receipt[]; readonly cursor: Cursor }> {
    const reached = new Map(cursor)
    const receipts: Receipt[] = []
    const slots = await this.#slots()
    // Something of each slot, so that a busy one does not keep the others from being read.
    const most = Math.max(LEAST_OF_SLOT, Math.floor(PAGE / slots.length))
    for (const slot of slots) {
      const page = await this.#page(slot, reached.get(slot) ?? 0, most)
      receipts.push(...page.receipts)
      reached.set(slot, page.last)
    }
    return { receipts, cursor: reached }
  }

  async sidecar(receiptHash: string): Promise<Sidecar | undefined> {
    if (unstorable({ do: 'find', digest: receiptHash, now: 0 }) !== undefined) return undefined
    const [row] = await this.#rows(`SELECT salt, request FROM ${this.#s}.sidecars WHERE receipt = $1`, [receiptHash])
    return row === undefined ? undefined : { salt: String(row['salt']), request: String(row['request']) }
  }

  async overrideUses(id: string): Promise<number> {
    const [row] = await this.#rows(`SELECT uses::text AS uses FROM ${this.#s}.overrides WHERE id = $1`, [id])
    return Number(row?.['uses'] ?? 0)
  }

  async #slots(): Promise<readonly number[]> {
    const rows = await this.#rows(`SELECT slot FROM ${this.#s}.slots ORDER BY slot`, [])
    return rows.map((row) => Number(row['slot']))
  }

  async #page(
    slot: number,
    after: number,
    most: number,
  ): Promise<{ readonly receipts: readonly Receipt[]; readonly last: number }> {
    const rows = await this.#rows(
      `SELECT ${COLUMNS} FROM ${this.#s}.receipts WHERE slot = $1 AND id > $2 ORDER BY id LIMIT $3`,
      [slot, after, most],
    )
    return { receipts: rows.map(receiptOf), last: Number(rows.at(-1)?.['number'] ?? after) }
  }

  async #rows(text: string, values: unknown[]): Promise<readonly Row[]> {
    try {
      const session = await Session.open(await this.#source.pool(), this.#deadlineMs)
      try {
        return await session.transaction('read', () => session.query({ text }, values))
      } finally {
        session.end('give back')
      }
    } catch (cause) {
      if (cause instanceof HoldpointError) throw cause
      const why = cause instanceof Error ? cause.message : 'without a reason'
      throw new HoldpointError('ERR_STORE', `the store failed: ${why}`, { at: this.#source.place, cause })
    }
  }
}
