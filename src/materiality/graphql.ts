import { wordsOf } from '../bytes/words.ts'
import type { Materiality } from '../types.ts'
import { actsOf } from './phrase.ts'

/** How a mutation opens: its name, its variables, its directives or its fields. */
const MUTATION = /(?<![\w"'-])mutation\s{0,99}(?:\w{1,99}\s{0,99})?[({@]/
/** The first field, behind an alias. */
const FIELD = /^\{\s*(?:\w+\s*:\s*)?(\w+)/

/**
 * What a GraphQL document argues: a mutation writes, and does what its first field says. `undefined` for all other texts.
 *
 * UNTRUSTED: what a model wrote; read in time linear in it.
 */
export function fromGraphql(text: string): Materiality | undefined {
  const opening = MUTATION.exec(text)
  const fields = opening === null ? -1 : text.indexOf('{', opening.index)
  if (fields === -1) return undefined
  const field = FIELD.exec(text.slice(fields))?.[1] ?? ''
  return actsOf(wordsOf(field)).some(({ argues }) => argues === 'high') ? 'high' : 'medium'
}
