import { jsonPointer, pathOf } from '../bytes/pointer.ts'
import { chainOf, type Term } from './term.ts'

/** What one side of a condition is about. */
export type Subject =
  /** An argument of the call, or a fact that was derived from it: `fact` is `ancestors`, `bytes`, `length`… */
  | { readonly about: 'argument'; readonly path: readonly string[]; readonly pointer: string; readonly fact?: string }
  /** Anything else: the principal, the session, the environment, an approval. `name` is how the policy writes it. */
  | { readonly about: 'surroundings'; readonly name: string }

/** The fact of a derived record as a whole: that something could be derived at all. */
export const ANY_FACT = 'any'

/** What a term is about, when it is an attribute chain. */
export function subjectOf(term: Term): Subject | undefined {
  const chain = chainOf(term)
  if (chain === undefined) return undefined
  const [member, ...path] = chain.path
  if (chain.variable !== 'context') return { about: 'surroundings', name: [chain.variable, ...chain.path].join('.') }
  const [pointer, fact] = path
  if (member === 'arguments' && path.length > 0) return { about: 'argument', path, pointer: jsonPointer(path) }
  if (member === 'lengths' && pointer !== undefined) {
    return { about: 'argument', path: pathOf(pointer), pointer, fact: 'length' }
  }
  if (member === 'derived' && pointer !== undefined) {
    return { about: 'argument', path: pathOf(pointer), pointer, fact: fact ?? ANY_FACT }
  }
  return { about: 'surroundings', name: ['context', ...chain.path].join('.') }
}
