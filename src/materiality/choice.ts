import { wordsOf } from '../bytes/words.ts'
import type { Evidence } from '../types.ts'
import { actsOf } from './phrase.ts'
import { outranks } from './rank.ts'

/** How much of a choice is read, in characters. */
const LONGEST_CHOICE = 1_024

/** What a chosen action says that does more than read, read as a name is: the word of it that weighs most. */
export function actChosen(text: string): Evidence | undefined {
  const read = text.slice(0, LONGEST_CHOICE)
  let most: Evidence | undefined
  // Twice, since `deleteAll` has two words and `dELETE` is one.
  for (const piece of [...actsOf(wordsOf(read)), ...actsOf(wordsOf(read.toLowerCase()))]) {
    if (outranks(piece.argues, most?.argues ?? 'low')) most = piece
  }
  return most
}

const TAKES_AWAY = new Set(
  'delete remove destroy wipe erase drop purge truncate shred unlink terminate exec execute execdir'.split(' '),
)
/** With these beside it, the name still says nothing else. */
const HOW_MUCH = new Set('all everything force recursive after before during excluded'.split(' '))

/** Does a name or a flag ask for no less than that: `delete: true`, `-delete`, `--purge-all`? `drop_duplicates` asks for less. */
export function asksToTakeAway(name: string): boolean {
  const words = wordsOf(name)
  return words.some((word) => TAKES_AWAY.has(word)) && words.every((word) => TAKES_AWAY.has(word) || HOW_MUCH.has(word))
}
