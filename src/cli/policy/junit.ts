/** Test results as JUnit XML, in the form that CI systems read. */
import type { CaseResult } from './run-table.ts'

/** The results of one table. */
export interface TableResult {
  readonly file: string
  readonly cases: readonly CaseResult[]
}

/** One XML document: a suite for each table, a failure for each case with problems. */
export function junitText(tables: readonly TableResult[]): string {
  const all = tables.flatMap(({ cases }) => cases)
  const suites = tables.map(({ file, cases }) =>
    [
      `  <testsuite name=${attribute(file)} ${counts(cases)}>`,
      ...cases.flatMap((result) => caseLines(file, result)),
      '  </testsuite>',
    ].join('\n'),
  )
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="holdpoint policy test" ${counts(all)}>`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

function caseLines(file: string, { name, at, problems }: CaseResult): readonly string[] {
  const open = `    <testcase name=${attribute(name)} classname=${attribute(file)} time="0"`
  const [first] = problems
  if (first === undefined) return [`${open}/>`]
  const failure = `      <failure message=${attribute(first)}>${content([at, ...problems].join('\n'))}</failure>`
  return [`${open}>`, failure, '    </testcase>']
}

function counts(cases: readonly CaseResult[]): string {
  const failures = cases.filter(({ problems }) => problems.length > 0).length
  return `tests="${cases.length}" failures="${failures}" errors="0" skipped="0" time="0"`
}

/** What XML 1.0 has no way to write, not even as a reference. */
const UNWRITABLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

function content(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(UNWRITABLE, '\ufffd')
    .replaceAll(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`)
}

/** In an attribute, line ends would be read as blanks. */
function attribute(text: string): string {
  return `"${content(text).replaceAll(/[\t\n\r]/g, (mark) => `&#${mark.charCodeAt(0)};`)}"`
}
