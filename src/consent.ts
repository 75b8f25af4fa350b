import { isElsewhere, seekConsent } from './approval/approval.ts'
import { newRequest } from './approval/request.ts'
import { brief } from './bytes/legible.ts'
import { digestOf, type Readied } from './evaluation.ts'
import type { GateParts } from './parts.ts'
import type { Considered } from './pass.ts'
import type { Admission, AdmitOptions, ApprovalRecord } from './types.ts'

/** A person's yes, or how the call leaves without it. */
export type Asked =
  | { readonly given: true; readonly consent: ApprovalRecord }
  | { readonly given: false; readonly admission: Admission }

/** How much of a person's reason a refusal quotes, in characters. */
const LONGEST_REASON = 200

/** How a refusal reads when no policy asked for the yes that is missing. */
const TOOL_ASKS = {
  basis: 'gate',
  sentence: "This tool asks for a person's yes before it runs.",
  constraints: [],
} as const

/** Whose yes, and of how many persons. */
export interface Wanted {
  readonly requires: string
  readonly quorum: number
}

/** Asks a person about one call, in our store. The yes is an input to a new decision, never a grant. */
export async function askPerson(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  wanted: Wanted,
  options: AdmitOptions,
): Promise<Asked> {
  const { exits } = parts
  const { requires } = wanted
  try {
    // Nobody is asked about a call that cannot run again.
    const holder = await parts.store.holder(call.callKey)
    if (holder !== undefined) return without(await exits.taken(considered, holder))
    // Where a tool runs code, its agent has the account that answers `watch`: a yes from there proves nothing about a person.
    const { materiality } = considered.classification
    const separate = materiality === 'high' && parts.tools.runsCode
    const passkey = parts.passkeys.isRequired(materiality)
    const request = requestOf(parts, considered, call, { ...wanted, separate, passkey })
    const answer = await seekConsent(parts.store, request, {
      wait: options.wait !== false,
      clock: parts.clock,
      sleep: parts.sleep,
      signal: options.signal,
      opened: ({ tool, ref }) => parts.emit({ event: 'approval-requested', tool, ref, requires }),
    })
    if (options.signal?.aborted === true) return without(await exits.refused(considered, { code: 'cancelled' }))
    const { record } = answer
    // INVARIANT I3: what was shown is what would run, or it was another call.
    if (record.state !== 'declined' && record.argumentsText !== call.taken.shown)
      return without(await exits.refused(considered, { code: 'approval_mismatch', request: record }))
    if (separate && !isSeparate(record, answer.given, considered))
      return without(await exits.refused(considered, { code: 'approver_not_separate', request: record }))
    const unsigned = answer.given
      ? await parts.passkeys.against(record, { ...request, ref: record.ref }, materiality)
      : undefined
    if (unsigned !== undefined) return without(await exits.refused(considered, { code: unsigned, request: record }))
    if (answer.given) return { given: true, consent: record }
    const asker = considered.decision?.kind === 'permit' ? TOOL_ASKS : {}
    const because = answer.code === 'approval_declined' ? declinedBecause(record) : {}
    return without(await exits.refused(considered, { code: answer.code, request: record, ...asker, ...because }))
  } catch {
    return without(await exits.refused(considered, { code: 'receipt_unavailable' }))
  }
}

/** Does every yes come from elsewhere than this account, or, where none is given yet, can one come? A role is asked elsewhere. */
function isSeparate(record: ApprovalRecord, isGiven: boolean, { scope }: Considered): boolean {
  if (isGiven) return record.answers.every(({ channel }) => isElsewhere(channel))
  return record.state !== 'pending' || record.requires !== 'confirmation' || isElsewhere(scope.channel)
}

/** UNTRUSTED: a person's own words, for the model too. */
function declinedBecause({ answers }: ApprovalRecord): { readonly sentence?: string } {
  const reason = answers.at(-1)?.reason
  return reason === undefined ? {} : { sentence: `A person declined this call: “${brief(reason, LONGEST_REASON)}”` }
}

function without(admission: Admission): Asked {
  return { given: false, admission }
}

function requestOf(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  asked: Wanted & { readonly separate: boolean; readonly passkey: boolean },
) {
  return newRequest({
    ...asked,
    digest: digestOf(parts, considered, call),
    scope: considered.scope,
    tool: call.contract.id,
    classification: considered.classification,
    text: call.taken.shown,
    after: considered.amended?.spends?.ref,
    now: parts.clock.now(),
    random: parts.random,
  })
}
