/** Finds the trace that somebody names. */
import { statSync } from 'node:fs'
import { traceOfConversation } from '../../receipt/lineage.ts'
import { UnusableInput } from '../exit.ts'
import { readerOf, type StoreAt } from '../receipts.ts'
import type { Terminal } from '../terminal.ts'
import { namingKey } from '../trust.ts'
import { findByReference } from '../why.ts'
import { traceOf } from './traced.ts'

const TRACE_ID = /^[0-9a-f]{32}$/
const RECEIPT_ID = /^r_[0-9a-z]{4,26}$/

/** Which trace somebody means; `undefined` where nothing is known of what they named. */
export async function traceNamed(
  id: string,
  about: {
    readonly path: StoreAt
    readonly conversation?: boolean
    readonly config?: string | undefined
    readonly tokens: () => AsyncIterable<string>
    readonly terminal: Terminal
  },
): Promise<string | undefined> {
  const { path, conversation, config, tokens, terminal } = about
  if (conversation === true) return traceOfConversation(namingKey(config), id)
  if (TRACE_ID.test(id)) return id
  if (id.startsWith('hp_')) return await traceBehind(id, path, terminal)
  if (!RECEIPT_ID.test(id)) {
    throw new UnusableInput(
      `"${id}" is no receipt (r_…), trace (32 hexadecimal digits) or reference (hp_…); with --conversation it can be a conversation`,
    )
  }
  const found = await traceOf(tokens, id)
  if (found === undefined || found.trace !== undefined) return found?.trace
  throw new UnusableInput(`${found.receipt} (${found.kind}) belongs to no trace`)
}

/** The trace of the call that waits, or waited, for a person. */
async function traceBehind(ref: string, path: StoreAt, terminal: Terminal): Promise<string | undefined> {
  if (typeof path === 'string' && statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UnusableInput(
      `references (hp_…) stand in a store, not in an export: name a receipt or a trace of ${path}`,
    )
  }
  const reader = readerOf(path)
  try {
    return (await findByReference(reader, ref, terminal))?.claims.trace
  } finally {
    await reader.close()
  }
}
