import * as z from 'zod/mini'
import { MATERIALITIES, SURFACES } from '../types.ts'
import { MOST } from './limits.ts'
import { strictObject } from './strict-object.ts'

/**
 * What a receipt says: the payload of each kind, version 1. Browser-safe.
 *
 * Integers only, no null, no unknown members, well-formed strings; the wire form is the RFC 8785 text of these members.
 * Nothing here holds a tool's arguments or a value that can be guessed from a digest: those are salted or keyed.
 */

const text = (most: number) => z.string().check(z.maxLength(most))
const matching = (form: RegExp) => z.string().check(z.regex(form))
const count = z.int().check(z.nonnegative())
/** At most so many, and at least `least` where it is said. */
const list = <T extends z.core.$ZodType>(each: T, most: number, least = 0) =>
  z.readonly(z.array(each).check(z.minLength(least), z.maxLength(most)))
/** SHA-256, base64url without padding. */
const digest = matching(/^[A-Za-z0-9_-]{43}$/)
const streamId = matching(/^[A-Za-z0-9_-]{22}$/)
const word = matching(/^[a-z][a-z0-9_]{0,63}$/)

const chainMembers = {
  v: z.literal(1),
  /** The gate's own name, as its operator configured it. */
  iss: text(MOST.name),
  /** 128 random bits, base64url: one contiguous run of receipts of one gate process. */
  stream: streamId,
  /** From 0, without a hole. */
  seq: count,
  /** Hash of the receipt before this one in its stream; absent at `seq` 0 alone. */
  prev: z.optional(digest),
  /** Wall clock, ms since the Unix epoch. */
  ts: count,
  /** Monotonic clock, µs. Comparable inside one stream only. */
  mono: count,
}

const open = {
  kind: z.literal('open'),
  /** holdpoint's version. */
  build: text(64),
  config: digest,
  policy: digest,
  /** Digest of the trusted keys that this gate was configured with. */
  trust: digest,
  mode: z.enum(['enforce', 'observe']),
  /** When observe mode ends, ms since the Unix epoch. */
  until: z.optional(count),
  /** RFC 7638 thumbprint of the key that signs this stream. */
  kid: digest,
  /** The newest receipt that this stream's writer knows of an earlier stream of its slot. */
  last: z.optional(strictObject({ stream: streamId, seq: count, hash: digest })),
}

const principal = strictObject({
  type: z.enum(['user', 'agent']),
  id: text(MOST.id),
  roles: z.optional(list(text(MOST.name), MOST.roles)),
  tenant: z.optional(text(MOST.name)),
  basis: z.enum(['stated', 'os-user', 'default']),
})

const tier = z.enum(MATERIALITIES)

const surface = z.enum(SURFACES)

const evidence = strictObject({
  source: z.enum(['operator', 'definition', 'arguments', 'schema', 'name', 'description', 'annotations', 'default']),
  argues: tier,
  surface: z.optional(surface),
  at: text(MOST.place),
  because: text(MOST.because),
})

const commitment = strictObject({ commit: digest, bytes: count })

const decision = {
  kind: z.literal('decision'),
  /** The call key, keyed with the gate's own secret: equal for the same call, useless for guessing. */
  call: z.optional(digest),
  principal,
  agent: z.optional(text(MOST.id)),
  /** The conversation id, keyed like `call`. */
  conversation: z.optional(digest),
  tool: strictObject({ server: text(MOST.server), name: text(MOST.name), definition: z.optional(digest) }),
  args: z.optional(commitment),
  /** Salted commitment to the canonical evaluation request. */
  request: z.optional(digest),
  materiality: tier,
  surface,
  evidence: list(evidence, MOST.evidence),
  decision: z.enum(['permit', 'deny', 'silence']),
  /** What the ruling rests on; `gate` is holdpoint itself, before or after the policy spoke. */
  basis: z.enum(['pdp', 'approval', 'fail_open', 'override', 'ungated', 'input', 'replay', 'gate']),
  /** False in observe mode, and for a tool that cannot be gated: nothing was held back. */
  enforced: z.boolean(),
  /** The refusal's code. Absent when the call may run. */
  code: z.optional(word),
  /** What went wrong with the answer, when none or none usable came. */
  fault: z.optional(word),
  policy: strictObject({
    digest,
    determining: list(text(MOST.policyId), MOST.policies),
    errors: list(text(MOST.policyId), MOST.policies),
  }),
  /** The policy decision point, and how long it took in µs. */
  pdp: z.optional(strictObject({ id: text(MOST.policyId), us: count })),
  /** True when the decision can be derived again from the opened request and the policy. */
  rederivable: z.boolean(),
  obligations: z.optional(
    list(strictObject({ id: text(MOST.policyId), type: text(MOST.obligationType) }), MOST.obligations),
  ),
  /** The yes that a permit rests on. */
  approval: z.optional(
    z.union([
      strictObject({
        ref: text(64),
        /** SHA-256 of the text that people were shown. */
        shown: digest,
        /** By different persons; `statement` is the SHA-256 of the payload of the gate's signed word for the answer. */
        answers: list(
          strictObject({
            by: text(MOST.id),
            channel: text(32),
            roles: z.optional(list(text(MOST.name), MOST.roles)),
            statement: digest,
          }),
          MOST.persons,
          1,
        ),
      }),
      /** As receipts had it when one person answered, and no statement was signed. */
      strictObject({ ref: text(64), by: text(MOST.id), channel: text(32) }),
    ]),
  ),
  /** The signed override that a medium call ran on because no policy answered. */
  override: z.optional(
    strictObject({
      /** `ov_` and the first 16 bytes of `digest` in Crockford base32. */
      id: matching(/^ov_[0-9a-z]{26}$/),
      /** SHA-256 of the payload that was signed. */
      digest,
      /** RFC 7638 thumbprints of the trusted keys that signed it. */
      by: list(digest, 8, 1),
      reason: text(256),
      ticket: text(64),
      /** The most uses that it was signed for. */
      most: z.int().check(z.minimum(1), z.maximum(1_000)),
    }),
  ),
  /** Present exactly when the call key was claimed and the call may run once: an outcome is then owed. */
  permit: z.optional(strictObject({ ttlMs: count })),
  /** Hashes of the receipts that the model had seen: the edges of the trace. Sorted. */
  parents: z.optional(list(digest, MOST.parents)),
  /** One line of the operator's or the gate's own, such as why a tool is `ungated`. */
  note: z.optional(text(MOST.note)),
}

