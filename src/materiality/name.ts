import type { Evidence } from '../types.ts'
import { asksFor, readsPurely } from './asks.ts'
import { actsOf } from './phrase.ts'

const SECRETS = new Set('password passwords secret secrets credential credentials apikey apikeys'.split(' '))
const SESSIONS = new Set(['cookie', 'cookies'])
/** Looking for secrets that should not be there hands none out. */
const HUNTS = new Set(['scan', 'scanning', 'scanner', 'detection'])

/**
 * What the words of a tool's name argue. The only evidence that may argue `low`, since somebody must say that a tool
 * reads; every word that acts still counts beside one that reads.
 */
export function fromName(words: readonly string[]): readonly Evidence[] {
  const asked = asksFor(words)
  const evidence = asked === undefined || isBareAct(words) ? actsOf(words) : [asked]
  const secret = secretIn(words)
  return secret === undefined ? evidence : [...evidence, secret]
}

/** Does the name hold a verb that reads? What such a tool lets one choose then says which things are asked for. */
export function hasReadingVerb(words: readonly string[]): boolean {
  return words.some(readsPurely)
}

/** A name of one word that is an act, whatever else it could be: `log` logs. */
function isBareAct(words: readonly string[]): boolean {
  return words.length === 1 && actsOf(words).length > 0
}

const VARIABLES = new Set('var vars variable variables'.split(' '))

/** `get_env`, `list_environment_variables`: programs are handed their keys there. */
function environmentIn(words: readonly string[]): string | undefined {
  const at = words.findIndex((word, index) => {
    const next = words[index + 1]
    return (word === 'env' && next === undefined) || (/^env(?:ironment)?$/.test(word) && VARIABLES.has(next ?? ''))
  })
  return words[at]
}

function secretIn(words: readonly string[]): Evidence | undefined {
  const environment = environmentIn(words)
  if (environment !== undefined) {
    const because = 'the name speaks of the variables that a program runs with'
    return { source: 'name', argues: 'high', surface: 'credentials', at: environment, because }
  }
  const at = words.findIndex((word) => SECRETS.has(word) || SESSIONS.has(word))
  const word = words[at]
  if (word === undefined || HUNTS.has(words[at + 1] ?? '')) return undefined
  const argues = SECRETS.has(word) ? 'high' : 'medium'
  return { source: 'name', argues, surface: 'credentials', at: word, because: `the name speaks of a ${word}` }
}
