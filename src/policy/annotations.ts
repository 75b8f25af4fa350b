import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { nearest } from '../bytes/nearest.ts'
import { readObligation as readOwed } from '../bytes/obligation.ts'
import { isQuorum, isRequirement, MOST_PERSONS } from '../bytes/requirement.ts'
import type { JsonObject, Obligation } from '../types.ts'
import { blankLiterals } from './source.ts'
import { ANNOTATIONS, type Disclosure } from './vocabulary.ts'

/** Makes the error for a place in the policy's text. */
type Fail = (within: number, message: string) => Error

/** What a policy's annotations say. */
export interface Annotated {
  readonly id: string
  readonly requires: string | undefined
  /** How many different persons must say that yes. */
  readonly quorum: number
  readonly refusal: string | undefined
  readonly obligation: Obligation | undefined
  readonly disclose: Disclosure
}

const ID = /^[A-Za-z0-9][A-Za-z0-9_.\-/]{0,127}$/
const OBLIGATION = /^([a-z][a-z0-9_-]{0,63})(?::([\s\S]*))?$/
const LONGEST_SENTENCE = 512

/**
 * Reads the annotations of one policy. Cedar ignores annotations that it does not know; a `@require` that is silently
 * ignored would turn a permit that waits for a person into one that does not, so here an unknown one is an error.
 *
 * - `@id("refund-cap")`: mandatory, unique in the set
 * - `@requires("confirmation")`, `@requires("approval:finance")`: on a permit, it counts only with that yes; on a forbid, that
 *   yes lifts it, which the forbid's own conditions must say as well
 * - `@quorum("2")`: beside `@requires("approval:<role>")`; so many different persons in the role, 1 unless said
 * - `@refusal("Refunds above 500 EUR need approval from finance.")`: one sentence
 * - `@obligation("notify")`, `@obligation("notify:{\"to\":\"finance\"}")`: a type, and properties as a JSON object; permits only
 * - `@disclose("model" | "person" | "none")`: who may see the value that broke the rule; `model` unless said
 */
export function readAnnotations(json: PolicyJson, text: string, fail: Fail): Annotated {
  const annotations = new Map<string, string | null>(Object.entries(json.annotations ?? {}))
  const at = (name: string): number => Math.max(0, blankLiterals(text).search(new RegExp(`@\\s*${name}\\b`)))
  const refuse = (name: string, message: string): Error => fail(at(name), `@${name} ${message}`)

  for (const name of annotations.keys()) {
    if (ANNOTATIONS.has(name)) continue
    const guess = nearest(name, ANNOTATIONS)
    throw fail(at(name), `unknown annotation @${name}; ${hint(guess, [...ANNOTATIONS])}`)
  }

  const id = annotations.get('id')
  if (id === undefined) throw fail(0, 'the policy has no @id("…"): receipts and refusals name policies by it')
  if (id === null || !ID.test(id)) throw refuse('id', 'must be letters, digits, "_", ".", "-" and "/", at most 128')

  const given = (name: string): string | undefined =>
    annotations.has(name) ? (annotations.get(name) ?? '') : undefined
  const requires = given('requires')
  if (requires !== undefined && !isRequirement(requires)) {
    throw refuse('requires', `must be "confirmation" or "approval:<role>", not "${requires}"`)
  }

  const persons = given('quorum')
  if (persons !== undefined && (requires === undefined || requires === 'confirmation')) {
    throw refuse('quorum', 'belongs beside @requires("approval:<role>"): anything else is one person\u2019s')
  }
  const quorum = persons === undefined ? 1 : Number(persons)
  if (persons !== undefined && !(/^[0-9]{1,2}$/.test(persons) && isQuorum(quorum, requires ?? ''))) {
    throw refuse('quorum', `must be a number of persons from 1 to ${MOST_PERSONS}, not "${persons}"`)
  }

  const refusal = annotations.get('refusal')
  if (refusal === null || refusal === '' || (refusal?.length ?? 0) > LONGEST_SENTENCE) {
    throw refuse('refusal', `must be a sentence of at most ${LONGEST_SENTENCE} characters`)
  }

  const disclose = annotations.get('disclose') ?? (annotations.has('disclose') ? '' : 'model')
  if (disclose !== 'model' && disclose !== 'person' && disclose !== 'none') {
    throw refuse('disclose', 'must be "model", "person" or "none"')
  }

  const obliged = given('obligation')
  if (obliged !== undefined && json.effect !== 'permit') {
    throw refuse('obligation', 'belongs on a permit: nothing is done for a call that does not run')
  }
  const obligation = obliged === undefined ? undefined : readObligation(id, obliged)
  if (obliged !== undefined && obligation === undefined) {
    throw refuse('obligation', 'must be a type such as "notify", or "notify:{…}" with a JSON object of properties')
  }
  if (obligation !== undefined) {
    const read = readOwed(obligation)
    if (read.kind === 'unusable') throw refuse('obligation', `("${obligation.type}") ${read.because}`)
  }
  return { id, requires, quorum, refusal, obligation, disclose }
}

function readObligation(id: string, text: string): Obligation | undefined {
  const [, type, properties = '{}'] = OBLIGATION.exec(text) ?? []
  if (type === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(properties)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
    return { id, type, properties: parsed as JsonObject }
  } catch {
    return undefined
  }
}

/** `did you mean "x"?`, or what there is. */
export function hint(guess: string | undefined, known: readonly string[]): string {
  return guess === undefined ? `known: ${known.join(', ')}` : `did you mean "${guess}"?`
}
