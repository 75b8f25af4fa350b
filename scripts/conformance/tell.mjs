// What a person reads: one row for each run, what is known to differ, then everything that should not.

const COLUMNS = [
  ['role', ({ role }) => role],
  ['revision', ({ revision }) => revision],
  ['path', ({ route }) => route],
  ['scenarios', ({ checks }) => String(new Set(checks.map(({ scenario }) => scenario)).size)],
  ['passed', ({ checks }) => String(count(checks, 'SUCCESS'))],
  ['failed', ({ checks }) => String(count(checks, 'FAILURE'))],
  ['equal to direct', equality],
]

export function tellTable(runs) {
  const rows = [COLUMNS.map(([heading]) => heading), ...runs.map((run) => COLUMNS.map(([, cell]) => cell(run)))]
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`)
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

function count(checks, wanted) {
  return checks.filter(({ status }) => status === wanted).length
}

function equality({ route, known, differences }) {
  if (route === 'direct') return ''
  if (differences.length > 0) return `no: ${differences.length}`
  return known.length === 0 ? 'yes' : `but for ${known.length}`
}

/** What differs, and must: a list, or nothing. */
export function tellKnown(runs) {
  const lines = runs.flatMap(({ role, revision, route, known }) =>
    known.map(({ scenario, id, reason }) => `- ${role}, ${revision}, ${route}: \`${scenario}\`, \`${id}\`: ${reason}`),
  )
  return lines.length === 0 ? [] : ['', 'What differs, and must:', '', ...lines]
}

/** What the suite found wanting, where the fixture itself did not get what a revision requires. */
export function tellUnmet({ role, revision, route, checks }) {
  const failures = checks.filter(({ status }) => status === 'FAILURE')
  const lines = failures.map(({ scenario, id, errorMessage }) => `  ${scenario}: ${id}: ${errorMessage ?? ''}`)
  return [`${role}, ${revision}, ${route}: what is required was not met. All that failed:`, ...lines].join('\n')
}

export function tellDifferences({ role, revision, route, checks, differences }) {
  const lines = differences.map(({ scenario, id, direct, through }) => {
    const why = checks.find((check) => check.scenario === scenario && check.id === id)?.errorMessage ?? ''
    return `  ${scenario}: ${id}: directly ${direct || 'not checked'}, here ${through || 'not checked'}. ${why}`
  })
  return [`${role}, ${revision}, ${route} is not the direct run:`, ...lines].join('\n')
}

export function tellReceipts({ role, revision, route, receipts }) {
  return `${role}, ${revision}, ${route}: the receipts are not whole: ${JSON.stringify(receipts ?? 'there are none')}`
}
