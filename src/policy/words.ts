import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs'
import { ANY_FACT, type Subject, subjectOf } from './subject.ts'
import type { Term } from './term.ts'

/** A condition in words: what it is about, and what it requires of that. */
export interface Wording {
  readonly subject: Subject
  readonly requires: string
  /** A question whether something is given at all, asked before something else reads it. */
  readonly guards: boolean
}

/** Comparisons, as words, with what turns them round and what denies them. */
const COMPARISONS: ReadonlyMap<string, { readonly words: string; readonly mirrored: string; readonly denied: string }> =
  new Map([
    ['<', { words: 'less than', mirrored: '>', denied: '>=' }],
    ['<=', { words: 'at most', mirrored: '>=', denied: '>' }],
    ['>', { words: 'more than', mirrored: '<', denied: '<=' }],
    ['>=', { words: 'at least', mirrored: '<=', denied: '<' }],
    ['==', { words: 'exactly', mirrored: '==', denied: '!=' }],
    ['!=', { words: 'anything but', mirrored: '!=', denied: '==' }],
  ])

const METHODS: ReadonlyMap<string, string> = new Map([
  ['lessThan', '<'],
  ['lessThanOrEqual', '<='],
  ['greaterThan', '>'],
  ['greaterThanOrEqual', '>='],
])

/**
 * Says in words what a condition requires (`at most 500`), or what its denial does (`wanted` false: `more than 500`).
 * `undefined` when the condition is of a kind that has no short wording; its Cedar text must do then.
 */
export function wordingOf(term: Term, wanted: boolean): Wording | undefined {
  switch (term.kind) {
    case 'unary':
      if (term.operator === '!') return wordingOf(term.of, !wanted)
      if (term.operator === 'isEmpty') return about(term.of, wanted ? 'empty' : 'not empty')
      return undefined
    case 'has':
      return wordingOfHas(term, wanted)
    case 'like':
      return about(term.of, `${wanted ? 'like' : 'not like'} "${patternText(term.pattern)}"`)
    case 'get':
      return about(term, wanted ? 'true' : 'false')
    case 'call':
      return wordingOfComparison(term, wanted)
    case 'binary':
      return COMPARISONS.has(term.operator)
        ? wordingOfComparison(term, wanted)
        : wordingOfMembership(term.operator, term.left, term.right, wanted)
    default:
      return undefined
  }
}

/** A comparison, with what it is about on the left. */
export interface Comparison {
  readonly operator: string
  readonly subject: Term
  readonly other: Term
}

/** What a comparison (`a <= 500`, `a.lessThan(b)`), or its denial, says; `undefined` for any other term. */
export function comparisonIn(term: Term, wanted: boolean): Comparison | undefined {
  if (term.kind === 'unary' && term.operator === '!') return comparisonIn(term.of, !wanted)
  const [operator, left, right] =
    term.kind === 'call'
      ? [METHODS.get(term.name), ...term.inputs]
      : term.kind === 'binary'
        ? [term.operator, term.left, term.right]
        : []
  if (operator === undefined || left === undefined || right === undefined) return undefined
  const turned = subjectOf(left) === undefined
  const facing = turned ? COMPARISONS.get(operator)?.mirrored : operator
  const meant = wanted ? facing : COMPARISONS.get(facing ?? '')?.denied
  if (meant === undefined || !COMPARISONS.has(meant)) return undefined
  return { operator: meant, subject: turned ? right : left, other: turned ? left : right }
}

function wordingOfComparison(term: Term, wanted: boolean): Wording | undefined {
  const comparison = comparisonIn(term, wanted)
  if (comparison === undefined) return undefined
  const value = valueText(comparison.other)
  const words = COMPARISONS.get(comparison.operator)?.words
  return value === undefined || words === undefined ? undefined : about(comparison.subject, `${words} ${value}`)
}

