import type { Receipt, Sidecar } from '../../types.ts'
import { inTime } from '../in-time.ts'
import { receiptOf } from '../receipt-row.ts'
import type { Kept } from '../sqlite-messages.ts'
import type { Cursor } from '../sqlite-reader.ts'
import type { Reads } from './reads.ts'
import { quotedSchema } from './schema.ts'
import type { Row } from './session.ts'
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
  readonly #reads: Reads
  readonly #s: string

  constructor(reads: Reads, schema: string) {
    this.#reads = reads
    this.#s = quotedSchema(schema)
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

  /** Receipts by their hashes, in that order, with what stands beside them; those that are here. */
  async kept(hashes: readonly string[]): Promise<readonly Kept[]> {
    const rows = await this.#rows(
      `SELECT ${COLUMNS}, salt, request FROM unnest($1::text[]) WITH ORDINALITY AS asked (wanted, place)
       JOIN ${this.#s}.receipts ON receipts.hash = asked.wanted
       LEFT JOIN ${this.#s}.sidecars ON sidecars.receipt = receipts.hash ORDER BY place`,
      [hashes.filter((hash) => unstorable({ do: 'find', digest: hash, now: 0 }) === undefined)],
    )
    return rows.map((row) => {
      const { salt, request } = row
      const receipt = receiptOf(row)
      return typeof salt === 'string' && typeof request === 'string'
        ? { receipt, sidecar: { salt, request } }
        : { receipt }
    })
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
    return await this.#reads.read((session) => session.query({ text }, values))
  }
}
