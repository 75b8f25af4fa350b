import type { Arrival, LogLedger, Reached, SignedHead } from '../../log/sequencer.ts'
import type { TreeHead } from '../../log/tiles.ts'
import type { LogIndex } from '../log-fsck.ts'
import type { LogHolder } from './log-holder.ts'
import type { Reads } from './reads.ts'
import { quotedSchema } from './schema.ts'
import type { Row } from './session.ts'

/** A head, with its numbers as text and its bytes in hexadecimal: what comes back does not depend on how `pg` reads types. */
const HEAD = "size::text AS size, encode(root, 'hex') AS root, note, at::text AS at"

/** The log's index, for whoever looks at it. */
export class PostgresLogIndex implements LogIndex {
  readonly name = 'the index'
  readonly remedy = ''
  protected readonly s: string
  readonly #reads: Reads

  constructor(reads: Reads, schema: string) {
    this.#reads = reads
    this.s = quotedSchema(schema)
  }

  async checkpoints(): Promise<readonly SignedHead[]> {
    const rows = await this.rows(`SELECT ${HEAD} FROM ${this.s}.log_checkpoints ORDER BY log_checkpoints.size`, [])
    return rows.map(headOf)
  }

  /** How many receipts the store has: those with a leaf, and those behind them. */
  async receipts(): Promise<number> {
    const [row] = await this.rows(
      `SELECT ((SELECT coalesce(max(leaf) + 1, 0) FROM ${this.s}.log_leaves) + (
         SELECT count(*) FROM ${this.s}.slots LEFT JOIN ${this.s}.log_reached USING (slot)
         JOIN ${this.s}.receipts ON receipts.slot = slots.slot AND receipts.id > coalesce(log_reached.id, 0)
       ))::text AS receipts`,
      [],
    )
    return Number(row?.['receipts'])
  }

  async leaves(from: number, most: number): Promise<readonly Arrival[]> {
    const rows = await this.rows(
      `SELECT encode(hash, 'hex') AS hash, slot, id::text AS id FROM ${this.s}.log_leaves WHERE leaf >= $1 ORDER BY leaf LIMIT $2`,
      [from, most],
    )
    return rows.map((row) => ({ hash: bytesOf(row['hash']), slot: Number(row['slot']), row: Number(row['id']) }))
  }

  protected async rows(text: string, values: unknown[]): Promise<readonly Row[]> {
    return await this.#reads.read((session) => session.query({ text }, values))
  }
}

/** The log's index, for its holder. */
export class PostgresLogLedger extends PostgresLogIndex implements LogLedger {
  readonly #holder: LogHolder

  constructor(holder: LogHolder, schema: string) {
    super(holder, schema)
    this.#holder = holder
  }

  async head(): Promise<SignedHead | undefined> {
    const [row] = await this.rows(
      `SELECT ${HEAD} FROM ${this.s}.log_checkpoints ORDER BY log_checkpoints.size DESC LIMIT 1`,
      [],
    )
    return row === undefined ? undefined : headOf(row)
  }

  async checkpoint(size: number): Promise<SignedHead | undefined> {
    const [row] = await this.rows(`SELECT ${HEAD} FROM ${this.s}.log_checkpoints WHERE size = $1`, [size])
    return row === undefined ? undefined : headOf(row)
  }

  async reached(): Promise<Reached> {
    const rows = await this.rows(
      `SELECT slot, id::text AS id, encode(hash, 'hex') AS hash FROM ${this.s}.log_reached`,
      [],
    )
    return new Map(rows.map((row) => [Number(row['slot']), { row: Number(row['id']), hash: bytesOf(row['hash']) }]))
  }

  async enter(arrivals: readonly Arrival[]): Promise<number> {
    const given = arrivals.map(({ hash, slot, row }, place) => ({ place, hash: hexOf(hash), slot, id: row }))
    // The last of each slot.
    const reached = [...new Map(given.map((one) => [one.slot, one])).values()]
    const rows = '(place integer, hash text, slot integer, id bigint)'
    return await this.#holder.write(async (session) => {
      const [entered] = await session.query(
        {
          text: `WITH fresh AS MATERIALIZED (
                   SELECT decode(given.hash, 'hex') AS hash, slot, id, row_number() OVER (ORDER BY place) - 1 AS nth
                   FROM json_to_recordset($1::json) AS given ${rows}
                   WHERE NOT EXISTS (SELECT FROM ${this.s}.log_leaves WHERE log_leaves.hash = decode(given.hash, 'hex'))
                 ), entered AS (
                   INSERT INTO ${this.s}.log_leaves (leaf, hash, slot, id)
                   SELECT (SELECT coalesce(max(leaf) + 1, 0) FROM ${this.s}.log_leaves) + nth, hash, slot, id FROM fresh
                   RETURNING leaf
                 )
                 SELECT count(*)::text AS entered FROM entered`,
        },
        [JSON.stringify(given)],
      )
      await session.query(
        {
          text: `INSERT INTO ${this.s}.log_reached (slot, id, hash)
                 SELECT slot, id, decode(hash, 'hex') FROM json_to_recordset($1::json) AS given ${rows}
                 ON CONFLICT (slot) DO UPDATE SET id = excluded.id, hash = excluded.hash`,
        },
        [JSON.stringify(reached)],
      )
      return Number(entered?.['entered'])
    })
  }

  /** INVARIANT I6: compared and swapped by the database, whoever else believes to hold the lease. */
  async record(next: SignedHead, known: TreeHead | undefined): Promise<boolean> {
    return await this.#holder.write(async (session) => {
      const swapped = await session.query(
        {
          text: `UPDATE ${this.s}.log SET size = $1::bigint, root = decode($2, 'hex')
                 WHERE size = $3::bigint AND root IS NOT DISTINCT FROM decode($4, 'hex') AND size < $1::bigint RETURNING 1`,
        },
        [next.size, hexOf(next.root), known?.size ?? 0, known === undefined ? null : hexOf(known.root)],
      )
      if (swapped.length === 0) return false
      await session.query(
        { text: `INSERT INTO ${this.s}.log_checkpoints (size, root, note, at) VALUES ($1, decode($2, 'hex'), $3, $4)` },
        [next.size, hexOf(next.root), next.note, Math.floor(next.at)],
      )
      return true
    })
  }

  async cosign({ size, root, note }: SignedHead): Promise<void> {
    await this.#holder.write((session) =>
      session.query(
        { text: `UPDATE ${this.s}.log_checkpoints SET note = $1 WHERE size = $2 AND root = decode($3, 'hex')` },
        [note, size, hexOf(root)],
      ),
    )
  }
}

function headOf(row: Row): SignedHead {
  return {
    size: Number(row['size']),
    root: bytesOf(row['root']),
    note: String(row['note']),
    at: Number(row['at']),
  }
}

function bytesOf(hex: unknown): Uint8Array {
  return Uint8Array.from(Buffer.from(String(hex), 'hex'))
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
