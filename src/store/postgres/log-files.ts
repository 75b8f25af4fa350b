import { systemCodeOf } from '../../bytes/system-code.ts'
import { HoldpointError } from '../../errors.ts'
import type { TileStorage } from '../../log/ports.ts'
import { beginningOf, PARTIAL, PARTIAL_TILES_KEPT, partialsBetween } from '../log-partials.ts'
import type { LogHolder } from './log-holder.ts'
import type { Reads } from './reads.ts'
import { quotedSchema } from './schema.ts'
import type { Row, Session } from './session.ts'

/** Behind every path below a folder of partial tiles, and before any other: the sign after the slash. */
const BEHIND_SLASH = '0'
const FOLDERS_AT_ONCE = 256
/** A SQLSTATE. */
const UNDEFINED_TABLE = '42P01'

/** The log's static files, which are rows here: so the next holder has them, whichever machine it is on. */
export function tableFiles(reads: Reads, schema: string): Pick<TileStorage, 'read'> {
  const s = quotedSchema(schema)

  async function fileAt(path: string): Promise<Uint8Array | undefined> {
    const [row] = await reads
      .read((session) =>
        session.query({ text: `SELECT encode(bytes, 'hex') AS bytes FROM ${s}.log_files WHERE path = $1` }, [path]),
      )
      .catch(nothingYet)
    return row === undefined ? undefined : Uint8Array.from(Buffer.from(String(row['bytes']), 'hex'))
  }

  return {
    read: async (path) => {
      const bytes = await fileAt(path)
      const [, whole, width] = PARTIAL.exec(path) ?? []
      if (bytes !== undefined || whole === undefined) return bytes
      // A partial tile that was tidied away is the beginning of every wider one.
      const wider = (
        await reads.read((session) => session.query(below(s), [...bounds(`${whole}.p`)])).catch(nothingYet)
      )
        .map((row) => widthOf(String(row['path'])))
        .filter((one) => one > Number(width))
      const found = wider.length === 0 ? undefined : await fileAt(`${whole}.p/${Math.min(...wider)}`)
      return found === undefined ? undefined : beginningOf(found, Number(width), path.startsWith('tile/entries/'))
    },
  }
}

/** The same, with its holder's pen. */
export function heldFiles(
  holder: LogHolder,
  schema: string,
): TileStorage & { tidy(from: number, to: number): Promise<void> } {
  const s = quotedSchema(schema)
  return {
    ...tableFiles(holder, schema),
    write: async (path, bytes) => {
      await holder.write((session) =>
        session.query(
          {
            text: `INSERT INTO ${s}.log_files (path, bytes) VALUES ($1, decode($2, 'hex'))
                   ON CONFLICT (path) DO UPDATE SET bytes = excluded.bytes`,
          },
          [path, Buffer.from(bytes).toString('hex')],
        ),
      )
    },
    tidy: async (from, to) => {
      const all = [...partialsBetween(from, to)]
      for (let first = 0; first < all.length; first += FOLDERS_AT_ONCE) {
        const folders = all.slice(first, first + FOLDERS_AT_ONCE)
        await holder.write((session) => tidied(session, s, folders))
      }
    },
  }
}

/** Nobody has begun a log where it has no tables. */
function nothingYet(error: unknown): readonly Row[] {
  if (error instanceof HoldpointError && systemCodeOf(error.cause) === UNDEFINED_TABLE) return []
  throw error
}

async function tidied(
  session: Session,
  s: string,
  folders: readonly { readonly partial: string; readonly isFull: boolean }[],
): Promise<void> {
  const rows = await session.query(
    {
      text: `SELECT folder, path FROM unnest($1::text[]) AS asked (folder)
             JOIN ${s}.log_files ON path > folder || '/' AND path < folder || '${BEHIND_SLASH}'`,
    },
    [folders.map(({ partial }) => partial)],
  )
  const going = folders.flatMap(({ partial, isFull }) => {
    const paths = rows.filter((row) => row['folder'] === partial).map((row) => String(row['path']))
    return isFull ? paths : paths.sort((a, b) => widthOf(b) - widthOf(a)).slice(PARTIAL_TILES_KEPT)
  })
  if (going.length > 0)
    await session.query({ text: `DELETE FROM ${s}.log_files WHERE path = ANY ($1::text[])` }, [going])
}

function below(s: string): { readonly text: string } {
  return { text: `SELECT path FROM ${s}.log_files WHERE path > $1 AND path < $2` }
}

function bounds(folder: string): readonly [string, string] {
  return [`${folder}/`, `${folder}${BEHIND_SLASH}`]
}

function widthOf(path: string): number {
  return Number(path.slice(path.lastIndexOf('/') + 1))
}
