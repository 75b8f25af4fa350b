import { encodeBase64url } from '../bytes/base64url.ts'
import { counted } from '../bytes/counted.ts'
import { personKey } from '../bytes/person.ts'
import { HoldpointError } from '../errors.ts'
import type { DecisionClaims } from '../receipt/claims.ts'
import type { Findings } from '../receipt/findings.ts'
import type { Accepted } from '../receipt/intake.ts'
import { checkAssertion, passkeyChallenge } from '../receipt/passkey.ts'
import { openStatement, type StatementClaims, statementBytes } from '../receipt/statement.ts'
import type { Anchors } from './anchors.ts'
import type { BundleOpening } from './bundle-text.ts'
import { sha256Bytes } from './ports.ts'
import { open, pass, ran, type Verdict } from './report.ts'

/** How many calls back a statement may be of, and how many statements back one is known again. */
const MOST_BACK = 65_536

/** The channel of an answer that its person signed. */
const OWN = 'webauthn'

type Approval = NonNullable<DecisionClaims['approval']>
type Answers = Extract<Approval, { readonly answers: unknown }>

/** A call that ran on people's yes: what its receipt says of it, and which statements have not come. */
interface Waiting {
  readonly id: string
  readonly index: number
  readonly approval: Answers
  readonly ts: number
  readonly principal: DecisionClaims['principal']
  readonly missing: Set<string>
}

/**
 * That whoever is said to have said yes did, by the word of a key that the caller trusts with approvals. A statement is the gate's
 * word for what its host said of a person. Where the channel is `webauthn` it holds that person's own signature, too, and then that
 * is checked under the passkeys that the caller knows.
 */
export class ApprovalsCheck {
  readonly #findings: Findings
  readonly #anchors: Anchors
  readonly #waiting = new Map<string, Waiting>()
  /** By a statement's digest, the receipt that names it. */
  readonly #named = new Map<string, string>()
  #decisions = 0
  #approved = 0
  #established = 0
  /** Yeses that are said to be signed by their persons. */
  #own = 0

  constructor(findings: Findings, anchors: Anchors) {
    this.#findings = findings
    this.#anchors = anchors
  }

