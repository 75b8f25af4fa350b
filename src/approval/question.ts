import { brief, legible } from '../bytes/legible.ts'
import { roleIn } from '../bytes/requirement.ts'
import type { ApprovalRequest } from '../types.ts'

/** What the question is about. */
export type Asked = Pick<
  ApprovalRequest,
  'tool' | 'materiality' | 'because' | 'principal' | 'requires' | 'quorum' | 'argumentsText'
>

/**
 * What people are asked about one call: the same words in a chat, a terminal, a form or a page, so that one digest says what was
 * shown. Pure, and safe in a browser.
 *
 * INVARIANT I3: the arguments stand there as they would run, every character of them, hidden ones made visible and each line
 * behind a mark that no argument can write.
 */
export function questionText(asked: Asked): string {
  return [
    `holdpoint asks: may ${brief(asked.tool)} run once, with exactly these arguments?`,
    `for ${personOf(asked.principal)}; ${whoIsAsked(asked)}`,
    `${asked.materiality}: ${brief(asked.because)}`,
    '',
    ...legible(asked.argumentsText)
      .split('\n')
      .map((line) => `┆ ${line}`),
  ].join('\n')
}

/** `user alice of acme`. */
function personOf({ type, id, tenant }: Asked['principal']): string {
  return `${type} ${brief(id)}${tenant === undefined ? '' : ` of ${brief(tenant)}`}`
}

/** Whose yes it takes, in words. */
export function whoIsAsked({ requires, quorum }: Pick<ApprovalRequest, 'requires' | 'quorum'>): string {
  const role = roleIn(requires)
  if (role === undefined) return 'their own yes is asked for'
  return quorum === 1
    ? `a yes of ${brief(role)} is asked for`
    : `yeses of ${quorum} persons of ${brief(role)} are asked for`
}
