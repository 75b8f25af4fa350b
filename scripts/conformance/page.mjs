// The results as docs/mcp.md shows them, between two marks.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { tellKnown, tellTable } from './tell.mjs'

const page = path.resolve(import.meta.dirname, '..', '..', 'docs', 'mcp.md')
const MARKS = ['<!-- conformance -->\n', '<!-- /conformance -->']

/** Does the page say what was found? */
export function isOnPage(runs) {
  return readFileSync(page, 'utf8').includes(blockOf(runs))
}

/** Says it there. Throws where the page has no place for it. */
export function writeOnPage(runs) {
  const text = readFileSync(page, 'utf8')
  const [from, to] = MARKS.map((mark) => text.indexOf(mark))
  if (from < 0 || to < from) throw new Error(`${page} has no ${MARKS.join(' … ')}`)
  writeFileSync(page, text.slice(0, from) + blockOf(runs) + text.slice(to))
}

function blockOf(runs) {
  return [MARKS[0], tellTable(runs), ...tellKnown(runs), ''].join('\n')
}
