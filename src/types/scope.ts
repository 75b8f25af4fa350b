/** On whose behalf, and where. */
import type { JsonObject } from './json.ts'

/** How we know who the principal is. `default` means nobody said: high is refused then. */
export type PrincipalBasis = 'stated' | 'os-user' | 'default'

/** On whose behalf a call is made. With no user, the agent itself is the principal. */
export interface Principal {
  readonly type: 'user' | 'agent'
  readonly id: string
  readonly roles: readonly string[]
  readonly tenant?: string
  readonly basis: PrincipalBasis
}

/**
 * Where a person can answer for this view: a host's own chat, where they are signed in; a page that signs the approver in; the
 * terminal of `watch`; a form of an MCP client (elicitation), which like the terminal is answered from the account that the client
 * runs under. `webauthn` is a page too, where the person's own passkey signed the answer: it is found out, never claimed.
 */
export type Channel = 'chat' | 'page' | 'terminal' | 'elicitation' | 'webauthn' | 'none'

/** What `gate.as` is told about the principal. */
export interface Who {
  /** The authenticated user, as the host knows them. */
  readonly user?: string
  /** The agent that asks on the user's behalf. */
  readonly agent?: string
  readonly roles?: readonly string[]
  readonly tenant?: string
}

/** What `gate.as` is told about the place. The conversation id is the operator's own, never the model's or the client's claim. */
export interface Where {
  readonly conversation?: string
  /** A W3C trace id: 32 lower-case hexadecimal digits. */
  readonly trace?: string
  /** Facts of the environment that policies read as `context.environment`. */
  readonly environment?: JsonObject
  readonly channel?: Channel
}

/** Who and where, resolved: what each admission is bound to. */
export interface Scope {
  readonly principal: Principal
  readonly agent?: string
  readonly conversation?: string
  readonly trace: string
  readonly environment: JsonObject
  readonly channel: Channel
}
