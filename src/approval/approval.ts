import { given, NO_YES } from '../bytes/requirement.ts'
import type {
  ApprovalFacts,
  ApprovalRecord,
  ApprovalRequest,
  ApprovalStore,
  Channel,
  Clock,
  RefusalCode,
} from '../types.ts'

/** How long a request stays open for an answer, and an answer for its use. */
export const APPROVAL_LIFE_MS = 15 * 60_000
/** The longest that a call waits for a connected person. */
export const LONGEST_WAIT_MS = 45_000
/** How long a call goes on waiting when nobody is there any more: somebody may come back. */
export const LONGEST_ABSENCE_MS = 5_000
const GLANCE_MS = 200

/**
 * Does an answer on this channel come from elsewhere than the OS account that the agent may be running under? An MCP form does
 * not: the client that shows it is usually a process of that account.
 */
export function isElsewhere(channel: Channel): boolean {
  return channel === 'chat'
}

/** What a policy may know of a person's yes: exactly what was asked for, nothing more. */
export function approvalFacts(record: ApprovalRecord | undefined): ApprovalFacts {
  return record === undefined ? NO_YES : given(record.requires)
}

/** An approved record, or why there is none yet. */
export type Consent =
  | { readonly given: true; readonly record: ApprovalRecord }
  | { readonly given: false; readonly code: RefusalCode; readonly record: ApprovalRecord }

/**
 * Finds or opens the request for one digest and reads its answer, waiting for a connected person where allowed.
 *
 * Silence, expiry and an aborted call are never a yes. The answer is an input to a new decision; spending it happens in the
 * transaction that claims the call (I2).
 */
export async function seekConsent(
  store: ApprovalStore,
  request: ApprovalRequest,
  terms: {
    readonly wait: boolean
    readonly clock: Clock
    readonly sleep: (ms: number) => Promise<void>
    readonly signal?: AbortSignal | undefined
    readonly opened: (record: ApprovalRecord) => void
  },
): Promise<Consent> {
  const known = await store.find(request.requestDigest)
  if (known !== undefined && isLive(known)) {
    const consent = read(known)
    if (consent.given || known.state === 'declined') return consent
  }
  const record = known !== undefined && isLive(known) ? known : await store.request(request)
  if (record.ref === request.ref) terms.opened(record)
  if (!terms.wait || record.separate === true || !(await store.attended()))
    return read(record, record.ref === request.ref)
  return await waitForAnswer(store, record, terms)
}

/** Waits while somebody is there who could answer. A person who leaves does not hold the call for the rest of the time. */
async function waitForAnswer(
  store: ApprovalStore,
  record: ApprovalRecord,
  terms: {
    readonly clock: Clock
    readonly sleep: (ms: number) => Promise<void>
    readonly signal?: AbortSignal | undefined
  },
): Promise<Consent> {
  const startedAt = terms.clock.monotonic()
  let now = startedAt
  let attendedAt = startedAt
  let latest = record
  while (
    latest.state === 'pending' &&
    now - startedAt < LONGEST_WAIT_MS &&
    now - attendedAt < LONGEST_ABSENCE_MS &&
    terms.signal?.aborted !== true
  ) {
    await terms.sleep(GLANCE_MS)
    latest = (await store.get(record.ref)) ?? latest
    now = terms.clock.monotonic()
    if (await store.attended()) attendedAt = now
  }
  return read(latest)
}

function read(record: ApprovalRecord, isNew = false): Consent {
  switch (record.state) {
    case 'approved':
      return { given: true, record }
    case 'declined':
      return { given: false, code: 'approval_declined', record }
    case 'pending':
      return { given: false, code: isNew ? 'approval_required' : 'approval_pending', record }
    case 'spent':
      return { given: false, code: 'approval_required', record }
    case 'expired':
      return { given: false, code: 'approval_expired', record }
  }
}

function isLive(record: ApprovalRecord): boolean {
  return record.state === 'pending' || record.state === 'approved' || record.state === 'declined'
}
