import { COLUMNS, type Matrix, type Row } from './fault-matrix.ts'

/** The matrix as tables of Markdown, for `docs/outages.md`: faults of one group that come to the same share a line. */
export function tablesOf({ columns, groups }: Matrix): string {
  return groups.map(({ title, rows }) => `## ${title}\n\n${tableOf(columns, rows)}`).join('\n')
}

function tableOf(columns: Matrix['columns'], rows: readonly Row[]): string {
  const head = ['fault', ...COLUMNS.map((column) => columns[column]), 'breaker']
  const alike = Map.groupBy(rows, (row) => cellsOf(row).join(' | '))
  const lines = [...alike.values()].map((same) => [faultsOf(same), ...same.slice(0, 1).flatMap(cellsOf)])
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** The faults, by the points that they are played with. */
function faultsOf(rows: readonly Row[]): string {
  const byPoints = Map.groupBy(rows, ({ points }) => points.join(', '))
  return [...byPoints]
    .map(([points, same]) => `${same.map(({ fault }) => fault).join(';<br>')} *(${points})*`)
    .join('<br>')
}

function cellsOf(row: Row): readonly string[] {
  return [...COLUMNS.map((column) => cellOf(row[column])), row.breaker === 'opens' ? 'counts it' : row.breaker]
}

/** `refuse policy_timeout` as `policy_timeout`: a code is a refusal. */
function cellOf(outcome: string): string {
  const code = /^refuse (.+)$/.exec(outcome)?.[1]
  return code === undefined ? `**${outcome}**` : `\`${code}\``
}
