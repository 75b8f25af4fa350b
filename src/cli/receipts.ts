/** Reading receipts for people: what one says, and where many come from. */
import { createReadStream, statSync } from 'node:fs'
import { connectionOf, type PostgresStorePlace } from '../config/state-folder.ts'
import type { DecisionClaims } from '../receipt/claims.ts'
import { postgresStore } from '../store/postgres/store.ts'
import { hasStore, openReader, type StoreReader } from '../store/sqlite-reader.ts'
import type { Receipt } from '../types.ts'
import { MOST_LINE_BYTES } from '../verify/bundle-text.ts'
import { homely, type Situation } from './context.ts'
import { UnusableInput } from './exit.ts'

/** Longest line of an export that is read, bytes. */
const LONGEST_LINE = 256 * 1024

/** Receipts to read: what is at a path, or a store in PostgreSQL as it is configured. */
export type StoreAt = string | PostgresStorePlace

/** @throws UnusableInput when the configured store keeps nothing */
export function storeOf({ places: { store } }: Situation): StoreAt {
  if (store.kind === 'memory')
    throw new UnusableInput('the configured store is "memory": it keeps nothing that another process could read')
  return store.kind === 'folder' ? store.folder : store
}

/** Where receipts are, for people. Never with a password. */
export function shown(at: StoreAt): string {
  return typeof at === 'string' ? homely(at) : `PostgreSQL (${at.connectionEnv}), schema ${at.schema}`
}

/** A decision receipt with what it says. */
export interface DecisionReceipt {
  readonly receipt: Receipt
  readonly claims: DecisionClaims
}

/** `server/tool`, as a decision receipt names it. */
export function toolOf(claims: DecisionClaims): string {
  return `${claims.tool.server}/${claims.tool.name}`
}

/**
 * The receipts of an export (one JWS a line) or of a store folder, one string each, with bounded memory.
 *
 * @throws UnusableInput when the path is missing
 */
export function tokensAt(path: StoreAt): AsyncIterable<string> {
  if (typeof path !== 'string') return tokensOf(path)
  const about = statSync(path, { throwIfNoEntry: false })
  if (about === undefined) throw new UnusableInput(`${path} does not exist`)
  return about.isDirectory() ? tokensOf(path) : linesOf(path)
}

/**
 * The lines of a bundle, as they stand in the file; `undefined` where the path is something else.
 *
 * @throws UnusableInput when the path is missing
 */
export async function bundleAt(path: StoreAt): Promise<AsyncIterable<string> | undefined> {
  if (typeof path !== 'string') return undefined
  const about = statSync(path, { throwIfNoEntry: false })
  if (about === undefined) throw new UnusableInput(`${path} does not exist`)
  if (about.isDirectory()) return undefined
  for await (const line of rawLinesOf(path)) return line.trimStart().startsWith('{') ? rawLinesOf(path) : undefined
  return undefined
}

/** @throws UnusableInput when there is no store in the folder */
export function readerOf(folder: StoreAt): StoreReader {
  if (typeof folder !== 'string') return postgresStore(connectionOf(folder, process.env))
  if (!hasStore(folder)) {
    throw new UnusableInput(`there is no store at ${folder}: nothing has been decided there yet`)
  }
  return openReader(folder)
}

async function* tokensOf(folder: StoreAt): AsyncGenerator<string> {
  const reader = readerOf(folder)
  try {
    for await (const receipt of reader.receipts()) yield receipt.jws
  } finally {
    await reader.close()
  }
}

// UNTRUSTED: a bundle is a stranger's file. A line that is longer than any is given up as it is, for the reader to refuse.
async function* rawLinesOf(path: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
    if (rest.length > MOST_LINE_BYTES) break
  }
  if (rest !== '') yield rest
}

// UNTRUSTED: an export is a stranger's file; a line without end must not fill the memory.
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = ''
  let number = 1
  for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.trim() !== '') yield line.trim()
      number += 1
    }
    if (rest.length > LONGEST_LINE) {
      throw new UnusableInput(`line ${number} of ${path} is longer than 256 KiB: not an export of receipts`)
    }
  }
  if (rest.trim() !== '') yield rest.trim()
}
