import { encodeBase64url } from './bytes/base64url.ts'
import { canonicalText, type Limits } from './bytes/canonical.ts'
import { sha256Bytes } from './bytes/digest.ts'
import { isToolName } from './bytes/names.ts'
import type { PolicyPanel } from './decide/panel.ts'
import { type Considered, optional, type Settings } from './pass.ts'
import type { DecisionDraft } from './receipt/claims.ts'
import { commitArguments, commitRequest, saltFor } from './receipt/commit.ts'
import { cut, MOST } from './receipt/limits.ts'
import type { Lineage } from './receipt/lineage.ts'
import { statementBytes } from './receipt/statement.ts'
import type { ApprovalRecord, RandomBytes, RefusalCode, Scope, Sidecar, Signer } from './types.ts'

/** What drafting a decision receipt needs to know of its gate. */
export interface DraftParts {
  readonly settings: Settings
  readonly panel: PolicyPanel
  readonly lineage: Lineage
  readonly signer: Pick<Signer, 'blind'>
  readonly random: RandomBytes
}

/** How the pass ended for this call. Without a `code` the call may run. */
export interface DraftTerms {
  readonly code?: RefusalCode
  readonly basis: DecisionDraft['basis']
  readonly enforced: boolean
  readonly consent?: ApprovalRecord | undefined
  /** What let a call run that no policy answered for. */
  readonly override?: DecisionDraft['override']
  /** Why no gate stood in front of the call; for the receipt's `note`. */
  readonly because?: string
}

/** A decision receipt before the chain signs it, the preimages of its commitments, and the call's own salt, of which theirs are made. */
export interface Drafted {
  readonly draft: DecisionDraft
  readonly sidecar: Sidecar | undefined
  readonly salt: string
}

const SALT_BYTES = 16

/** Conversation ids as receipts hold them. A scope belongs to one gate, so to one signer. */
const blindedConversations = new WeakMap<Scope, string>()

/** Says what was considered and decided: identities and tiers in the clear, arguments and request as salted commitments. */
export function draftDecision(parts: DraftParts, considered: Considered, terms: DraftTerms): Drafted {
  const { panel, settings, signer } = parts
  const { scope, arrival, classification, request, decision } = considered
  const { contract } = arrival
  const snapshot = considered.amended?.snapshot ?? arrival.snapshot
  const salt = encodeBase64url(parts.random(SALT_BYTES))
  const requestText = request === undefined ? undefined : canonicalText(request, around(settings.limits))
  const parents = parts.lineage.parents(scope.trace, arrival.call.step)
  const opening = saltFor('request', salt)
  const draft: DecisionDraft = {
    kind: 'decision',
    trace: scope.trace,
    ...(parents.length === 0 ? {} : { parents }),
    ...(arrival.callKey === undefined ? {} : { call: signer.blind('call', arrival.callKey) }),
    principal: scope.principal,
    ...optional('agent', scope.agent),
    ...optional('conversation', blindedConversation(scope, signer)),
    tool: {
      server: cut(safeName(arrival.server), MOST.server),
      name: safeName(arrival.call.tool),
      ...optional('definition', contract?.definitionDigest),
    },
    ...(snapshot === undefined
      ? {}
      : {
          args: {
            commit: commitArguments(opening, safeName(arrival.server), safeName(arrival.call.tool), snapshot.text),
            bytes: snapshot.bytes.length,
          },
        }),
    ...(requestText === undefined ? {} : { request: commitRequest(opening, requestText) }),
    materiality: classification.materiality,
    surface: classification.surface,
    evidence: classification.evidence.slice(0, MOST.evidence).map(({ source, argues, at, because }) => ({
      source,
      argues,
      at: cut(at, MOST.place),
      because: cut(because, MOST.because),
    })),
    decision: spoken(considered, terms.code),
    basis: terms.basis,
    enforced: terms.enforced,
    ...optional('code', terms.code),
    ...optional('fault', faultOf(considered)),
    policy: {
      digest: considered.policyDigest ?? panel.policyDigest,
      determining: ids(decision?.determining),
      errors: ids(decision?.errors),
    },
    ...(considered.decisionMs === undefined
      ? {}
      : { pdp: { id: cut(panel.id, MOST.policyId), us: microseconds(considered.decisionMs) } }),
    rederivable: panel.rederivable,
    ...obligationsOf(considered),
    ...optional('approval', approvalOf(terms.consent)),
    ...optional('override', terms.override),
    ...(terms.code === undefined ? { permit: { ttlMs: settings.permitTtlMs } } : {}),
    ...optional('note', noteOf(considered, terms.because)),
  }
  const keep = requestText !== undefined && settings.sidecar === 'keep'
  return { draft, salt, sidecar: keep ? { salt, request: requestText } : undefined }
}

