import type { Evidence } from '../types.ts'
import { ONLY_ASCII_TEXT } from './plain.ts'

/** What is no Latin letter, and what is seldom in a text that somebody reads. */
const UNREAD = /[^\p{Script=Latin}\P{L}]/gu
const CONTROL = /(?![\t\n\r])\p{Cc}/u
const MOST_UNREAD = 8

/** Small words of other languages with Latin letters, none of them English, and those of English. */
const OTHERS =
  /\b(?:de|la|el|los|las|del|una|uno|por|que|le|les|du|et|une|dans|pour|sur|avec|aux|der|das|und|dem|ein|eine|mit|von|zu|auf|nicht|gli|che|nao|uma|os|com|het|een|voor)\b/giu
const ENGLISH = /\b(?:the|a|an|of|to|and|for|in|with|by|is|are|from|this|that|or|on|it|as|be|if|not|your|you)\b/giu
const MOST_OTHERS = 3

/**
 * A description in another language says acts that are not read here, so it is no reason for calm: `high` in other
 * letters or with control characters, `medium` where a sentence holds several small words of another language, and more
 * than English ones.
 *
 * INVARIANT I8: raises only. Letters are counted over the whole and words by sentence, so that English praise beside
 * them takes nothing away.
 *
 * @param text the description as it came; @param read the same as a lenient reader takes it
 */
export function fromLanguage(text: string, read: string): Evidence | undefined {
  if (!ONLY_ASCII_TEXT.test(text)) {
    if (CONTROL.test(text)) return said('high', 'control characters')
    if ((read.match(UNREAD)?.length ?? 0) >= MOST_UNREAD) return said('high', 'letters that are not read')
  }
  const isOther = count(read, OTHERS) >= MOST_OTHERS && read.split(/[.!?\n]/).some(speaksAnother)
  return isOther ? said('medium', 'words of another language') : undefined
}

function speaksAnother(sentence: string): boolean {
  const others = count(sentence, OTHERS)
  return others >= MOST_OTHERS && others > count(sentence, ENGLISH)
}

function count(text: string, words: RegExp): number {
  return text.match(words)?.length ?? 0
}

function said(argues: 'medium' | 'high', what: string): Evidence {
  return { source: 'description', argues, at: what, because: `the description has ${what}` }
}
