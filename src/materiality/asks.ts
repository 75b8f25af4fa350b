import type { Evidence } from '../types.ts'
import { mainPhraseOf } from './phrase.ts'
import { isAsking, isCounted, isFinding, isListed, isMostlyThing } from './things.ts'
import { meaningOf } from './verbs.ts'

/**
 * What a name without a verb asks for: it ends in a noun for what can only be looked at (`order_status`), in the plural
 * of what systems have many of (`console_messages`), or says which of many (`current_user`). Nothing but the name may
 * say so: who rewrites a description lowers nothing.
 */
export function asksFor(words: readonly string[]): Evidence | undefined {
  if (words.some((word) => meaningOf(word)?.noun === false)) return undefined
  const phrase = withoutTail(mainPhraseOf(words))
  const head = phrase.at(-1) ?? ''
  if (!asks(phrase.slice(0, -1), head)) return undefined
  return { source: 'name', argues: 'low', surface: 'read', at: head, because: `the name asks for "${head}"` }
}

/** What is put behind names of any kind: `get_status_tool`, `statusV2`. */
const TAIL = /^(?:tool|api|endpoint|mcp|v\d+)$/

function withoutTail(words: readonly string[]): readonly string[] {
  const end = words.findLastIndex((word) => !TAIL.test(word))
  return words.slice(0, end + 1)
}

function asks(before: readonly string[], head: string): boolean {
  const acts = before.filter((word) => meaningOf(word) !== undefined && !isAsking(word))
  if (isFinding(head) || isReader(head)) return acts.every(isMostlyThing)
  return acts.length === 0 && (isListed(head) || (isCounted(head) && before.some(isAsking)))
}

/** A verb that reads and nothing else. */
export function readsPurely(word: string): boolean {
  const meaning = meaningOf(word)
  return meaning?.noun === false && meaning.argues === 'low'
}

/** `reader`, `checker`, `validator`: a verb that reads, as its doer. */
function isReader(word: string): boolean {
  const verb = /^(?<verb>.{3,})(?:er|or)$/.exec(word)?.groups?.['verb']
  return verb !== undefined && (readsPurely(verb) || readsPurely(`${verb}e`))
}