function wordingOfMembership(operator: string, left: Term, right: Term, wanted: boolean): Wording | undefined {
  const [inside, whole] = [subjectOf(left), valueText(left)]
  const value = valueText(right)
  switch (operator) {
    case 'contains':
      if (inside === undefined)
        return whole === undefined ? undefined : about(right, `${wanted ? 'one of' : 'none of'} ${whole}`)
      if (value === undefined) return undefined
      return about(left, containingWords(inside, value, wanted))
    case 'containsAll':
      if (inside === undefined)
        return whole === undefined ? undefined : about(right, `${wanted ? 'only' : 'not only'} ${whole}`)
      return value === undefined ? undefined : about(left, `${wanted ? 'with all of' : 'without some of'} ${value}`)
    case 'containsAny': {
      const [subject, list] = inside === undefined ? [right, whole] : [left, value]
      if (list === undefined) return undefined
      return about(
        subject,
        wanted ? containingWords(subjectOf(subject), `one of ${list}`, true) : `with none of ${list}`,
      )
    }
    case 'in':
      return value === undefined ? undefined : about(left, `${wanted ? 'in' : 'not in'} ${value}`)
    default:
      return undefined
  }
}

/** `ancestors` and `domains` are containers of the argument itself, so the words are about where it lies. */
function containingWords(inside: Subject | undefined, value: string, wanted: boolean): string {
  const fact = inside?.about === 'argument' ? inside.fact : undefined
  if (fact === 'ancestors') return `${wanted ? 'inside' : 'outside'} ${value}`
  if (fact === 'domains') return `${wanted ? 'at or below' : 'outside'} ${value}`
  return `${wanted ? 'with' : 'without'} ${value}`
}

function wordingOfHas(term: Extract<Term, { kind: 'has' }>, wanted: boolean): Wording | undefined {
  const whole = term.path.reduce<Term>((of, attribute) => ({ kind: 'get', of, attribute }), term.of)
  const subject = subjectOf(whole)
  if (subject === undefined) return undefined
  const fact = subject.about === 'argument' && subject.fact !== undefined ? factWords(subject.fact) : ''
  return { subject, requires: wanted ? `given${fact}` : `left out${fact}`, guards: true }
}

/** A missing derived fact means that the argument is not of that kind. */
function factWords(fact: string): string {
  switch (fact) {
    case 'ancestors':
    case 'path':
      return ' as an absolute path'
    case 'host':
    case 'domains':
    case 'scheme':
      return ' as an address with a host'
    case ANY_FACT:
      return ' in a form that a rule can check'
    case 'amount':
      return ' as an amount with at most 4 decimal places'
    default:
      return ''
  }
}

function about(term: Term, words: string): Wording | undefined {
  const subject = subjectOf(term)
  if (subject === undefined) return undefined
  const unit = subject.about === 'argument' ? unitOf(subject.fact) : undefined
  const plural = words.endsWith(' 1') ? '' : 's'
  return { subject, requires: unit === undefined ? words : `${words} ${unit}${plural}`, guards: false }
}

function unitOf(fact: string | undefined): string | undefined {
  if (fact === 'bytes') return 'byte'
  return fact === 'length' ? 'item' : undefined
}

/** A literal as a person writes it, or the name of what it is compared with: never that one's value. */
function valueText(term: Term): string | undefined {
  if (term.kind === 'value') return literalText(term.value)
  if (term.kind === 'set') {
    const items = term.items.map((item) => valueText(item))
    return items.every((item) => item !== undefined) ? items.join(', ') : undefined
  }
  if (term.kind === 'unary' && term.operator === 'neg') return `-${valueText(term.of) ?? ''}`
  if (term.kind === 'call' && term.name === 'decimal') {
    const [text] = term.inputs
    return text?.kind === 'value' ? String(text.value).replace(/\.0+$/, '') : undefined
  }
  const subject = subjectOf(term)
  if (subject === undefined) return undefined
  return subject.about === 'argument' ? `the ${subject.pointer.slice(1)}` : subject.name
}

function literalText(value: CedarValueJson): string | undefined {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value) || value === null) return undefined
  const { __entity: entity } = value as { readonly __entity?: { readonly type: string; readonly id: string } }
  return entity === undefined ? undefined : `${entity.type} "${entity.id}"`
}

function patternText(pattern: Extract<Term, { kind: 'like' }>['pattern']): string {
  return pattern.map((part) => (part === 'wildcard' ? '*' : part.literal)).join('')
}
