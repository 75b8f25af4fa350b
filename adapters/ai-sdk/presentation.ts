import type { Refusal } from '../../src/index.ts'
import type { CallRecord } from '../shared/journal.ts'
import { carryRef } from './approval-parts.ts'
import type { Surroundings } from './passage.ts'

/** How a refusal is shown to the person: as the host's denial, as an error, or as the tool's result. */
export type RefusalAs = 'denied' | 'error' | 'result'

/** The major version of the AI SDK at one end. */
export type Major = 6 | 7

/** How this call's refusal reaches the person's screen. */
interface Presentation {
  readonly refusalAs: RefusalAs
  /** Which chunks the client understands. */
  readonly client: Major
}

const presentations = new WeakMap<CallRecord, Presentation>()

/** Remembers which major the server turned out to be: major 6 cannot store a denial in a message, so it gets an error. */
export function present(record: CallRecord, around: Surroundings, server: Major): void {
  presentations.set(record, {
    refusalAs: around.refusalAs ?? (server === 6 ? 'error' : 'denied'),
    client: around.client ?? server,
  })
}

/**
 * How a refused call ends on the client's screen: what came back as the tool's result as the app wants it, what the host itself
 * denied as a denial. Major 6 knows no denials in a message: there it is an error.
 *
 * @param client the client's major, where the app named it
 */
export function shownAs(record: CallRecord, came: 'returned' | 'denied', client?: Major): RefusalAs {
  const { refusalAs, client: known } = presentationOf(record)
  const wanted = came === 'denied' ? 'denied' : refusalAs
  return wanted === 'denied' && (client ?? known) === 6 ? 'error' : wanted
}

/** The approval under which a call counts as denied that the host had not asked about. */
export function denialIdOf(record: CallRecord): string {
  return `holdpoint-${record.callId}`
}

/** The major of the client of this call, where its server or its app said it. */
export function clientOf(record: CallRecord): Major | undefined {
  return presentations.get(record)?.client
}

/** What was remembered; an error is what every client understands. */
function presentationOf(record: CallRecord): Presentation {
  return presentations.get(record) ?? { refusalAs: 'error', client: 6 }
}

/** For the approval's own slot: which refusal this is about. Neither model nor stock front ends show it. */
export function approvalDescriptor(refusal: Refusal): object {
  const { code, message, receipt } = refusal
  const ref = refOf(refusal)
  return {
    holdpoint: { code, message, ...(ref === undefined ? {} : { ref }), ...(receipt === undefined ? {} : { receipt }) },
  }
}

/**
 * Why the host pauses, for the person who answers; what a model needs to hear of a refusal has no place there. Ends with the
 * reference, by which the answer finds its request again.
 */
export function renderAsQuestion(refusal: Refusal): string {
  const receipt = refusal.receipt === undefined ? '' : `, receipt ${refusal.receipt}`
  return `${refusal.message} (${refusal.code}, reference ${refOf(refusal) ?? 'none'}${receipt})`
}

/** The id under which the person answers. Where the app signs its approvals, the id is part of what was signed and stays. */
export function approvalIdFor(approvalId: string, signature: string | undefined, refusal: Refusal): string {
  const ref = refOf(refusal)
  return ref === undefined || signature !== undefined ? approvalId : carryRef(approvalId, ref)
}

function refOf({ remedy }: Refusal): string | undefined {
  return remedy.kind === 'request_approval' ? remedy.ref : undefined
}
