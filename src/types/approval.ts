/** A person’s yes or no. */
import type { Materiality } from './materiality.ts'
import type { Channel } from './scope.ts'

/** A yes that a call waits for: the principal's own, or that of others in a role. Bound to one digest, single use. */
export interface ApprovalRequest {
  /** `hp_` and eight Crockford base32 characters. */
  readonly ref: string
  /** Binds principal, conversation, tool, definition, arguments, environment and policy. */
  readonly requestDigest: string
  /** `confirmation` or `approval:<role>`. */
  readonly requires: string
  /** How many different persons must say yes; one no ends it. 1 for a confirmation. */
  readonly quorum: number
  readonly tool: string
  readonly materiality: Materiality
  readonly principal: { readonly type: string; readonly id: string; readonly tenant?: string }
  readonly conversation?: string
  /** The exact canonical arguments; where more goes to the tool, an object of `arguments` and `beside`. */
  readonly argumentsText: string
  /**
   * The request whose yes came before this one: to the arguments as the call brought them, which policy has changed since. That yes is
   * none to these.
   */
  readonly after?: string
  /** `argumentsText` of the call of this tool and principal that was last approved before, for comparison. */
  readonly previousText?: string
  readonly because: string
  /** What people are asked, in every channel these very words: `questionText`. */
  readonly question: string
  /** SHA-256 of `question`. Whoever answers says by it what they were shown. */
  readonly shown: string
  /** A yes given under this OS account does not count: the agent has a tool that runs code, so it has the account too. */
  readonly separate?: true
  /** Only a yes that the person's own passkey signed counts. */
  readonly passkey?: true
  readonly createdAt: number
  readonly expiresAt: number
}

/** A person's passkey, as the operator registered it: whose it is, and where it may sign (Web Authentication Level 3). */
export interface Passkey {
  /** The user as the host's authentication names them, as in `Who`. */
  readonly user: string
  readonly tenant?: string | undefined
  /** base64url. */
  readonly credentialId: string
  /** A public JWK: P-256 (ES256) or Ed25519. */
  readonly publicKey: Readonly<Record<string, unknown>>
  /** The RP ID that it is of: a domain, such as `shop.example.com`. */
  readonly rpId: string
  /** The origin of the page that it may sign on, such as `https://shop.example.com`. */
  readonly origin: string
}

/** What a passkey signed: the members of an `AuthenticatorAssertionResponse`, and whose it is said to be, each in base64url. */
export interface PasskeyAssertion {
  readonly credentialId: string
  readonly authenticatorData: string
  readonly clientDataJSON: string
  readonly signature: string
}

export type ApprovalState = 'pending' | 'approved' | 'declined' | 'spent' | 'expired'

/** Who answered and through what. A local answer proves somebody with this OS account said yes. */
export interface ApprovalAnswer {
  readonly answer: 'approved' | 'declined'
  readonly by: string
  readonly channel: Channel
  readonly at: number
  /** The digest of what they were shown: that of the request. */
  readonly shown: string
  /** The roles that the host said they have; the role that was asked for is among them. Absent on a confirmation. */
  readonly roles?: readonly string[]
  /** In their own words, for whoever asked. */
  readonly reason?: string
  /** The gate's word for this answer: compact JWS of the type `holdpoint-approval+jwt`. */
  readonly statement: string
}

export interface ApprovalRecord extends ApprovalRequest {
  readonly state: ApprovalState
  /** By different persons, oldest first. */
  readonly answers: readonly ApprovalAnswer[]
}

/** Durable requests and answers. Spending happens inside `commitDecision`. */
export interface ApprovalStore {
  /**
   * Opens a request, or returns the one for the same digest that stands: declined, or still open and with the same question. One
   * with another question ends, and this takes its place. `previousText` is the store's to fill in.
   */
  request(request: ApprovalRequest): Promise<ApprovalRecord>
  /** The live record for a digest, or the newest ended one. */
  find(requestDigest: string): Promise<ApprovalRecord | undefined>
  get(ref: string): Promise<ApprovalRecord | undefined>
  pending(): Promise<readonly ApprovalRecord[]>
  /**
   * Records an answer: a yes to a pending request, once for each person, until there are as many as it takes; a no to a pending or
   * approved one, which ends it for good. False when it takes no such answer (any more).
   */
  answer(ref: string, answer: ApprovalAnswer): Promise<boolean>
  /** Is a person's `watch` connected now? */
  attended(): Promise<boolean>
  /** A watcher says that it is there, until `until`. */
  attend(watcher: string, until: number): Promise<void>
}
