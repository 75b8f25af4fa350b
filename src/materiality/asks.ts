import type { Evidence, Surface } from '../types.ts'
import { askedBy, isAsking, isCompound, isCounted, isCountedPlural, isPlural } from './findings.ts'
import { mainPhraseOf, meantBy } from './phrase.ts'
import { isThingBefore, thingOf } from './things.ts'
import { baseOf, meaningOf } from './verbs.ts'

/**
 * What a name without a verb asks for: it ends in a noun for what can only be looked at (`order_status`), in a plural
 * (`console_messages`), says which of many (`current_user`), or what becomes of what (`csv_to_json`). No word of it may be
 * an act. Nothing but the name may say so: who rewrites a description lowers nothing.
 */
export function asksFor(words: readonly string[]): Evidence | undefined {
  if (words.some((word, at) => meantBy(word, at, words)?.noun === false)) return undefined
  const said = formOf(words) ?? headOf(withoutTail(mainPhraseOf(words)))
  if (said === undefined) return undefined
  return { source: 'name', argues: 'low', surface: 'read', at: said, because: `the name asks for "${said}"` }
}

/** What is put behind names of any kind: `get_status_tool`, `statusV2`. */
const TAIL = /^(?:tool|api|endpoint|mcp|v\d+)$/

function withoutTail(words: readonly string[]): readonly string[] {
  const end = words.findLastIndex((word) => !TAIL.test(word))
  return words.slice(0, end + 1)
}

/** What a text, a number or a picture can be turned into, without anything else being changed. */
const FORMS = new Set(
  (
    'array ascii base64 binary celsius csv decimal fahrenheit hex hsl html image json kelvin markdown md number octal ' +
    'rgb speech string text toml unicode unix utc words xml yaml'
  ).split(' '),
)

const SOURCES = new Set(
  'address audio code color colour currency date document docx file image page pdf url video webpage'.split(' '),
)

/** `html_to_markdown`: a thing is turned into a form of it. */
function formOf(words: readonly string[]): string | undefined {
  const to = words.lastIndexOf('to')
  const form = words[to + 1] ?? ''
  const isAll = to > 0 && to === words.length - 2 && FORMS.has(form)
  const source = words[to - 1] ?? ''
  return isAll && (FORMS.has(source) || SOURCES.has(source)) ? form : undefined
}

function headOf(words: readonly string[]): string | undefined {
  const head = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  return asks(before, head) ? head : undefined
}

function asks(before: readonly string[], head: string): boolean {
  const nearest = before.at(-1)
  if (isCompound(nearest, head)) return before.slice(0, -1).every((word) => !mayAct(word))
  const acts = before.filter(mayAct)
  const kind =
    askedBy(head, nearest) ?? (isReader(head, before) ? 'finding' : isListed(head, before) ? 'listed' : undefined)
  return kind !== undefined && acts.every((word) => isThingBefore(word, kind))
}

/** Verbs that are in no list mostly end like one. Nouns that do are few, and a name with one stays high. */
const LIKE_A_VERB = /.{3}(?:ize|ise|ate)$/
const NO_VERBS = new Set(
  'candidate certificate climate coordinate corporate enterprise exercise expertise private real template'.split(' '),
)

function mayAct(word: string): boolean {
  if (isAsking(word)) return false
  return meaningOf(word) !== undefined || (LIKE_A_VERB.test(word) && !NO_VERBS.has(word))
}

/** What weighs when it is changed, and is looked at every day. */
const LISTED_LIGHTLY = new Set<Surface>(['identity', 'infrastructure'])

/**
 * A plural asks for a list, and so does one of many where it is said which. Not verbs in the third person, and not the
 * plural of what is handed out, paid or sent (`keys`, `payouts`, `emails`), unless it is said which (`recent_emails`).
 */
function isListed(head: string, before: readonly string[]): boolean {
  if (isCountedPlural(head)) return true
  if (isCounted(head)) return before.some(isAsking)
  if (!isPlural(head)) return false
  const base = baseOf(head)
  const isNoun = base === undefined || (before.length > 0 && isHarmlessNoun(base))
  const surface = thingOf(head)?.surface
  if (isNoun && (surface === undefined || LISTED_LIGHTLY.has(surface))) return true
  return surface !== 'credentials' && isAsking(before.at(-1) ?? '')
}

/** `links`, `offers`: acts that are nouns as well, and reach nobody. */
function isHarmlessNoun(word: string): boolean {
  const meaning = meaningOf(word)
  return meaning?.noun === true && (meaning.surface === 'unknown' || meaning.surface === 'internal-write')
}

/** A verb that reads and nothing else. */
export function readsPurely(word: string): boolean {
  const meaning = meaningOf(word)
  return meaning?.noun === false && meaning.argues === 'low'
}

/** People, to whom something could be done. */
const PEOPLE = new Set(['finder', 'learner', 'listener', 'reader', 'viewer'])

/** Doers of a verb that reads, who are sent to do more: an interpreter runs what it reads. */
const DO_MORE = new Set(['explorer', 'helper', 'interpreter', 'solver'])

/** `checker`, `validator`: a verb that reads, as its doer. */
function isReader(word: string, before: readonly string[]): boolean {
  if (DO_MORE.has(word) || (PEOPLE.has(word) && before.length < 2)) return false
  const verb = /^(?<verb>.{3,})(?:er|or)$/.exec(word)?.groups?.['verb']
  return verb !== undefined && (readsPurely(verb) || readsPurely(`${verb}e`))
}
