import { isQuorum, isRequirement } from '../bytes/requirement.ts'
import type { Decision, Json, JsonObject, Obligation, SilenceCause } from '../types.ts'

const MOST_ITEMS = 1_000
const MOST_DEPTH = 16
const LONGEST_TEXT = 4_096

/** Own data members of one answer, copied once. What the answer does afterwards is of no interest. */
type Members = ReadonlyMap<string, unknown>

/** Leaves the reader: the answer is not one. */
class Malformed extends Error {}

/**
 * Reads what a policy decision point in this process returned. The result is a fresh copy of exactly the shapes of
 * {@link Decision}; anything else (a member too many, an accessor, a class, a string, a promise, an object that throws
 * when looked at) is a wrong answer.
 *
 * INVARIANT I4: only a literal permit becomes a permit. Every property is read once, as data, so an answer cannot be one
 * thing when it is checked and another when it is used. Never throws.
 *
 * @param value UNTRUSTED
 */
export function readAnswer(value: unknown): Decision {
  try {
    return readDecision(membersOf(value))
  } catch (cause) {
    return malformed(cause instanceof Malformed ? cause.message : 'the answer could not be read')
  }
}

/** The decision for an answer that is none. */
export function malformed(detail: string): Decision {
  return { kind: 'silence', cause: { kind: 'wrong', fault: 'malformed', detail }, determining: [], errors: [] }
}

function readDecision(members: Members): Decision {
  const kind = members.get('kind')
  const grounds = { determining: readIds(members.get('determining')), errors: readIds(members.get('errors')) }
  switch (kind) {
    case 'permit':
      only(members, ['kind', 'determining', 'errors', 'obligations'])
      return { kind, obligations: readList(members.get('obligations')).map(readObligation), ...grounds }
    case 'deny':
      only(members, ['kind', 'determining', 'errors', 'sentence'])
      return { kind, ...readSentence(members), ...grounds }
    case 'silence':
      only(members, ['kind', 'determining', 'errors', 'sentence', 'cause'])
      return { kind, cause: readCause(membersOf(members.get('cause'))), ...readSentence(members), ...grounds }
    default:
      throw new Malformed('the answer is neither permit, deny nor silence')
  }
}

function readCause(members: Members): SilenceCause {
  const kind = members.get('kind')
  switch (kind) {
    case 'no_permit':
      only(members, ['kind'])
      return { kind }
    case 'requestable': {
      only(members, ['kind', 'requires', 'quorum', 'obligations'])
      const requires = readText(members.get('requires'))
      if (!isRequirement(requires)) throw new Malformed('"requires" is neither confirmation nor approval:<role>')
      return { kind, requires, ...readQuorum(members, requires), ...readOwed(members) }
    }
    case 'absent': {
      only(members, ['kind', 'fault', 'retryAfterMs'])
      const fault = members.get('fault')
      if (fault === 'timeout' || fault === 'unavailable' || fault === 'circuit_open')
        return { kind, fault, ...readDuration(members) }
      throw new Malformed('an absence of an unknown kind')
    }
    case 'wrong': {
      only(members, ['kind', 'fault', 'detail'])
      const fault = members.get('fault')
      const detail = readText(members.get('detail'))
      switch (fault) {
        case 'policy_error':
        case 'malformed':
        case 'misconfigured':
        case 'stalled':
        case 'stale':
        case 'isolated':
        case 'unusable_policy':
          return { kind, fault, detail }
        default:
          throw new Malformed('a fault of an unknown kind')
      }
    }
    default:
      throw new Malformed('a silence without a known cause')
  }
}

function readQuorum(members: Members, requires: string): { readonly quorum?: number } {
  if (!members.has('quorum')) return {}
  const quorum = members.get('quorum')
  if (typeof quorum === 'number' && isQuorum(quorum, requires)) return { quorum }
  throw new Malformed('"quorum" is no number of persons that may be asked')
}

function readOwed(members: Members): { readonly obligations?: readonly Obligation[] } {
  if (!members.has('obligations')) return {}
  return { obligations: readList(members.get('obligations')).map(readObligation) }
}

function readDuration(members: Members): { readonly retryAfterMs?: number } {
  if (!members.has('retryAfterMs')) return {}
  const retryAfterMs = members.get('retryAfterMs')
  if (typeof retryAfterMs === 'number' && retryAfterMs >= 0 && Number.isFinite(retryAfterMs)) return { retryAfterMs }
  throw new Malformed('a duration was expected')
}

function readObligation(value: unknown): Obligation {
  const members = membersOf(value)
  only(members, ['id', 'type', 'properties'])
  const properties = readJson(members.get('properties'), 0)
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) {
    throw new Malformed('the properties of an obligation are not an object')
  }
  return { id: readText(members.get('id')), type: readText(members.get('type')), properties: properties as JsonObject }
}

function readJson(value: unknown, depth: number): Json {
  if (depth > MOST_DEPTH) throw new Malformed('an obligation is nested too deeply')
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return readText(value)
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) return readList(value).map((item) => readJson(item, depth + 1))
  return Object.fromEntries([...membersOf(value)].map(([name, member]) => [name, readJson(member, depth + 1)]))
}

function readSentence(members: Members): { readonly sentence?: string } {
  return members.has('sentence') ? { sentence: readText(members.get('sentence')) } : {}
}

function readIds(value: unknown): readonly string[] {
  return readList(value).map(readText)
}

function readText(value: unknown): string {
  if (typeof value !== 'string') throw new Malformed('text was expected')
  if (value.length > LONGEST_TEXT) throw new Malformed('a text is too long')
  return value
}

/** The elements of a dense array of data, each read once. */
function readList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Malformed('a list was expected')
  const lengthBefore: unknown = Object.getOwnPropertyDescriptor(value, 'length')?.value
  if (typeof lengthBefore !== 'number' || lengthBefore > MOST_ITEMS) throw new Malformed('a list is too long')
  return Array.from({ length: lengthBefore }, (_, index) =>
    dataOf(Object.getOwnPropertyDescriptor(value, String(index))),
  )
}

/** The members of a plain object: own, enumerable data under text keys. */
function membersOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed('an object was expected')
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw new Malformed('a plain object was expected')
  const keys = Reflect.ownKeys(value)
  if (keys.length > MOST_ITEMS) throw new Malformed('an object has too many members')
  const members = new Map<string, unknown>()
  for (const key of keys) {
    if (typeof key !== 'string') throw new Malformed('a symbol is no member')
    members.set(key, dataOf(Object.getOwnPropertyDescriptor(value, key)))
  }
  return members
}

function dataOf(descriptor: PropertyDescriptor | undefined): unknown {
  if (descriptor === undefined || !('value' in descriptor) || descriptor.enumerable !== true) {
    throw new Malformed('a member is not plain data')
  }
  return descriptor.value
}

function only(members: Members, known: readonly string[]): void {
  for (const name of members.keys()) if (!known.includes(name)) throw new Malformed('the answer has an unknown member')
}