const outcome = {
  kind: z.literal('outcome'),
  /** Hash of the decision receipt that permitted the call. */
  decision: digest,
  status: z.enum(['ok', 'tool_error', 'timeout', 'cancelled', 'not_executed', 'unknown']),
  result: z.optional(commitment),
  /** From the start of the pass to the end of the call, µs: deciding, waiting for a person and running. */
  us: z.optional(count),
  /** True when written after a crash by the process that took over. */
  recovered: z.optional(z.boolean()),
}

const seal = {
  kind: z.literal('seal'),
  /** Receipts that this gate wrote before the seal. */
  count,
  /** Permits that had no outcome when the stream was sealed. */
  open_calls: count,
  status: z.enum(['complete', 'interrupted']),
}

/** A public key as receipts hold it: the members of its RFC 7638 thumbprint, and no others. */
const publicKey = z.discriminatedUnion('kty', [
  strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: digest }),
  strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: digest, y: digest }),
])

/** The key of this stream vouches for another. */
const keyAdd = {
  kind: z.literal('key'),
  act: z.literal('add'),
  key: publicKey,
  /** The new key's RFC 7638 thumbprint. */
  kid: digest,
  /** The new key's own word (`key-proof.ts`): a compact JWS of the type `holdpoint-key+jwt`. */
  proof: text(2_048),
}

/** Another key than this stream's signs no more: whatever it signs behind this place of the log counts for nothing. */
const keyRetire = { kind: z.literal('key'), act: z.literal('retire'), kid: digest }

/** A W3C trace id: 32 lower-case hexadecimal digits. */
const trace = {
  trace: z.optional(matching(/^[0-9a-f]{32}$/)),
}

const openClaims = strictObject({ ...chainMembers, ...trace, ...open })
const decisionClaims = strictObject({ ...chainMembers, ...trace, ...decision })
const outcomeClaims = strictObject({ ...chainMembers, ...trace, ...outcome })
const sealClaims = strictObject({ ...chainMembers, ...trace, ...seal })
const keyClaims = z.discriminatedUnion('act', [
  strictObject({ ...chainMembers, ...trace, ...keyAdd }),
  strictObject({ ...chainMembers, ...trace, ...keyRetire }),
])

/** Any receipt's payload. */
export const receiptClaims = z.discriminatedUnion('kind', [
  openClaims,
  decisionClaims,
  outcomeClaims,
  sealClaims,
  keyClaims,
])

export type OpenClaims = z.infer<typeof openClaims>
export type DecisionClaims = z.infer<typeof decisionClaims>
export type OutcomeClaims = z.infer<typeof outcomeClaims>
export type SealClaims = z.infer<typeof sealClaims>
export type KeyClaims = z.infer<typeof keyClaims>
export type ReceiptClaims = OpenClaims | DecisionClaims | OutcomeClaims | SealClaims | KeyClaims

/** The members that the chain adds to what a stage says. */
type ChainMember = keyof typeof chainMembers
/** `last` of the first stream is given to the chain; of later ones it is the chain's own. */
export type OpenDraft = Omit<OpenClaims, ChainMember | 'last' | 'kid'>
export type DecisionDraft = Omit<DecisionClaims, ChainMember>
export type OutcomeDraft = Omit<OutcomeClaims, ChainMember>
export type SealDraft = Omit<SealClaims, ChainMember>
type KeyAdd = Extract<KeyClaims, { readonly act: 'add' }>
type KeyRetire = Extract<KeyClaims, { readonly act: 'retire' }>
export type KeyDraft = Omit<KeyAdd, ChainMember> | Omit<KeyRetire, ChainMember>
/** What a stage wants said; the chain adds issuer, stream, sequence, predecessor and time. */
export type DraftClaims = DecisionDraft | OutcomeDraft | SealDraft | KeyDraft
/** Everything that a receipt says of itself, before it has a place in a chain. */
export type Unchained = DraftClaims | Omit<OpenClaims, ChainMember>
