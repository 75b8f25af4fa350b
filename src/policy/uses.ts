import { BOOLEAN, type CedarType, DECIMAL, LONG, recordOf, STRING, setOf } from './cedar-type.ts'
import type { LoadedPolicy } from './load.ts'
import { chainOf, innerTerms, type Term } from './term.ts'

/** How policies use one value: what it must be for them to make sense, and which of its members they read. */
export interface Use {
  guess: CedarType | undefined
  readonly members: Map<string, Use>
}

const DECIMAL_METHODS: ReadonlySet<string> = new Set([
  'lessThan',
  'lessThanOrEqual',
  'greaterThan',
  'greaterThanOrEqual',
])
const NUMBER_OPERATORS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '+', '-', '*'])

/**
 * How policies use `context`: for the parts that nobody declares (the environment, arguments without a schema), what a
 * policy does with a value is the only word on its type.
 */
export function usesOf(policies: readonly LoadedPolicy[]): Use {
  const root: Use = { guess: undefined, members: new Map() }
  for (const { body } of policies.flatMap((policy) => policy.clauses)) visit(root, body, BOOLEAN)
  return root
}

/** What policies do with a member, or nothing. */
export function useOf(use: Use | undefined, member: string): Use | undefined {
  return use?.members.get(member)
}

/** The type that a use asks for: a record where members are read, text where nothing says more. */
export function typeOfUse(use: Use | undefined): CedarType {
  if (use === undefined || use.members.size === 0) return use?.guess ?? STRING
  return recordOf(Object.fromEntries([...use.members].map(([name, member]) => [name, typeOfUse(member)])))
}

function visit(root: Use, term: Term, expected: CedarType | undefined): void {
  const chain = chainOf(term.kind === 'has' ? term.of : term)
  if (chain === undefined) {
    for (const [inner, type] of expectations(term, expected)) visit(root, inner, type)
  } else if (chain.variable === 'context') {
    if (term.kind === 'has') note(root, [...chain.path, ...term.path], undefined)
    else note(root, chain.path, expected)
  }
}

type Expectation = readonly [Term, CedarType | undefined]

/** What a term expects of the terms inside it. */
function expectations(term: Term, expected: CedarType | undefined): readonly Expectation[] {
  switch (term.kind) {
    case 'like':
      return [[term.of, STRING]]
    case 'unary':
      return [[term.of, unaryOperand(term.operator)]]
    case 'if':
      return [
        [term.test, BOOLEAN],
        [term.yes, expected],
        [term.no, expected],
      ]
    case 'call':
      return term.inputs.map((input) => [input, DECIMAL_METHODS.has(term.name) ? DECIMAL : undefined])
    case 'binary': {
      const [left, right] = operands(term.operator, typeOfTerm(term.left), typeOfTerm(term.right))
      return [
        [term.left, left],
        [term.right, right],
      ]
    }
    default:
      return innerTerms(term).map((inner) => [inner, undefined])
  }
}

function note(root: Use, path: readonly string[], guess: CedarType | undefined): void {
  let use = root
  for (const name of path) {
    const member: Use = use.members.get(name) ?? { guess: undefined, members: new Map() }
    use.members.set(name, member)
    use = member
  }
  use.guess ??= guess
}

function unaryOperand(operator: string): CedarType {
  if (operator === 'neg') return LONG
  return operator === 'isEmpty' ? setOf(STRING) : BOOLEAN
}

/** What an operator expects of both sides, given what is known of either. */
function operands(
  operator: string,
  left: CedarType | undefined,
  right: CedarType | undefined,
): readonly [CedarType | undefined, CedarType | undefined] {
  if (NUMBER_OPERATORS.has(operator)) return [LONG, LONG]
  switch (operator) {
    case '&&':
    case '||':
      return [BOOLEAN, BOOLEAN]
    case '==':
    case '!=':
      return [right, left]
    case 'contains':
      return [setOf(right ?? STRING), left?.type === 'Set' ? left.element : STRING]
    case 'containsAll':
    case 'containsAny':
      return [right ?? setOf(STRING), left ?? setOf(STRING)]
    default:
      return [undefined, undefined]
  }
}

/** The type of a term that says it itself. */
function typeOfTerm(term: Term): CedarType | undefined {
  if (term.kind === 'value') {
    if (typeof term.value === 'string') return STRING
    if (typeof term.value === 'number') return LONG
    return typeof term.value === 'boolean' ? BOOLEAN : undefined
  }
  if (term.kind === 'call') return term.name === 'decimal' ? DECIMAL : undefined
  if (term.kind === 'unary') return term.operator === 'neg' ? LONG : BOOLEAN
  if (term.kind === 'binary') return ['+', '-', '*'].includes(term.operator) ? LONG : undefined
  if (term.kind !== 'set') return undefined
  const [first] = term.items
  const element = first === undefined ? undefined : typeOfTerm(first)
  return element === undefined ? undefined : setOf(element)
}
