import { closed, notAsked, notFound, notTheirs, type Objection } from './approval/entitled.ts'
import { encodeBase64url } from './bytes/base64url.ts'
import { roleIn } from './bytes/requirement.ts'
import type { GateParts } from './parts.ts'
import { optional } from './pass.ts'
import { cut, MOST } from './receipt/limits.ts'
import { sealStatement } from './receipt/statement.ts'
import type {
  Answered,
  AnswerOptions,
  ApprovalAnswer,
  ApprovalRecord,
  Channel,
  PasskeyAssertion,
  RandomBytes,
  Scope,
  Signer,
} from './types.ts'

/** What somebody said, once it is found to be theirs to say. */
export interface Said {
  readonly answer: 'approved' | 'declined'
  readonly by: string
  readonly channel: Channel
  readonly at: number
  readonly reason?: string | undefined
  /** Their own signature. */
  readonly passkey?: PasskeyAssertion | undefined
}

const JTI_BYTES = 16
const NOT_AN_ANSWER: Objection = {
  outcome: 'refused',
  code: 'approval_mismatch',
  message: 'An answer is "approved" or "declined", and nothing else.',
}

/**
 * Records what a view's principal answers. The yes is signed and kept; it is an input to a new decision, never a grant.
 *
 * UNTRUSTED: reference, answer, reason and digest may come from whoever can reach the host.
 */
export async function recordAnswer(
  parts: GateParts,
  scope: Scope,
  ref: string,
  answer: ApprovalAnswer['answer'],
  options: AnswerOptions,
): Promise<Answered> {
  // INVARIANT I4: only the literal yes.
  if (answer !== 'approved' && answer !== 'declined') return NOT_AN_ANSWER
  await parts.recorder.ready()
  const found = await parts.store.get(ref)
  if (found === undefined) return notFound(ref)
  const record = parts.passkeys.isRequired(found.materiality) ? { ...found, passkey: true as const } : found
  const { reason, shown, passkey } = options
  const { id } = scope.principal
  const signed = { by: id, channel: 'webauthn', isSigned: true } as const
  const who = passkey === undefined ? { by: options.by ?? id, channel: options.channel ?? scope.channel } : signed
  const { by, channel } = who
  const answering = { answer, ...who, shown }
  const objection =
    notTheirs(record, scope, answering) ??
    notAsked(record, answering) ??
    (passkey === undefined ? undefined : await unsigned(parts, scope, record, { answer, reason, passkey }))
  if (objection !== undefined) return objection
  const said: Said = { answer, by, channel, reason, passkey, at: parts.clock.now() }
  if (!(await parts.store.answer(ref, signedAnswer(parts.approver(), record, said, parts.random)))) {
    const now = await parts.store.get(ref)
    return now === undefined ? notFound(ref) : (notAsked(now, answering) ?? closed(now))
  }
  parts.emit({ event: 'approval-answered', ref, answer, channel })
  return { outcome: 'recorded', record: (await parts.store.get(ref)) ?? record }
}

/** Why the passkey has not signed this answer, as it would be recorded. */
async function unsigned(
  { passkeys }: GateParts,
  scope: Scope,
  { ref, requestDigest, shown }: ApprovalRecord,
  { answer, reason, passkey }: { readonly passkey: PasskeyAssertion } & Pick<Said, 'answer' | 'reason'>,
): Promise<Objection | undefined> {
  return await passkeys.objection(passkey, scope, { ref, req: requestDigest, shown, answer, reason: ownWords(reason) })
}

/** An answer as a store keeps it, with the gate's signed word for it. */
export function signedAnswer(
  signer: Signer,
  record: ApprovalRecord,
  { answer, by, channel, at, reason, passkey }: Said,
  random: RandomBytes,
): ApprovalAnswer {
  const role = roleIn(record.requires)
  const said = {
    answer,
    by: cut(by, MOST.id),
    channel,
    shown: record.shown,
    ...optional('roles', role === undefined ? undefined : [role]),
    ...optional('reason', ownWords(reason)),
  }
  const statement = sealStatement(signer, {
    v: 1,
    ref: record.ref,
    req: record.requestDigest,
    ...said,
    ...optional('passkey', passkey),
    iat: Math.floor(at / 1_000),
    exp: Math.ceil(record.expiresAt / 1_000),
    jti: encodeBase64url(random(JTI_BYTES)),
  })
  return { ...said, at, statement }
}

function ownWords(reason: string | undefined): string | undefined {
  if (typeof reason !== 'string' || reason.trim() === '') return undefined
  return cut(reason, MOST.reason)
}
