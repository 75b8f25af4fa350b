import type { Evidence } from '../types.ts'
import { plain } from './plain.ts'
import { meaningOfInflected } from './verbs.ts'

/** Anywhere in the text, whatever stands around it. */
const NO_WAY_BACK = /\b(?:permanently|irreversibl[ey]|(?:cannot|can't|can not) be undone|no undo)\b/i

/** Where a sentence, a line or a list item starts; a word; a digit, after which no word opens. */
const TOKEN = /(?<start>[.!?:;\n])|(?<word>\p{L}+)|\p{N}/gu

/** Verbs that open sentences about everything but the act: "Select a region first", "Accepts a list". */
const ALSO_ADVICE = new Set('accept accepts follow select set start join leave patch'.split(' '))

/**
 * What a description says its tool does: the verb that opens a sentence, and words for what cannot be taken back.
 *
 * INVARIANT I8: raises only, sentence by sentence, so that praise around a sentence takes nothing from it.
 * UNTRUSTED: the whole text is read, once per definition, in time linear in it; it is never quoted.
 */
export function fromDescription(description: string | undefined): readonly Evidence[] {
  if (description === undefined) return []
  const text = plain(description)
  const evidence = new Map<string, Evidence>()
  for (const word of openings(text)) {
    const meaning = meaningOfInflected(word)
    if (meaning === undefined || meaning.noun || meaning.argues === 'low' || ALSO_ADVICE.has(word)) continue
    const { argues, surface } = meaning
    evidence.set(word, {
      source: 'description',
      argues,
      surface,
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
  return [...evidence.values()]
}

/** The first word after each start, in lower case. */
function* openings(text: string): Generator<string> {
  let starts = true
  for (const { groups } of text.matchAll(TOKEN)) {
    if (starts && groups?.['word'] !== undefined) yield groups['word'].toLowerCase()
    starts = groups?.['start'] !== undefined
  }
}
