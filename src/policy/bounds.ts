import { looksLikeMoney } from '../bytes/money-names.ts'
import { pathOf } from '../bytes/pointer.ts'
import type { JsonSchema } from '../types.ts'
import type { LoadedPolicy } from './load.ts'
import { own, shapeOf } from './shape.ts'
import { subjectOf } from './subject.ts'
import { walk } from './term.ts'
import { placeOf } from './tool-type.ts'
import { comparisonIn } from './words.ts'

/** JSON Pointers of the amounts that a policy keeps below a limit, and of those that it keeps above one. */
export interface Bounds {
  readonly below: ReadonlySet<string>
  readonly above: ReadonlySet<string>
}

/** The limits that hold for a call which a permit lets run, or a forbid lets pass. Only amounts of money count, by their names. */
export function boundsOf({ effect, clauses }: LoadedPolicy): Bounds {
  const bounds = { below: new Set<string>(), above: new Set<string>() }
  for (const { kind, body } of clauses) {
    const wanted = (effect === 'permit') === (kind === 'when')
    walk(body, (term) => {
      const comparison = comparisonIn(term, wanted)
      const subject = comparison === undefined ? undefined : subjectOf(comparison.subject)
      if (comparison === undefined || subject?.about !== 'argument') return
      const isAmount =
        subject.fact === undefined ? looksLikeMoney(subject.path.at(-1) ?? '') : subject.fact === 'amount'
      if (!isAmount) return
      if (comparison.operator.startsWith('<')) bounds.below.add(subject.pointer)
      if (comparison.operator.startsWith('>')) bounds.above.add(subject.pointer)
    })
  }
  return bounds
}

/** Does a tool's schema itself keep an argument from being negative, or know no such argument? */
export function isNeverNegative(schema: JsonSchema | undefined, pointer: string): boolean {
  const place = placeOf(shapeOf(schema), pathOf(pointer))
  if (place.kind !== 'named') return place.kind === 'absent'
  return place.shape.nodes.some((node) =>
    [...own(node, 'minimum'), ...own(node, 'exclusiveMinimum')].some(
      (least) => typeof least === 'number' && least >= 0,
    ),
  )
}
