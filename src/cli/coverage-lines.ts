import type { CoverageRecord } from '../store/coverage-files.ts'
import type { Standing, ToolCoverage } from '../types.ts'

/** A tool as all gates together saw it. */
export interface Line extends ToolCoverage {
  /** The gates that saw it, by name. */
  readonly gates: readonly string[]
  /** When it was last seen to stand so, ms since epoch. */
  readonly seenAt: number
}

const RANK: Readonly<Record<Standing, number>> = { gated: 0, ungated: 1, unknown: 2 }

/** One line for each tool of each host: the worst that any gate saw of it, and of what is as bad the newest. By host, server and tool. */
export function merged(records: readonly CoverageRecord[]): readonly Line[] {
  const lines = new Map<string, Line>()
  for (const { gate, at, tools } of records) {
    for (const tool of tools) {
      const key = keyOf(tool)
      const known = lines.get(key)
      const gates = [...new Set([...(known?.gates ?? []), gate])].sort()
      const line = known === undefined || isWorse({ ...tool, seenAt: at }, known) ? { ...tool, seenAt: at } : known
      lines.set(key, { ...line, gates })
    }
  }
  return [...lines.values()].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
}

type Sight = Pick<Line, 'standing' | 'seenAt'>

function isWorse(one: Sight, other: Sight): boolean {
  const difference = RANK[one.standing] - RANK[other.standing]
  return difference > 0 || (difference === 0 && one.seenAt > other.seenAt)
}

function keyOf({ host, server, tool }: ToolCoverage): string {
  return JSON.stringify([host, server, tool])
}
