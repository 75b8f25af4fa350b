import { readObligation } from './bytes/obligation.ts'
import { shown } from './bytes/shown.ts'
import type { Considered } from './pass.ts'
import type { Notice, Refusal } from './types.ts'

const LONGEST_NAME = 128

/** Under what a call runs, beside what was considered about it. */
export interface NoticeTerms {
  readonly failedOpen: boolean
  /** In observe mode, the refusal that would have been. */
  readonly observed?: Refusal | undefined
  /** The id of the override that it runs on. */
  readonly override?: string | undefined
}

/** What the person should know of a call that runs: that nobody was asked, and whatever is otherwise than it was asked for. */
export function noticesOf(considered: Considered, { failedOpen, observed, override }: NoticeTerms): readonly Notice[] {
  const notices: Notice[] = []
  if (failedOpen)
    notices.push({
      kind: 'failed_open',
      message:
        'This call ran although no policy answered for it: the operator lets calls of low materiality run during an outage.',
    })
  if (override !== undefined)
    notices.push({
      kind: 'override',
      message: `No policy answered for this call: it ran on the signed override ${shown(override, LONGEST_NAME)}.`,
    })
  if (considered.held === true)
    notices.push({ kind: 'held', message: 'This call waited until the policies could be asked again.' })
  if (observed !== undefined)
    notices.push({
      kind: 'observed',
      message: `Observe mode held nothing back: this call would have been refused (${observed.code}).`,
    })
  return observed === undefined ? [...notices, ...amended(considered), ...owed(considered)] : notices
}

/** What its arguments became. */
function amended({ amended }: Considered): readonly Notice[] {
  if (amended === undefined) return []
  return (['limited', 'dry_run'] as const).flatMap((kind): readonly Notice[] => {
    const changes = amended.changes
      .filter((change) => (change.kind === 'limit') === (kind === 'limited'))
      .map(({ kind: _, ...change }) => change)
    if (changes.length === 0) return []
    const places = changes.map(({ path, to }) => `${shown(path, LONGEST_NAME)} = ${shown(to, LONGEST_NAME)}`).join(', ')
    const message =
      kind === 'limited'
        ? `Policy limited what this call asked for: it ran with ${places}.`
        : `Policy made this call a dry run: it ran with ${places}.`
    return [{ kind, message, changes }]
  })
}

/** What else its permit obliged to. */
function owed({ decision }: Considered): readonly Notice[] {
  if (decision?.kind !== 'permit') return []
  return decision.obligations.flatMap((obligation): readonly Notice[] => {
    const read = readObligation(obligation)
    if (read.kind === 'redact_output') {
      const places = read.paths.map((path) => (path === '' ? 'all of it' : shown(path, LONGEST_NAME))).join(', ')
      const changes = read.paths.map((path) => ({ path, to: JSON.stringify(read.with) }))
      return [{ kind: 'redacted', message: `Policy keeps parts of this call's result back: ${places}.`, changes }]
    }
    if (obligation.type !== 'notify') return []
    const { to } = obligation.properties
    const whom = typeof to === 'string' ? shown(to, LONGEST_NAME) : 'The operator'
    return [{ kind: 'notified', message: `${whom} was told of this call, as policy requires.` }]
  })
}
