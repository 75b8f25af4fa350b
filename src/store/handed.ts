import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseStrict } from '../bytes/strict-json.ts'
import { systemCodeOf } from '../bytes/system-code.ts'
import { createDurably, replaceDurably } from '../files/durable.ts'

/**
 * A call that a process permitted and handed to a program that runs it: that process ends first, and another one hears how the call
 * went. A file for each, in a folder beside the receipts.
 */
export interface HandedCall {
  /** `hash` of the decision receipt. */
  readonly decision: string
  readonly callKey: string
  readonly trace: string
  /** When it was permitted, ms since epoch. */
  readonly at: number
  /** Until when somebody may still say how it went, ms since epoch. */
  readonly until: number
  /** The arguments that were handed over; absent where nobody can say any more, as in what a version wrote that kept none. */
  readonly given?: Given
  /** It has ended; what is kept then is that it had been permitted. */
  readonly ended: boolean
}

/** Arguments as nobody reads them again: a digest, salted, since amounts and names can be guessed. */
export interface Given {
  readonly salt: string
  readonly digest: string
}

const MOST_AHEAD_MS = 24 * 60 * 60_000

/** What cannot be read in here holds back nothing: its call ends as `unknown`, and nobody is believed about it. */
const NAME = /^[A-Za-z0-9_-]{43}\.json$/

function folderOf(store: string): string {
  return join(store, 'handed')
}

/**
 * @param name names the call among all that are handed over: a digest in base64url
 * @throws Error of the file system
 */
export function writeHanded(store: string, name: string, call: HandedCall): void {
  mkdirSync(folderOf(store), { recursive: true, mode: 0o700 })
  replaceDurably(join(folderOf(store), `${name}.json`), JSON.stringify(call))
}

/**
 * Whoever is first may say how a call went; whoever comes later, at the same time from another process too, may not.
 *
 * @throws Error of the file system
 */
export function takeHanded(store: string, name: string): boolean {
  return createDurably(takenPath(store, name), '')
}

/** Nobody was told of the call after all. What cannot be removed is refused later, because the store knows how its call ended. */
export function dropHanded(store: string, name: string): void {
  try {
    rmSync(join(folderOf(store), `${name}.json`), { force: true })
  } catch {
    // Whoever drops it has something worse to tell.
  }
}

export function readHanded(store: string, name: string): HandedCall | undefined {
  try {
    return handedCall(readFileSync(join(folderOf(store), `${name}.json`)))
  } catch {
    return undefined
  }
}

/** Nobody may say any more how it went. A clock that was ahead by more than a day keeps no call open until it has come so far. */
export function isOver({ at, until }: HandedCall, now: number): boolean {
  return until <= now || at > now + MOST_AHEAD_MS
}

/** The decisions of calls that somebody may still say something about. Removes what is over. */
export function stillHanded(store: string, now: number): ReadonlySet<string> {
  const running = new Set<string>()
  for (const file of filesIn(folderOf(store))) {
    const name = file.slice(0, -'.json'.length)
    const call = readHanded(store, name)
    if (call === undefined) continue
    if (!isOver(call, now)) {
      if (!call.ended) running.add(call.decision)
      continue
    }
    rmSync(join(folderOf(store), file), { force: true })
    rmSync(takenPath(store, name), { force: true })
  }
  return running
}

function takenPath(store: string, name: string): string {
  return join(folderOf(store), `${name}.taken`)
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => NAME.test(name))
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return []
    throw cause
  }
}

function handedCall(bytes: Uint8Array): HandedCall | undefined {
  const value = parseStrict(bytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { decision, callKey, trace, at, until, ended, given } = value as { readonly [member: string]: unknown }
  if (typeof decision !== 'string' || typeof callKey !== 'string' || typeof trace !== 'string') return undefined
  if (typeof at !== 'number' || typeof until !== 'number' || typeof ended !== 'boolean') return undefined
  const read = givenIn(given)
  return { decision, callKey, trace, at, until, ended, ...(read === undefined ? {} : { given: read }) }
}

function givenIn(value: unknown): Given | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { salt, digest } = value as { readonly [member: string]: unknown }
  return typeof salt === 'string' && typeof digest === 'string' ? { salt, digest } : undefined
}