/** Whose yes it rests on: who said it, through what, and the digests of what they were shown and of the gate's word for it. */
function approvalOf(consent: ApprovalRecord | undefined): DecisionDraft['approval'] {
  if (consent === undefined || consent.answers.length === 0) return undefined
  const answers = consent.answers.slice(0, MOST.persons).map(({ by, channel, roles, statement }) => ({
    by: cut(by, MOST.id),
    channel,
    ...optional('roles', roles),
    statement: encodeBase64url(sha256Bytes(statementBytes(statement))),
  }))
  return { ref: consent.ref, shown: consent.shown, answers }
}

/** What the permit obliged to. */
function obligationsOf({ amended, decision }: Considered): Pick<DecisionDraft, 'obligations'> {
  const last = decision?.kind === 'permit' ? decision.obligations : []
  const earlier = (amended?.obligations ?? []).filter(
    (one) => !last.some(({ id, type }) => id === one.id && type === one.type),
  )
  const owed = [...earlier, ...last]
  if (owed.length === 0) return {}
  const obligations = owed
    .slice(0, MOST.obligations)
    .map(({ id, type }) => ({ id: cut(id, MOST.policyId), type: cut(type, MOST.obligationType) }))
  return { obligations }
}

/** One line for whoever reads the receipt. */
function noteOf({ amended, arrival: { minted } }: Considered, because: string | undefined): string | undefined {
  if (because !== undefined) return cut(because, MOST.note)
  if (amended !== undefined) return 'obligations changed the arguments; these are the changed ones'
  return minted ? 'the host gave no call id; this one was minted' : undefined
}

/** What a request may hold: the arguments, what was derived of them, and the rest, each within its own bounds. */
function around({ maxDepth, maxNodes, maxBytes }: Limits): Limits {
  return { maxDepth: maxDepth + 16, maxNodes: maxNodes * 4 + 10_000, maxBytes: maxBytes * 4 + 1_048_576 }
}

/** The fault behind a silence, as receipts and events name it. */
export function faultOf(considered: Considered): string | undefined {
  const { decision } = considered
  if (decision?.kind !== 'silence') return undefined
  return decision.cause.kind === 'absent' || decision.cause.kind === 'wrong' ? decision.cause.fault : undefined
}

/** `server/tool`, as people and models read it. */
export function toolName(considered: Considered): string {
  return `${safeName(considered.arrival.server)}/${safeName(considered.arrival.call.tool)}`
}

/** Whole microseconds of a duration in ms; never negative. */
export function microseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1_000))
}

/** What is on record as said: a refused call was never permitted, whatever the policy had answered before. */
function spoken(considered: Considered, code: RefusalCode | undefined): 'permit' | 'deny' | 'silence' {
  const kind = considered.decision?.kind ?? 'silence'
  if (code === undefined) return kind
  return kind === 'deny' ? 'deny' : 'silence'
}

function ids(policies: readonly string[] | undefined): readonly string[] {
  return (policies ?? []).slice(0, MOST.policies).map((id) => cut(id, MOST.policyId))
}

// UNTRUSTED: a name that no tool can have is not repeated to the model, a log or a receipt.
function safeName(name: string): string {
  return isToolName(name) ? name : '(unprintable)'
}

function blindedConversation(scope: Scope, signer: Pick<Signer, 'blind'>): string | undefined {
  if (scope.conversation === undefined) return undefined
  const known = blindedConversations.get(scope)
  if (known !== undefined) return known
  const blinded = signer.blind('conversation', scope.conversation)
  blindedConversations.set(scope, blinded)
  return blinded
}
