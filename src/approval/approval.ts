import { personKey } from '../bytes/person.ts'
import { given, NO_YES, roleIn } from '../bytes/requirement.ts'
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
  return channel === 'chat' || channel === 'page' || channel === 'webauthn'
}

/** What a policy may know of a person's yes: exactly what was asked for, nothing more. */
export function approvalFacts(record: ApprovalRecord | undefined): ApprovalFacts {
  return record === undefined ? NO_YES : given(record.requires, NO_YES, record.quorum)
}

/**
 * Is what the store holds the yes that was asked for? It is counted again where it is used.
 *
 * INVARIANT I4: as many different persons as it takes, and in a role none of them the principal.
 */
export function isYes({ state, requires, quorum, principal, answers }: ApprovalRecord): boolean {
  if (state !== 'approved' || answers.some(({ answer }) => answer !== 'approved')) return false
  if (new Set(answers.map(({ by }) => personKey(by))).size < Math.max(quorum, 1)) return false
  const role = roleIn(requires)
  if (role === undefined) return true
  const isOwn = (by: string): boolean => principal.type === 'user' && personKey(by) === personKey(principal.id)
  return answers.every(({ by, roles }) => !isOwn(by) && roles?.includes(role) === true)
}

/**
 * Is this the record of a yes to a call of this principal?
 *
 * INVARIANT I4: whose call it is the gate knows by itself, or whoever can write into the store could make it another person's, and
 * say yes to it. What yes it takes, the policies are asked once more.
 */
function isOf({ principal }: ApprovalRecord, { type, id, tenant }: ApprovalRequest['principal']): boolean {
  return principal.type === type && principal.id === id && principal.tenant === tenant
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
  const record = await standing(store, request)
  const isNew = record.ref === request.ref
  if (isNew) terms.opened(record)
  // Whoever watches is asked for their own yes alone.
  const isForWatcher =
    record.state === 'pending' &&
    record.requires === 'confirmation' &&
    record.separate !== true &&
    record.passkey !== true
  if (!terms.wait || !isForWatcher || !(await store.attended())) return read(record, request, isNew)
  return await waitForAnswer(store, record, request, terms)
}

/** The request for this digest. A look comes first: most calls that are asked about were asked about before. */
async function standing(store: ApprovalStore, request: ApprovalRequest): Promise<ApprovalRecord> {
  const known = await store.find(request.requestDigest)
  if (known?.state === 'declined') return known
  // INVARIANT I3: a yes is to the question that would be asked now, or to none.
  const isSame = known?.shown === request.shown && (known.state === 'pending' || known.state === 'approved')
  return known !== undefined && isSame ? known : await store.request(request)
}

/** Waits while somebody is there who could answer. A person who leaves does not hold the call for the rest of the time. */
async function waitForAnswer(
  store: ApprovalStore,
  record: ApprovalRecord,
  asked: ApprovalRequest,
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
  return read(latest, asked)
}

function read(record: ApprovalRecord, asked: ApprovalRequest, isNew = false): Consent {
  switch (record.state) {
    case 'approved':
      return isOf(record, asked.principal) && isYes(record)
        ? { given: true, record }
        : { given: false, code: 'approval_mismatch', record }
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
