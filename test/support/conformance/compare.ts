/** One check of one scenario, as the conformance suite judged it. */
export interface Check {
  readonly scenario: string
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
}

/** A check that came out otherwise through the proxy; an empty text where it was never made. */
export interface Difference {
  readonly scenario: string
  readonly id: string
  readonly direct: string
  readonly through: string
}

/** A difference that must be there, and why. */
export interface KnownDifference extends Difference {
  readonly reason: string
}

/**
 * Where the two runs differ. One check can be made several times in a scenario: every verdict counts, in any order. What the
 * suite merely notes (`INFO`) is compared by its presence, since it notes every message on the wire, the proxy's own too.
 *
 * @param known left out where they are exactly as said; one that is not there any more is a difference of its own
 */
export function compareChecks(
  direct: readonly Check[],
  through: readonly Check[],
  known: readonly KnownDifference[] = [],
): readonly Difference[] {
  const [expected, found] = [verdictsOf(direct), verdictsOf(through)]
  const explained = new Map(known.map((one) => [keyOf(one), one]))
  const keys = [...new Set([...expected.keys(), ...found.keys(), ...explained.keys()])].sort()
  return keys.flatMap((key) => {
    const [a, b] = [expected.get(key) ?? '', found.get(key) ?? '']
    const foreseen = explained.get(key)
    const isForeseen = foreseen === undefined ? a === b : foreseen.direct === a && foreseen.through === b
    const [scenario = '', id = ''] = key.split('\n')
    return isForeseen ? [] : [{ scenario, id, direct: a, through: b }]
  })
}

function keyOf({ scenario, id }: Pick<Check, 'scenario' | 'id'>): string {
  return `${scenario}\n${id}`
}

function verdictsOf(checks: readonly Check[]): ReadonlyMap<string, string> {
  const groups = Map.groupBy(checks, keyOf)
  return new Map([...groups].map(([key, group]) => [key, summarize(group.map(({ status }) => status))]))
}

function summarize(statuses: readonly Check['status'][]): string {
  const counts = [...Map.groupBy(statuses, (status) => status)].sort(([a], [b]) => a.localeCompare(b))
  return counts.map(([status, { length }]) => (status === 'INFO' ? status : `${length} ${status}`)).join(', ')
}
