// What a person reads: one row for each run, then every difference.

const HEADINGS = ['role', 'revision', 'path', 'scenarios', 'passed', 'failed', 'required', 'equal to direct']

export function tellTable(runs) {
  const rows = [HEADINGS, ...runs.map(rowOf)]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`)
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

function rowOf({ role, revision, route, checks, isMet, differences }) {
  const count = (status) => String(checks.filter((check) => check.status === status).length)
  const scenarios = new Set(checks.map(({ scenario }) => scenario)).size
  const equal = route === 'direct' ? '' : differences.length === 0 ? 'yes' : `no: ${differences.length}`
  return [
    role,
    revision,
    route,
    String(scenarios),
    count('SUCCESS'),
    count('FAILURE'),
    isMet ? 'met' : 'NOT MET',
    equal,
  ]
}

/** What the suite missed, where it asks more than it got. */
export function tellUnmet({ role, revision, route, checks, isMet }) {
  if (isMet) return ''
  const failures = checks.filter(({ status }) => status === 'FAILURE')
  const lines = failures.map(({ scenario, id, errorMessage }) => `  ${scenario}: ${id}: ${errorMessage ?? ''}`)
  return [`${role}, ${revision}, ${route}: what is required was not met. All that failed:`, ...lines, ''].join('\n')
}

export function tellDifferences({ role, revision, route, differences }) {
  if (differences.length === 0) return ''
  const lines = differences.map(
    ({ scenario, id, direct, through }) =>
      `  ${scenario}: ${id}: directly ${direct || 'not checked'}, here ${through || 'not checked'}`,
  )
  return [`${role}, ${revision}, ${route} differs from the direct run:`, ...lines].join('\n')
}
