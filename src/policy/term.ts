import type { CedarValueJson, Expr } from '@cedar-policy/cedar-wasm/nodejs'

/** A Cedar expression, read once from the parser's JSON into a union that the compiler can check. */
export type Term =
  | { readonly kind: 'value'; readonly value: CedarValueJson }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'get'; readonly of: Term; readonly attribute: string }
  | { readonly kind: 'has'; readonly of: Term; readonly path: readonly string[] }
  | { readonly kind: 'like'; readonly of: Term; readonly pattern: readonly PatternPart[] }
  | { readonly kind: 'is'; readonly of: Term; readonly type: string; readonly within: Term | undefined }
  | { readonly kind: 'if'; readonly test: Term; readonly yes: Term; readonly no: Term }
  | { readonly kind: 'set'; readonly items: readonly Term[] }
  | { readonly kind: 'record'; readonly members: ReadonlyMap<string, Term> }
  /** `!`, `neg`, `isEmpty`. */
  | { readonly kind: 'unary'; readonly operator: string; readonly of: Term }
  /** `==`, `in`, `<`, `&&`, `+`, `contains`, `hasTag` and their like. */
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Term; readonly right: Term }
  /** An extension function or method: `decimal("1.0")`, `a.lessThan(b)`. */
  | { readonly kind: 'call'; readonly name: string; readonly inputs: readonly Term[] }

/** A literal character of a `like` pattern, or the wildcard. */
export type PatternPart = { readonly literal: string } | 'wildcard'

type Operands = Readonly<Record<string, unknown>>

/**
 * Reads a policy's JSON expression. Every shape that Cedar 4 prints is known here; another one is a bug of ours or of a
 * newer engine, so it throws rather than being left out of what a policy reads.
 */
export function readTerm(expression: Expr): Term {
  const [operator, operand] = single(expression)
  if (Array.isArray(operand)) {
    const inputs = operand.map((input) => readTerm(input))
    return operator === 'Set' ? { kind: 'set', items: inputs } : { kind: 'call', name: operator, inputs }
  }
  if (operator === 'Value') return { kind: 'value', value: operand as CedarValueJson }
  if (operator === 'Var' || operator === 'Slot') return { kind: 'variable', name: String(operand) }
  return readOperation(operator, operand as Operands)
}

function readOperation(operator: string, operands: Operands): Term {
  const term = (name: string): Term => readTerm(operands[name] as Expr)
  switch (operator) {
    case '.':
      return { kind: 'get', of: term('left'), attribute: String(operands['attr']) }
    case 'has': {
      const path = operands['attr']
      return { kind: 'has', of: term('left'), path: Array.isArray(path) ? path.map(String) : [String(path)] }
    }
    case 'like':
      return { kind: 'like', of: term('left'), pattern: readPattern(operands['pattern']) }
    case 'is':
      return {
        kind: 'is',
        of: term('left'),
        type: String(operands['entity_type']),
        within: operands['in'] === undefined ? undefined : term('in'),
      }
    case 'if-then-else':
      return { kind: 'if', test: term('if'), yes: term('then'), no: term('else') }
    case 'Record':
      return {
        kind: 'record',
        members: new Map(Object.entries(operands).map(([name, member]) => [name, readTerm(member as Expr)])),
      }
    case '!':
    case 'neg':
    case 'isEmpty':
      return { kind: 'unary', operator, of: term('arg') }
    default:
      return { kind: 'binary', operator, left: term('left'), right: term('right') }
  }
}

function readPattern(pattern: unknown): readonly PatternPart[] {
  return (pattern as readonly ('Wildcard' | { readonly Literal: string })[]).map((part) =>
    part === 'Wildcard' ? 'wildcard' : { literal: part.Literal },
  )
}

/** The one member that an expression node has. */
function single(expression: Expr): readonly [string, unknown] {
  const members = Object.entries(expression)
  const [only] = members
  if (only === undefined || members.length !== 1) throw new TypeError('not a Cedar expression')
  return only
}

/** The terms directly inside one, left to right. */
export function innerTerms(term: Term): readonly Term[] {
  switch (term.kind) {
    case 'value':
    case 'variable':
      return []
    case 'get':
    case 'has':
    case 'like':
    case 'unary':
      return [term.of]
    case 'is':
      return term.within === undefined ? [term.of] : [term.of, term.within]
    case 'if':
      return [term.test, term.yes, term.no]
    case 'set':
      return term.items
    case 'record':
      return [...term.members.values()]
    case 'binary':
      return [term.left, term.right]
    case 'call':
      return term.inputs
  }
}

/** Visits a term and everything inside it. */
export function walk(term: Term, visit: (term: Term) => void): void {
  visit(term)
  for (const inner of innerTerms(term)) walk(inner, visit)
}

/** The path of an attribute chain that starts at a variable: `context.arguments.amount`; `undefined` for anything else. */
export function chainOf(term: Term): { readonly variable: string; readonly path: readonly string[] } | undefined {
  if (term.kind === 'variable') return { variable: term.name, path: [] }
  if (term.kind !== 'get') return undefined
  const inner = chainOf(term.of)
  return inner === undefined ? undefined : { variable: inner.variable, path: [...inner.path, term.attribute] }
}
