import type { Evidence } from '../types.ts'
import { outranks } from './rank.ts'
import { phrasalSenseOf, senseOf } from './senses.ts'
import { type Thing, thingOf } from './things.ts'
import { type Meaning, meaningOf } from './verbs.ts'

const JOINING = new Set(['and', 'or', 'then'])
const PREPOSITIONS = new Set('to from for in into on onto of by with as at via per between until since'.split(' '))
/** Verbs that speak of another act without doing it. */
const REHEARSES = new Set('preview simulate validate explain estimate is can has predict'.split(' '))
/** Behind "preview", these make a place to work in, where acts are real. */
const PLACES = new Set(
  'environment environments env app apps deployment deployments site server instance branch db channel mode build'.split(
    ' ',
  ),
)
/** A word in front of these is part of a thing: a merge request, an add-on. */
const MAKES_A_THING = new Set('request requests on ons'.split(' '))

/**
 * What the words of an imperative phrase say is done, one piece for each word that acts. Words that are also nouns
 * (`order`, `log`) count where no verb stands beside them, or behind "and".
 */
export function actsOf(words: readonly string[]): readonly Evidence[] {
  const meant = words.map((word, at) => meantBy(word, at, words))
  const hasVerb = meant.some((meaning, at) => meaning !== undefined && isVerb(meaning, at))
  const evidence: Evidence[] = []
  for (const [at, word] of words.entries()) {
    const meaning = meant[at]
    if (meaning === undefined || isRehearsed(at, words)) continue
    if (!isVerb(meaning, at) && !isJoined(at, words) && (hasVerb || isQuietNoun(word, at))) continue
    evidence.push(said(word, meaning, weightyObjectOf(at, meaning, words)))
  }
  return evidence
}

/** The words up to the first preposition: what the rest of a name is about. */
export function mainPhraseOf(words: readonly string[]): readonly string[] {
  const end = words.findIndex((word, at) => PREPOSITIONS.has(word) && words[at + 1] !== 'sale')
  return end === -1 ? words : words.slice(0, end)
}

/** What a word says is done where it stands: its own meaning, or the one that the words beside it give it. */
export function meantBy(word: string, at: number, words: readonly string[]): Meaning | undefined {
  const next = words[at + 1] ?? ''
  if (at > 0 && MAKES_A_THING.has(next)) return undefined
  return phrasalSenseOf(word, next) ?? senseOf(word, () => objectsOf(at, words)) ?? meaningOf(word)
}

/** In front, `watch` and `match` are verbs. */
function isVerb({ noun, argues }: Meaning, at: number): boolean {
  return !noun || (at === 0 && argues === 'low')
}

/** Light acts that are mostly things behind other words: there they say neither what is done nor that nothing is. */
const QUIET = new Set('branch cache commit index log queue record request store test'.split(' '))

function isQuietNoun(word: string, at: number): boolean {
  return at > 0 && QUIET.has(word)
}

function isJoined(at: number, words: readonly string[]): boolean {
  return JOINING.has(words[at - 1] ?? '')
}

/** Behind a verb that only speaks of acts, up to an "and". */
function isRehearsed(at: number, words: readonly string[]): boolean {
  const before = words.slice(0, at)
  if (before.some((word) => JOINING.has(word))) return false
  return before.some(
    (word, index) => REHEARSES.has(word) && !(word === 'preview' && PLACES.has(words[index + 1] ?? '')),
  )
}

interface Weighty extends Thing {
  readonly word: string
}

function weightyObjectOf(at: number, { argues }: Meaning, words: readonly string[]): Weighty | undefined {
  if (!outranks(argues, 'low')) return undefined
  for (const word of objectsOf(at, words)) {
    const thing = thingOf(word)
    if (thing !== undefined) return { ...thing, word }
  }
  return undefined
}

/** The words behind the verb up to a preposition, or past one that follows at once; and the word right before it. */
function objectsOf(at: number, words: readonly string[]): readonly string[] {
  const behind = words.slice(at + 1)
  const phrase = mainPhraseOf(PREPOSITIONS.has(behind[0] ?? '') ? behind.slice(1) : behind)
  return [...phrase, ...words.slice(Math.max(0, at - 1), at)]
}

function said(word: string, { argues, surface }: Meaning, object: Weighty | undefined): Evidence {
  if (object === undefined) return { source: 'name', argues, surface, at: word, because: `the name says "${word}"` }
  const because = `the name says "${word}" of "${object.word}"`
  return { source: 'name', argues: object.argues, surface: object.surface, at: word, because }
}
