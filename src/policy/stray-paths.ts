import { looksLikeMoney } from '../bytes/money-names.ts'
import { nearest } from '../bytes/nearest.ts'
import { jsonPointer } from '../bytes/pointer.ts'
import type { ToolDefinition } from '../types.ts'
import type { LoadedPolicy } from './load.ts'
import { shapeOf } from './shape.ts'
import { blankLiterals } from './source.ts'
import { ANY_FACT, type Subject, subjectOf } from './subject.ts'
import { type Term, walk } from './term.ts'
import { type Kind, kindsOf, placeOf } from './tool-type.ts'

/** Something in a policy that its author can hardly mean. */
export interface Objection {
  /** UTF-16 offset in the policy's text. */
  readonly within: number
  readonly message: string
}

/** What a fact is derived of. Facts that are not named here are derived of texts. */
const SOURCES: ReadonlyMap<string, readonly Kind[]> = new Map([
  ['amount', ['number', 'string']],
  ['length', ['array']],
])

/**
 * Questions of a policy (`context.arguments has ammount`) for arguments, or facts about arguments, that none of the tools it
 * names can have. Cedar takes such a question for a plain no, so that a `permit` never applies and a `forbid … unless` always.
 *
 * @param tools those that the policy's scope names; nothing is said where there are none
 */
export function strayPaths(policy: LoadedPolicy, tools: readonly ToolDefinition[]): readonly Objection[] {
  const stray: Objection[] = []
  // Terms are visited as they are written, so that each question meets its own word.
  const questions = blankLiterals(policy.text).matchAll(/\bhas\b/g)
  const look = (term: Term): void => {
    if (term.kind !== 'has') return
    const within = questions.next().value?.index ?? 0
    const asked = subjectOf(term.path.reduce<Term>((of, attribute) => ({ kind: 'get', of, attribute }), term.of))
    if (asked?.about !== 'argument') return
    const [first, ...others] = tools.map((tool) => objectionTo(asked, tool))
    if (first === undefined || others.includes(undefined)) return
    stray.push({ within, message: first })
  }
  for (const { body } of policy.clauses) walk(body, look)
  return stray
}

/** Why a tool never has it, or nothing. */
function objectionTo(
  { path, fact }: Extract<Subject, { about: 'argument' }>,
  tool: ToolDefinition,
): string | undefined {
  const place = placeOf(shapeOf(tool.inputSchema), path)
  if (place.kind === 'absent') return unknownArgument(path, place.steps, place.names, tool)
  if (place.kind === 'open' || fact === undefined || fact === ANY_FACT) return undefined
  const kinds = kindsOf(place.shape)
  const sources = SOURCES.get(fact) ?? ['string']
  const pointer = jsonPointer(path)
  if (kinds.size > 0 && !sources.some((kind) => kinds.has(kind))) {
    const [kind] = kinds
    return `${tool.name} takes ${kind === undefined ? 'nothing' : WORDS[kind]} as ${pointer}: ${expected(fact)}`
  }
  const isText = kinds.has('string') && !kinds.has('number')
  if (fact === 'amount' && isText && !looksLikeMoney(path.at(-1) ?? '')) {
    return `${tool.name} takes a text as ${pointer}: ${expected(fact)}`
  }
  return undefined
}

const WORDS: Readonly<Record<Kind, string>> = {
  string: 'a text',
  boolean: 'a boolean',
  number: 'a number',
  array: 'a list',
  object: 'a record',
}

function expected(fact: string): string {
  switch (fact) {
    case 'amount':
      return 'only a number, or a text that is named like money, can be compared with numbers'
    case 'length':
      return 'a length was expected of a list'
    case 'ancestors':
      return 'a folder was expected around one path, which is a text'
    case 'domains':
      return 'a host was expected of one address, which is a text'
    default:
      return `"${fact}" is derived of a text`
  }
}

function unknownArgument(
  path: readonly string[],
  depth: number,
  names: readonly string[],
  tool: ToolDefinition,
): string {
  const name = path[depth] ?? ''
  const guess = nearest(name, names)
  const hint = guess === undefined ? `it has ${names.join(', ')}` : `did you mean "${guess}"?`
  return `${tool.name} has no argument "${path.slice(0, depth + 1).join('.')}"; ${hint}`
}