  see({ index, sighted, claims }: Accepted): void {
    if (claims.kind !== 'decision') return
    this.#decisions += 1
    const fail = (why: string): void => this.#findings.fail({ index, receipt: sighted.id, check: 'approvals', why })
    const { approval, basis, permit, code, principal, ts } = claims
    if (basis === 'approval' && approval === undefined) fail('it rests on an approval that it does not name')
    if (approval === undefined || permit === undefined) return
    this.#approved += 1
    if (code !== undefined) fail('it names an approval, and refuses')
    if (!('answers' in approval)) return
    const why = unlike(approval, principal)
    if (why !== undefined) fail(why)
    if (this.#isNamedElsewhere(approval, sighted.hash)) fail('a yes that it rests on is behind another call too')
    const missing = new Set(approval.answers.map(({ statement }) => statement))
    this.#own += approval.answers.filter(({ channel }) => channel === OWN).length
    this.#waiting.set(sighted.hash, { id: sighted.id, index, approval, ts, principal, missing })
    if (this.#waiting.size > MOST_BACK) this.#waiting.delete(this.#waiting.keys().next().value ?? '')
  }

  /** UNTRUSTED: a statement that comes with the bundle. It counts where a receipt names its digest and a trusted key signed it. */
  async statement({ receipt, text }: BundleOpening): Promise<void> {
    const waiting = this.#waiting.get(receipt)
    const digest = encodeBase64url(sha256Bytes(statementBytes(text)))
    const answer = waiting?.approval.answers.find(({ statement }) => statement === digest)
    if (waiting === undefined || answer === undefined) {
      const why = `a statement comes with ${receipt}, which names no such statement`
      this.#findings.fail({ index: -1, check: 'approvals', why })
      return
    }
    const { approval: keys } = this.#anchors
    if (keys === undefined) return
    try {
      const said = await openStatement(text, keys)
      const why = differs(said, waiting, answer) ?? (await this.#foreign(said, waiting))
      if (why !== undefined) throw new HoldpointError('ERR_FORMAT', why)
      // A statement that comes twice establishes no second call.
      if (waiting.missing.delete(digest) && waiting.missing.size === 0) this.#established += 1
    } catch (error) {
      const why = error instanceof Error ? error.message : 'a statement cannot be read'
      this.#findings.fail({ index: waiting.index, receipt: waiting.id, check: 'approvals', why })
    }
  }

  /** INVARIANT I2: one yes runs one call. */
  #isNamedElsewhere({ answers }: Answers, receipt: string): boolean {
    const isUsed = answers.some(({ statement }) => (this.#named.get(statement) ?? receipt) !== receipt)
    for (const { statement } of answers) {
      this.#named.set(statement, receipt)
      if (this.#named.size > MOST_BACK) this.#named.delete(this.#named.keys().next().value ?? '')
    }
    return isUsed
  }

  verdict(): Verdict {
    if (this.#decisions === 0) return open('there is no decision to look at')
    if (this.#approved === 0) return pass('no call ran on a person’s yes')
    const calls = `${ran(this.#approved)} on a person’s yes`
    if (this.#anchors.approval === undefined)
      return open(`${calls}, by the gate’s own word: give the public keys that gates sign answers with`)
    if (this.#established < this.#approved)
      return open(`${calls}; for ${this.#approved - this.#established} of them a signed statement is not here`)
    const words = `${calls}; keys that you trust with approvals signed who said it, and what they were shown`
    if (this.#own === 0) return pass(words)
    const yeses = counted(this.#own, 'yes is', 'yeses are')
    if (this.#anchors.passkeys === undefined)
      return open(`${words}; ${yeses} said to be signed by the person’s own passkey: give the passkeys that you know`)
    return pass(`${words}; ${yeses} signed by the person’s own passkey, which you know`)
  }

  /** Why a statement that says so is not signed by its person; without passkeys to go by, that stays open. */
  async #foreign(said: StatementClaims, { principal }: Waiting): Promise<string | undefined> {
    const { passkey: assertion, channel, by, ref, req, shown, answer, reason } = said
    if ((channel === OWN) !== (assertion !== undefined))
      return 'a statement of its approval has a signature of a person’s own, or says so, and not both'
    const { passkeys } = this.#anchors
    if (assertion === undefined || passkeys === undefined) return undefined
    const known = passkeys.get(assertion.credentialId)
    if (known === undefined) return `${by} is said to have signed its approval with a passkey that you do not know`
    const { user, tenant, rpId, origin } = known.passkey
    if (user !== by || tenant !== principal.tenant)
      return `${by} is said to have signed its approval, with a passkey of somebody else`
    const challenge = passkeyChallenge({ ref, req, shown, answer, reason })
    const found = await checkAssertion(assertion, { key: known.key, rpId, origin, challenge })
    return found.holds ? undefined : `${by} has not signed its approval: ${found.why}`
  }
}

/** What a receipt says of its approval that cannot be, whoever signed it. */
function unlike({ answers }: Answers, { type, id }: DecisionClaims['principal']): string | undefined {
  if (new Set(answers.map(({ by }) => personKey(by))).size < answers.length) return 'it counts one person twice'
  if (new Set(answers.map(({ statement }) => statement)).size < answers.length) return 'it counts one statement twice'
  const isOwn = answers.some(({ by, roles }) => roles !== undefined && personKey(by) === personKey(id))
  return type === 'user' && isOwn ? 'its principal approved it in a role' : undefined
}

/** Where the statement and the receipt say different things. */
function differs(
  said: StatementClaims,
  { approval, ts }: Waiting,
  { by, channel, roles = [] }: Answers['answers'][number],
): string | undefined {
  if (said.answer !== 'approved') return 'a statement of its approval says no'
  if (said.ref !== approval.ref) return 'a statement of its approval is of another request'
  if (said.shown !== approval.shown) return 'a statement of its approval is of another text than was shown'
  if (said.by !== by || said.channel !== channel || JSON.stringify(said.roles ?? []) !== JSON.stringify(roles))
    return 'a statement of its approval names another person, role or channel'
  return ts >= said.exp * 1_000 ? 'its approval had run out' : undefined
}
