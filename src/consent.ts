import { isElsewhere, seekConsent } from './approval/approval.ts'
import { newRequest } from './approval/request.ts'
import { digestOf, type Readied } from './evaluation.ts'
import type { GateParts } from './parts.ts'
import type { Considered } from './pass.ts'
import type { Admission, AdmitOptions, ApprovalRecord } from './types.ts'

/** A person's yes, or how the call leaves without it. */
export type Asked =
  | { readonly given: true; readonly consent: ApprovalRecord }
  | { readonly given: false; readonly admission: Admission }

/** How a refusal reads when no policy asked for the yes that is missing. */
const TOOL_ASKS = {
  basis: 'gate',
  sentence: "This tool asks for a person's yes before it runs.",
  constraints: [],
} as const

/** Asks a person about one call, in our store. The yes is an input to a new decision, never a grant. */
export async function askPerson(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  requires: string,
  options: AdmitOptions,
): Promise<Asked> {
  const { exits } = parts
  try {
    // Nobody is asked about a call that cannot run again.
    const holder = await parts.store.holder(call.callKey)
    if (holder !== undefined) return without(await exits.taken(considered, holder))
    // Where a tool runs code, its agent has the account that answers `watch`: a yes from there proves nothing about a person.
    const separate = considered.classification.materiality === 'high' && parts.tools.runsCode
    const answer = await seekConsent(parts.store, requestOf(parts, considered, call, { requires, separate }), {
      wait: options.wait !== false,
      clock: parts.clock,
      sleep: parts.sleep,
      signal: options.signal,
      opened: ({ tool, ref }) => parts.emit({ event: 'approval-requested', tool, ref, requires }),
    })
    if (options.signal?.aborted === true) return without(await exits.refused(considered, { code: 'cancelled' }))
    const { record } = answer
    const channel = answer.given ? (record.answered?.channel ?? 'none') : considered.scope.channel
    if (separate && !isElsewhere(channel) && (answer.given || record.state === 'pending'))
      return without(await exits.refused(considered, { code: 'approver_not_separate', request: record }))
    if (answer.given) return { given: true, consent: record }
    const asker = considered.decision?.kind === 'permit' ? TOOL_ASKS : {}
    return without(await exits.refused(considered, { code: answer.code, request: record, ...asker }))
  } catch {
    return without(await exits.refused(considered, { code: 'receipt_unavailable' }))
  }
}

function without(admission: Admission): Asked {
  return { given: false, admission }
}

function requestOf(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  asked: { readonly requires: string; readonly separate: boolean },
) {
  return newRequest({
    ...asked,
    digest: digestOf(parts, considered, call),
    scope: considered.scope,
    tool: call.contract.id,
    classification: considered.classification,
    text: call.taken.shown,
    now: parts.clock.now(),
    random: parts.random,
  })
}
