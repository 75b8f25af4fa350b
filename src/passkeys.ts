import type { Objection } from './approval/entitled.ts'
import { HoldpointError } from './errors.ts'
import { type AnswerSigned, assertionClaims, checkAssertion, passkeyChallenge } from './receipt/passkey.ts'
import { importPasskeys, type PasskeyRing } from './receipt/passkey-ring.ts'
import { statementSays } from './receipt/statement.ts'
import type {
  ApprovalAnswer,
  ApprovalRecord,
  ApprovalRequest,
  Materiality,
  Passkey,
  PasskeyAssertion,
  RefusalCode,
  Scope,
} from './types.ts'

/** What the operator says of people's own signatures. */
export interface PasskeySettings {
  readonly passkeys?: readonly Passkey[] | undefined
  /** Which yeses have to be signed by their persons' passkeys: those to high calls, or all. None unless said. */
  readonly requirePasskey?: 'high' | 'all' | undefined
}

/** The passkeys that the operator registered: what makes a yes a person's own signature, and where it has to be one. */
export class Passkeys {
  readonly #passkeys: readonly Passkey[]
  readonly #required: PasskeySettings['requirePasskey']
  /** The counter of each passkey's assertion that was last taken here. */
  readonly #counters = new Map<string, number>()
  #ring: Promise<PasskeyRing> | undefined

  /** @throws HoldpointError ERR_CONFIG where a signature is required that nobody could give */
  constructor({ passkeys = [], requirePasskey }: PasskeySettings) {
    this.#passkeys = passkeys
    this.#required = requirePasskey
    if (requirePasskey !== undefined && passkeys.length === 0)
      throw new HoldpointError('ERR_CONFIG', 'approvals: "requirePasskey" needs "passkeys": nobody could say yes', {
        at: 'approvals.requirePasskey',
      })
  }

  /** @throws HoldpointError ERR_KEY for a key that cannot be used */
  async ready(): Promise<void> {
    await this.#known()
  }

  /** Does a yes to a call of this materiality have to be the person's own signature? */
  isRequired(materiality: Materiality): boolean {
    return this.#required === 'all' || (this.#required === 'high' && materiality === 'high')
  }

  /** Those of a person that a host has signed in. */
  of({ principal, agent }: Scope): readonly Passkey[] {
    if (principal.type !== 'user' || principal.basis !== 'stated' || agent !== undefined) return []
    return this.#passkeys.filter(({ user, tenant }) => user === principal.id && tenant === principal.tenant)
  }

  /**
   * Why this is not the signature of this view's person under this answer; `undefined` where it is.
   *
   * INVARIANT I4: a session vouches for the person and the passkey must be that person's: neither is enough.
   */
  async objection(assertion: PasskeyAssertion, scope: Scope, signed: AnswerSigned): Promise<Objection | undefined> {
    // INVARIANT I6: what fits no statement is signed by nobody.
    if (!assertionClaims.safeParse(assertion).success) return refused('by', 'it is not what a passkey signs')
    const known = (await this.#known()).get(assertion.credentialId)
    if (known === undefined || !this.of(scope).includes(known.passkey)) return refused('by', 'no passkey of yours')
    const { rpId, origin } = known.passkey
    const found = await checkAssertion(assertion, { key: known.key, rpId, origin, challenge: passkeyChallenge(signed) })
    if (!found.holds) return refused(found.fault, found.why)
    return this.#counts(assertion.credentialId, found.signCount) ? undefined : refused('by', 'its counter went back')
  }

  /**
   * Why the yeses on record are not what is needed here; `undefined` where they are. What claims to be a person's signature is
   * checked again where it is used, under the operator's keys: whoever can write into the store cannot write one.
   *
   * @param asked what would be asked about the call now
   */
  async against(
    { answers }: ApprovalRecord,
    asked: ApprovalRequest,
    materiality: Materiality,
  ): Promise<Extract<RefusalCode, 'approval_mismatch' | 'approver_not_separate'> | undefined> {
    for (const said of answers) {
      if (said.channel !== 'webauthn' && this.isRequired(materiality)) return 'approver_not_separate'
      if (said.channel === 'webauthn' && !(await this.#isSigned(said, asked))) return 'approval_mismatch'
    }
    return undefined
  }

  /** UNTRUSTED: an answer as a store gives it. */
  async #isSigned({ by, answer, reason, statement }: ApprovalAnswer, asked: AskedFor): Promise<boolean> {
    const assertion = statementSays(statement)?.passkey
    const known = assertion === undefined ? undefined : (await this.#known()).get(assertion.credentialId)
    if (assertion === undefined || known === undefined) return false
    const { rpId, origin, user, tenant } = known.passkey
    if (user !== by || tenant !== asked.principal.tenant) return false
    const { ref, requestDigest: req, shown } = asked
    const challenge = passkeyChallenge({ ref, req, shown, answer, reason })
    return (await checkAssertion(assertion, { key: known.key, rpId, origin, challenge })).holds === true
  }

  /** §7.2, step 22: a counter that counts never stands still, or there are two of this passkey. */
  #counts(credentialId: string, count: number): boolean {
    const last = this.#counters.get(credentialId) ?? 0
    if ((count > 0 || last > 0) && count <= last) return false
    this.#counters.set(credentialId, count)
    return true
  }

  #known(): Promise<PasskeyRing> {
    this.#ring ??= importPasskeys(this.#passkeys)
    return this.#ring
  }
}

type AskedFor = Pick<ApprovalRequest, 'ref' | 'requestDigest' | 'shown' | 'principal'>

function refused(fault: 'about' | 'by', why: string): Objection {
  return fault === 'about'
    ? { outcome: 'refused', code: 'approval_mismatch', message: `What your passkey signed is not this answer: ${why}.` }
    : { outcome: 'refused', code: 'approver_not_separate', message: `This is not your own signature: ${why}.` }
}
