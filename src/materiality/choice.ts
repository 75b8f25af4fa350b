import { wordsOf } from '../bytes/words.ts'
import type { Evidence } from '../types.ts'
import { actsOf } from './phrase.ts'
import { outranks } from './rank.ts'

const LONGEST_CHOICE = 64

/** What a chosen action says that does more than read, read as a name is: the word of it that weighs most. */
export function actChosen(text: string): Evidence | undefined {
  if (text.length > LONGEST_CHOICE) return undefined
  let most: Evidence | undefined
  // Twice, since `deleteAll` has two words and `dELETE` is one.
  for (const piece of [...actsOf(wordsOf(text)), ...actsOf(wordsOf(text.toLowerCase()))]) {
    if (outranks(piece.argues, most?.argues ?? 'low')) most = piece
  }
  return most
}
