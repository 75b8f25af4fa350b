import { isObject } from '../bytes/json.ts'
import type { RedactOutput } from '../bytes/obligation.ts'
import { pathOf } from '../bytes/pointer.ts'
import type { Json } from '../types.ts'

/** What stands in the place of a result of which the hidden parts could not be told from the rest. */
export const WITHHELD =
  'holdpoint withheld this result: the tool ran, but its result has not the form in which parts of it could be removed, as policy requires.'

/**
 * What may be shown of a tool's result. Where a path does not fit the result, all of it is withheld: what should be hidden could
 * then be anywhere in it. UNTRUSTED: the result may be anything at all. Never throws.
 */
export function reveal(result: unknown, owed: readonly RedactOutput[]): unknown {
  if (owed.length === 0 || result === undefined) return result
  try {
    const text = JSON.stringify(result)
    if (text === undefined) return WITHHELD
    let shown: Json = JSON.parse(text)
    for (const redaction of owed)
      for (const path of redaction.paths) shown = redacted(shown, pathOf(path), redaction.with)
    return shown
  } catch {
    return WITHHELD
  }
}

class Misfit extends Error {}

/** @throws Misfit where the path leads through something that is no object or list, or through a member that is not there */
function redacted(value: Json, path: readonly string[], instead: Json): Json {
  const [step, ...rest] = path
  if (step === undefined) return instead
  // There is nothing in it that could be seen.
  if (value === null) return value
  if (Array.isArray(value)) {
    if (step !== '*' && !/^(?:0|[1-9][0-9]*)$/.test(step)) throw new Misfit()
    return value.map((one, index) => (step === '*' || Number(step) === index ? redacted(one, rest, instead) : one))
  }
  if (!isObject(value)) throw new Misfit()
  if (step !== '*' && !Object.hasOwn(value, step)) {
    if (rest.length === 0) return value
    throw new Misfit()
  }
  // `fromEntries` defines members, so one that is called `__proto__` stays a member.
  const members = Object.entries(value).map(([name, inside]): readonly [string, Json] => [
    name,
    step === '*' || name === step ? redacted(inside, rest, instead) : inside,
  ])
  return Object.fromEntries(members)
}
