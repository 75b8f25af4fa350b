/** Finds and reads the policy files that a configuration names. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nearest } from '../bytes/nearest.ts'
import { configError } from './config-error.ts'
import { SHIPPED_POLICIES, type ShippedPolicy } from './schema.ts'

/** A policy text and the name that its errors carry. */
export interface PolicyFile {
  readonly path: string
  readonly text: string
}

/** The policy that holds when nobody wrote one. */
export const DEFAULT_POLICY: ShippedPolicy = 'ask/v1'

/**
 * Reads what `policies` names, relative to `folder`; each file once, in the order given, folders sorted by name.
 *
 * @param named as in `holdpoint.yaml`; absent means `policies/*.cedar` when there is that folder, else `ask/v1`. A folder of
 * test tables alone has no policies to read; one of anything else has lost or misnamed them
 * @param at where the list stands, for errors
 * @throws HoldpointError ERR_CONFIG when something named is missing, unreadable or holds no policy file
 */
export function readPolicyFiles(
  named: string | readonly string[] | undefined,
  folder: string,
  at: (index: number) => string,
): readonly PolicyFile[] {
  if (named === undefined) {
    const beside = join(folder, 'policies')
    if (!isFolder(beside) || holdsTablesAlone(beside)) return [readShipped(DEFAULT_POLICY)]
    return readFolder(beside, folder, at(0))
  }
  const files = new Map<string, PolicyFile>()
  for (const [index, name] of (typeof named === 'string' ? [named] : named).entries()) {
    for (const file of readNamed(name, folder, at(index))) files.set(file.path, file)
  }
  return [...files.values()]
}

/**
 * Where policies are read from, absolute, whether it exists or not: whoever writes there writes policies of the next start.
 *
 * @param named as in `holdpoint.yaml`; absent means the folder `policies` beside it
 * @returns files and folders; a last name with `*` stands for whatever it matches
 */
export function policyPlaces(named: string | readonly string[] | undefined, folder: string): readonly string[] {
  const places = [named ?? 'policies'].flat().filter((name) => !isShipped(name))
  return [...places.map((name) => placeOf(resolve(folder, name), folder)), dirname(shippedFile(DEFAULT_POLICY))]
}

/** A pattern's whole folder, unless that is where everything else of the program stands too. */
function placeOf(path: string, folder: string): string {
  const isPattern = basename(path).includes('*')
  const within = isPattern ? dirname(path) : path
  if (isInside(folder, within)) return isPattern ? path : join(within, '*.cedar')
  return within
}

function isInside(path: string, folder: string): boolean {
  const steps = relative(folder, path)
  return !steps.startsWith('..') && !isAbsolute(steps)
}

/** INVARIANT I4: an empty folder, or one of `mine.ceder`, is a mistake and not the default. */
function holdsTablesAlone(folder: string): boolean {
  const names = readdirSync(folder)
  return names.length > 0 && names.every((name) => name.endsWith('.test.yaml'))
}

function readNamed(name: string, folder: string, at: string): readonly PolicyFile[] {
  if (isShipped(name)) return [readShipped(name)]
  const path = resolve(folder, name)
  if (basename(path).includes('*')) return readPattern(path, folder, at)
  if (isFolder(path)) return readFolder(path, folder, at)
  return [readOne(path, folder, at)]
}

function readFolder(path: string, folder: string, at: string): readonly PolicyFile[] {
  return readPattern(join(path, '*.cedar'), folder, at)
}

function readPattern(pattern: string, folder: string, at: string): readonly PolicyFile[] {
  const within = dirname(pattern)
  if (within.includes('*')) fail(at, 'a pattern may have "*" in the file name only, not in a folder')
  const [first = '', ...rest] = basename(pattern).split('*')
  const matches = (name: string): boolean => {
    let from = first.length
    if (!name.startsWith(first)) return false
    for (const [index, piece] of rest.entries()) {
      const last = index === rest.length - 1
      const found = last ? name.length - piece.length : name.indexOf(piece, from)
      if (found < from || !name.startsWith(piece, found)) return false
      from = found + piece.length
    }
    return true
  }
  const names = isFolder(within) ? readdirSync(within).filter(matches).sort() : []
  if (names.length === 0) {
    fail(
      at,
      `no policy file matches ${shown(pattern, folder)}; add one, or name a shipped policy, such as policies: ask/v1`,
    )
  }
  return names.map((name) => readOne(join(within, name), folder, at))
}

function readOne(path: string, folder: string, at: string): PolicyFile {
  const shownPath = shown(path, folder)
  try {
    return { path: shownPath, text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)) }
  } catch (error) {
    if (error instanceof TypeError) return fail(at, `${shownPath} is not UTF-8 text`)
    const guess = nearest(shownPath, SHIPPED_POLICIES)
    const hint = guess === undefined ? '' : `; did you mean "${guess}"?`
    return fail(
      at,
      `cannot read the policy file ${shownPath} (${(error as { code?: string }).code ?? 'failed'})${hint}`,
    )
  }
}

/** Reads a policy of the package. Its errors carry the name: `ask/v1:12`. */
function readShipped(name: ShippedPolicy): PolicyFile {
  const path = shippedFile(name)
  if (isFile(path)) return { path: name, text: readFileSync(path, 'utf8') }
  return fail(name, `the policy ${name} is missing from the installed package; install holdpoint again`)
}

/** From `src/config` the package's root is two folders up, from `dist/src/config` three. */
function shippedFile(name: ShippedPolicy): string {
  const file = `policies/${name.slice(0, name.indexOf('/'))}.cedar`
  const near = fileURLToPath(new URL(`../../${file}`, import.meta.url))
  return isFile(near) ? near : fileURLToPath(new URL(`../../../${file}`, import.meta.url))
}

function isShipped(name: string): name is ShippedPolicy {
  return SHIPPED_POLICIES.some((shipped) => shipped === name)
}

function fail(at: string, message: string): never {
  throw configError(at, message)
}

function shown(path: string, folder: string): string {
  const within = relative(folder, path)
  return within.startsWith('..') || isAbsolute(within) ? path : within
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
