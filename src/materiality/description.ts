import type { Evidence } from '../types.ts'
import { meaningOfInflected } from './verbs.ts'

/** Anywhere in the text, whatever stands around it. */
const NO_WAY_BACK = /\b(?:permanently|irreversibl[ey]|(?:cannot|can't|can not) be undone|no undo)\b/i

/** Where a sentence, a line or a list item starts, and its first word. */
const OPENING = /(?:^|[.!?:;\n])[^\p{L}\p{N}]*(\p{L}+)/gu

/** Verbs that open sentences about everything but the act: "Select a region first", "Accepts a list". */
const ALSO_ADVICE = new Set('accept accepts follow select set start join leave patch'.split(' '))

/** Characters that are not seen and can split a word: zero-width, bidirectional and other format characters. */
const UNSEEN = /\p{Cf}/gu

/**
 * What a description says its tool does: the verb that opens a sentence, and words for what cannot be taken back.
 *
 * INVARIANT I8: raises only, sentence by sentence, so that praise around a sentence takes nothing from it.
 * UNTRUSTED: the whole text is read, once per definition, in time linear in it; it is never quoted.
 */
export function fromDescription(description: string | undefined): readonly Evidence[] {
  if (description === undefined) return []
  const text = description.replace(UNSEEN, '').normalize('NFKC')
  const evidence = new Map<string, Evidence>()
  for (const [, opening = ''] of text.matchAll(OPENING)) {
    const word = opening.toLowerCase()
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
