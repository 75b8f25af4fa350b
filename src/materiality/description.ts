import type { Evidence } from '../types.ts'
import { fromLanguage } from './language.ts'
import { plain } from './plain.ts'
import { senseOf } from './senses.ts'
import { baseOf, type Meaning, meaningOf } from './verbs.ts'

/** Anywhere in the text, whatever stands around it. */
const NO_WAY_BACK = /\b(?:permanently|irreversibl[ey]|(?:cannot|can't|can not) be undone|no undo)\b/i

/** A word that opens something: the text, a sentence, a line, an item, or what goes on behind "and". Behind a digit none does. */
const OPENING = /(?:^|[.!?:;\n]|\b(?<on>and|then|also)(?!\p{L}))[^\p{L}\p{N}.!?:;\n]*(?<word>\p{L}+)/giu
const GOES_ON = new Set(['and', 'then', 'also'])
/** What stands behind a verb, and not behind a noun: "and updates them", but "and updates on releases". */
const OBJECTS = new Set('it them the a an all any each every this that these those its their your'.split(' '))

/** Verbs that open sentences about everything but the act: "Select a region first", "Accepts a list". */
const ALSO_ADVICE = new Set('accept follow select set start join leave force open'.split(' '))
/** Verbs for how an answer comes about, which changes nothing. */
const MAKES_AN_ANSWER = new Set('generate render compose compile collect annotate'.split(' '))

/** What is run word for word: beside these, "runs" is the act and no noun. */
const RUNNABLE = new Set(
  'bash code command commands javascript powershell program python script scripts shell snippet'.split(' '),
)
const RUNS: Meaning = { argues: 'high', surface: 'code-execution', noun: false }

/** Acts that only read when this is what they act on, in the words right behind them. */
const HARMLESS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['execute', new Set(['query', 'queries', 'search', 'searches', 'aggregation'])],
  ['evaluate', new Set(['expression', 'expressions', 'formula', 'formulas', 'math'])],
])
const NEAR = 5

/**
 * What a description says its tool does: the verb that opens a sentence, a line or an item, and words for what cannot be
 * taken back.
 *
 * INVARIANT I8: raises only, sentence by sentence, so that praise around a sentence takes nothing from it.
 * UNTRUSTED: the whole text is read, once per definition, in time linear in it; it is never quoted.
 */
export function fromDescription(description: string | undefined): readonly Evidence[] {
  if (description === undefined) return []
  const text = plain(description)
  const evidence = new Map<string, Evidence>()
  for (const opening of openings(text)) {
    const { word } = opening
    const meaning = meaningIn(opening)
    if (meaning === undefined) continue
    evidence.set(word, {
      source: 'description',
      argues: meaning.argues,
      surface: meaning.surface,
      at: word,
      because: `the description says that it "${word}"`,
    })
  }
  const final = NO_WAY_BACK.exec(text)?.[0].toLowerCase()
  if (final !== undefined) {
    evidence.set(final, {
      source: 'description',
      argues: 'high',
      at: final,
      because: `the description says "${final}"`,
    })
  }
  const language = fromLanguage(description, text)
  if (language !== undefined) evidence.set(language.at, language)
  return [...evidence.values()]
}

function meaningIn({ word, goesOn, behind }: Opening): Meaning | undefined {
  const base = baseOf(word)
  if (base === 'run' && !goesOn && behind().some((each) => RUNNABLE.has(each))) return RUNS
  const meaning = base === undefined ? undefined : meaningOf(base)
  if (
    base === undefined ||
    meaning === undefined ||
    meaning.noun ||
    meaning.surface === 'unknown' ||
    ALSO_ADVICE.has(base) ||
    MAKES_AN_ANSWER.has(base)
  ) {
    return undefined
  }
  if (goesOn && (base === word || !OBJECTS.has(behind()[0] ?? ''))) return undefined
  const harmless = HARMLESS.get(base)
  if (harmless !== undefined && !behind().includes('sql') && behind().some((each) => harmless.has(each))) {
    return undefined
  }
  const said = senseOf(base, behind) ?? meaning
  return said.argues === 'low' ? undefined : said
}

interface Opening {
  readonly word: string
  /** It goes on behind "and", where nouns stand as well as verbs. */
  readonly goesOn: boolean
  readonly behind: () => readonly string[]
}

/** The first word of the text, of each sentence, line and item, and behind each "and", in lower case. */
function* openings(text: string): Generator<Opening> {
  OPENING.lastIndex = 0
  for (let match = OPENING.exec(text); match !== null; match = OPENING.exec(text)) {
    const { on, word = '' } = match.groups ?? {}
    const at = OPENING.lastIndex
    yield { word: word.toLowerCase(), goesOn: on !== undefined, behind: () => wordsBehind(text, at) }
    OPENING.lastIndex = GOES_ON.has(word.toLowerCase()) ? at - word.length : at
  }
}

const LONGEST_PHRASE = 80

function wordsBehind(text: string, from: number): readonly string[] {
  const [phrase = ''] = text.slice(from, from + LONGEST_PHRASE).split(/[.!?:;\n]/, 1)
  return phrase
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter(Boolean)
    .slice(0, NEAR)
}
