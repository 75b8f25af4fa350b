import { readFileSync } from 'node:fs'

/** How a call may come to the gate: its materiality, and what the operator set for an outage. */
export const COLUMNS = ['low', 'low_open', 'medium', 'medium_override', 'high'] as const
export type Column = (typeof COLUMNS)[number]

/** What each column must see of one fault. */
export interface Row extends Readonly<Record<Column, string>> {
  readonly fault: string
  /** The policy points it is played with. */
  readonly points: readonly string[]
  /** `opens`: an absence was counted. `stays`: nothing was. `isolated`: the operator's switch. */
  readonly breaker: 'opens' | 'stays' | 'isolated'
}

/** `test/faults/matrix.json`: what must come of every fault of a policy service, for every kind of call. */
export interface Matrix {
  readonly columns: Readonly<Record<Column, string>>
  readonly groups: readonly { readonly title: string; readonly rows: readonly Row[] }[]
}

export function readMatrix(): Matrix {
  return JSON.parse(readFileSync(new URL('../faults/matrix.json', import.meta.url), 'utf8')) as Matrix
}
