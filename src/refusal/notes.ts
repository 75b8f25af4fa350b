import type { Notice } from '../types.ts'

/** What a model reads of a call that ran although no policy answered (I5). */
const FAIL_OPEN_NOTE =
  'Note from holdpoint: no policy answered for this call. It ran because the operator lets calls of low materiality run during an outage.'

/** What the model must know of how a call ran; the rest is for people. */
const FOR_THE_MODEL: ReadonlySet<Notice['kind']> = new Set(['limited', 'dry_run', 'redacted'])

/** What the model is told beside the result of a call that ran unchecked, or otherwise than it was asked for: a line for each. */
export function renderNotes(ran: {
  readonly failedOpen: boolean
  readonly notices?: readonly Notice[]
}): string | undefined {
  const changed = (ran.notices ?? [])
    .filter(({ kind }) => FOR_THE_MODEL.has(kind))
    .map(({ message }) => `Note from holdpoint: ${message}`)
  const notes = [...(ran.failedOpen ? [FAIL_OPEN_NOTE] : []), ...changed]
  return notes.length === 0 ? undefined : notes.join('\n')
}
