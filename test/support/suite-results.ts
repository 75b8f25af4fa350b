import type { Behaviour } from './behaviours.ts'
import { NUMBERS } from './behaviours.ts'
import type { ShownHost, Way } from './hosts-table.ts'

/** What Vitest's JSON reporter writes, as far as it is read here. */
export interface SuiteResults {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
    }[]
  }[]
}

/** What the suites gave, by host and way. What was to run and did not pass has failed, also where nothing is known of it. */
export function shownBy(results: SuiteResults, declared: readonly ShownHost[]): readonly ShownHost[] {
  const statuses = new Map<string, string>()
  for (const { assertionResults } of results.testResults) {
    for (const { ancestorTitles, title, status } of assertionResults) {
      const [suite = ''] = ancestorTitles
      statuses.set(keyOf(suite, Number.parseInt(title, 10)), status)
    }
  }
  return declared.map(({ host, ways }) => ({ host, ways: ways.map((way) => judged(way, statuses)) }))
}

function judged(way: Way, statuses: ReadonlyMap<string, string>): Way {
  const isShown = (number: Behaviour): boolean => {
    const status = statuses.get(keyOf(`${way.name} as a gated host`, number))
    return way.lacks.has(number) ? status === 'skipped' || status === 'pending' : status === 'passed'
  }
  return { ...way, failed: new Set(NUMBERS.filter((number) => !isShown(number))) }
}

function keyOf(suite: string, number: number): string {
  return `${number} ${suite}`
}
