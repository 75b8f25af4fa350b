import { canonicalText } from '../bytes/canonical.ts'
import { sha256 } from '../bytes/digest.ts'
import type { Contract, Scope } from '../types.ts'

/** What makes two calls the same act. */
export interface CallKeyParts {
  readonly scope: Scope
  readonly contract: Contract
  readonly callId: string
  /** The adapter's message count: providers reuse call ids within a conversation. */
  readonly step?: number
  /** The caller's own promise that this is the same act; then nothing but the principal stands beside it. */
  readonly idempotencyKey?: string
  readonly inputDigest: string
}

/** What a person's yes is bound to. */
export interface RequestParts {
  readonly scope: Scope
  readonly contract: Contract
  readonly inputDigest: string
  readonly policyDigest: string
}

/**
 * The call key (DESIGN §6): one execution per key, for as long as the store lives (I2). Never throws, whatever the
 * host's ids hold.
 */
export function callKey(parts: CallKeyParts): string {
  const { scope, contract, callId, step, idempotencyKey, inputDigest } = parts
  if (idempotencyKey !== undefined) return keyed('idempotent-call', [...who(scope), idempotencyKey])
  return keyed('call', [
    ...who(scope),
    scope.conversation ?? null,
    contract.server,
    contract.tool,
    contract.definitionDigest,
    callId,
    step ?? null,
    inputDigest,
  ])
}

/**
 * What an approval binds to: this principal through this agent, here, this tool as it is defined, these arguments, this
 * environment, under this policy. A yes to one is no yes to another (I3).
 *
 * @throws HoldpointError `ERR_ARGUMENTS` when the operator's environment has no canonical form.
 */
export function requestDigest(parts: RequestParts): string {
  const { scope, contract, inputDigest, policyDigest } = parts
  return keyed('request', [
    ...who(scope),
    scope.agent ?? null,
    scope.conversation ?? null,
    contract.server,
    contract.tool,
    contract.definitionDigest,
    inputDigest,
    canonicalText(scope.environment),
    policyDigest,
  ])
}

/** A scope is read for each of its calls. */
const sessionKeys = new WeakMap<Scope, string>()

/** Whose acts policies count together: one principal in one conversation. */
export function sessionKey(scope: Scope): string {
  const known = sessionKeys.get(scope)
  if (known !== undefined) return known
  const key = keyed('session', [...who(scope), scope.conversation ?? null])
  sessionKeys.set(scope, key)
  return key
}

/** Whose acts hours and days add up: one principal, whatever the conversation. */
export function principalKey(scope: Scope): string {
  return keyed('principal', who(scope))
}

/** Roles are left out: they are read anew at each decision, and a changed role makes nobody another person. */
function who({ principal }: Scope): readonly (string | null)[] {
  return [principal.type, principal.id, principal.tenant ?? null]
}

/**
 * Hashes a flat list under a label of its own, so that no kind of key can stand for another.
 *
 * `JSON.stringify` of such a list is its RFC 8785 text. It also writes a lone surrogate as an escape, so an id that no
 * canonical text can hold still gets a key of its own instead of an error.
 */
function keyed(label: string, parts: readonly (string | number | null)[]): string {
  return sha256(JSON.stringify([`holdpoint/${label}/v1`, ...parts]))
}
