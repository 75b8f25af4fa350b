import { isRequirement } from '../bytes/requirement.ts'
import { shown } from '../bytes/shown.ts'
import type { Decision, Json, JsonObject, Obligation } from '../types.ts'
import { WrongAnswer } from './absent.ts'

/**
 * Reading the JSON of a policy service member by member. It was parsed strictly, so its objects hold plain data under names
 * that reach no prototype.
 */

const LONGEST_SENTENCE = 512
const LONGEST_NAME = 256
const MOST_ITEMS = 1_000

/** The error for an answer of the wrong shape. */
export function misshapen(found: string): WrongAnswer {
  return new WrongAnswer('malformed', found)
}

/** @throws WrongAnswer unless it is an object, with no other members than these if any are given */
export function objectIn(json: Json | undefined, what: string, members?: readonly string[]): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw misshapen(`${what} is not an object`)
  const object = json as JsonObject
  const stranger = members === undefined ? undefined : Object.keys(object).find((name) => !members.includes(name))
  if (stranger !== undefined) throw misshapen(`${what} has an unknown member`)
  return object
}

/** @throws WrongAnswer unless it is a list of bounded length */
export function listIn(json: Json | undefined, what: string): readonly Json[] {
  if (!Array.isArray(json) || json.length > MOST_ITEMS) throw misshapen(`${what} is not a list of a decent length`)
  return json
}

/** @throws WrongAnswer unless it is text that is not empty */
export function textIn(json: Json | undefined, what: string): string {
  if (typeof json !== 'string' || json === '') throw misshapen(`${what} is not a text`)
  return json
}

/** @throws WrongAnswer unless it is the name of something, given as one line of bounded length. UNTRUSTED. */
export function nameIn(json: Json | undefined, what: string): string {
  return shown(textIn(json, what), LONGEST_NAME)
}

/** `undefined` stays so. */
export function optional<T>(json: Json | undefined, read: (json: Json) => T): T | undefined {
  return json === undefined ? undefined : read(json)
}

/** INVARIANT I4: `true` or `false`, literally; `"true"`, `1` and `[true]` are no decisions. */
export function verdictIn(json: Json | undefined): boolean {
  if (json === true) return true
  if (json === false) return false
  throw misshapen('"decision" is neither true nor false')
}

/** Obligations as the AuthZEN profile writes them: `[{id, type, properties}]`, all of them required. */
export function obligationsIn(json: Json): readonly Obligation[] {
  return listIn(json, '"obligations"').map((item) => {
    const { id, type, properties } = objectIn(item, 'an obligation', ['id', 'type', 'properties'])
    return {
      id: textIn(id, 'the id of an obligation'),
      type: textIn(type, 'the type of an obligation'),
      properties: objectIn(properties, 'the properties of an obligation'),
    }
  })
}

/** `confirmation` or `approval:<role>`. */
export function requirementIn(json: Json): string {
  if (typeof json === 'string' && isRequirement(json)) return json
  throw misshapen('"requires" is neither confirmation nor approval:<role>')
}

/** A reason as one line for the model and the person. UNTRUSTED. */
export function sentenceIn(json: Json): string | undefined {
  const text = typeof json === 'string' ? json : firstText(json)
  return text === undefined || text.trim() === '' ? undefined : shown(text, LONGEST_SENTENCE)
}

/** AuthZEN's example of a reason: texts by code, `{"403": "…"}`. */
function firstText(json: Json): string | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  return Object.values(json).find((value): value is string => typeof value === 'string')
}

export function permit(determining: readonly string[], obligations: readonly Obligation[] = []): Decision {
  return { kind: 'permit', obligations, determining, errors: [] }
}

export function deny(determining: readonly string[], sentence?: string): Decision {
  return { kind: 'deny', ...(sentence === undefined ? {} : { sentence }), determining, errors: [] }
}

export function requestable(determining: readonly string[], requires: string, sentence?: string): Decision {
  const said = sentence === undefined ? {} : { sentence }
  return { kind: 'silence', cause: { kind: 'requestable', requires }, ...said, determining, errors: [] }
}

export function noPermit(): Decision {
  return { kind: 'silence', cause: { kind: 'no_permit' }, determining: [], errors: [] }
}

/** The policies could not be evaluated for this call. */
export function policyError(detail: string): Decision {
  return { kind: 'silence', cause: { kind: 'wrong', fault: 'policy_error', detail }, determining: [], errors: [] }
}
