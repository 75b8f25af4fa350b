import { brief, legible } from '../bytes/legible.ts'
import type { ApprovalRecord } from '../types.ts'

/** More than so many characters are no question that a person reads in a form. */
const LONGEST_ARGUMENTS = 4_000

/**
 * What a person is asked about one call where there is no more than a text to show, a form of an MCP client for instance.
 *
 * INVARIANT I3: the arguments stand there as they would run, every character of them, hidden ones made visible and each line
 * behind a mark that no argument can write. Where they are too long for that there is no question: nobody agrees to what they
 * were not shown.
 */
export function questionText(request: ApprovalRecord): string | undefined {
  const given = legible(request.argumentsText)
  if (given.length > LONGEST_ARGUMENTS) return undefined
  return [
    `holdpoint asks: may ${brief(request.tool)} run once, with exactly these arguments?`,
    `${request.materiality}: ${brief(request.because)}`,
    '',
    ...given.split('\n').map((line) => `┆ ${line}`),
    '',
    `Reference ${request.ref}.`,
  ].join('\n')
}
