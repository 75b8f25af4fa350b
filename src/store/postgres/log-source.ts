import { encodeBase64url } from '../../bytes/base64url.ts'
import type { Arrival, Place, ReceiptSource } from '../../log/sequencer.ts'
import type { Queue } from '../in-time.ts'
import { arrivalOf, type DatedArrival, firstOf, payloadOf } from '../log-payload.ts'
import type { Reads } from './reads.ts'
import { quotedSchema } from './schema.ts'
import type { Session } from './session.ts'

/** Receipts of one slot in a page. */
const PAGE = 512
/** Receipts whose payloads are asked for at once. */
const AT_ONCE = 512

/** The receipts of a store, as the log takes them. A slot's rows appear in the order of their numbers: see `PostgresReader`. */
export function tableReceipts(reads: Reads, schema: string): ReceiptSource {
  const s = quotedSchema(schema)

  async function page(session: Session, slot: number, after: number): Promise<readonly DatedArrival[]> {
    const rows = await session.query(
      {
        text: `SELECT id::text AS number, hash, jws FROM ${s}.receipts WHERE slot = $1 AND id > $2 ORDER BY id LIMIT $3`,
      },
      [slot, after, PAGE],
    )
    return rows.map(({ number, hash, jws }) => arrivalOf({ slot, row: Number(number) }, { hash, jws }))
  }

  async function isStillThere(session: Session, slot: number, last: Pick<Arrival, 'row' | 'hash'>): Promise<boolean> {
    const [row] = await session.query({ text: `SELECT hash FROM ${s}.receipts WHERE slot = $1 AND id = $2` }, [
      slot,
      last.row,
    ])
    return row?.['hash'] === encodeBase64url(last.hash)
  }

  async function payloads(session: Session, places: readonly Place[]): Promise<readonly Uint8Array[]> {
    const rows = await session.query(
      {
        text: `SELECT jws FROM unnest($1::integer[], $2::bigint[]) WITH ORDINALITY AS asked (slot, id, place)
               LEFT JOIN ${s}.receipts USING (slot, id) ORDER BY place`,
      },
      [places.map(({ slot }) => slot), places.map(({ row }) => row)],
    )
    return places.map((place, index) => payloadOf(rows[index]?.['jws'], place))
  }

  return {
    newer: async (reached) =>
      await reads.read(async (session) => {
        const rows = await session.query({ text: `SELECT slot FROM ${s}.slots ORDER BY slot` })
        const slots = rows.map((row) => Number(row['slot']))
        const changed = [...reached.keys()].filter((slot) => !slots.includes(slot))
        const queues: Queue<DatedArrival>[] = []
        for (const slot of slots) {
          const last = reached.get(slot)
          const isKnown = last === undefined || (await isStillThere(session, slot, last))
          if (!isKnown) changed.push(slot)
          queues.push({ rows: await page(session, slot, isKnown ? (last?.row ?? 0) : 0), next: 0 })
        }
        return { arrivals: firstOf(queues, PAGE), changed }
      }),
    entries: async (places) => {
      const entries: Uint8Array[] = []
      for (let from = 0; from < places.length; from += AT_ONCE) {
        const some = places.slice(from, from + AT_ONCE)
        entries.push(...(await reads.read((session) => payloads(session, some))))
      }
      return entries
    },
  }
}
