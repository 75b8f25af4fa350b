import { AsyncLocalStorage } from 'node:async_hooks'
import { userInfo } from 'node:os'
import { canonicalText } from './bytes/canonical.ts'
import { HoldpointError } from './errors.ts'
import type { JsonObject, Principal, Scope, Where, Who } from './types.ts'

interface Acting {
  readonly who: Who
  readonly where: Where
}

const acting = new AsyncLocalStorage<Acting>()

/**
 * Runs `body` on behalf of `who`: for module-level agents whose tools were guarded without a view. An explicit view wins.
 *
 * @example
 * await actingAs({ user: 'alice' }, () => agent.generate({ prompt }))
 */
export function actingAs<T>(who: Who, body: () => T, where: Where = {}): T {
  return acting.run({ who, where }, body)
}

/** What the surrounding `actingAs` says, if any. */
export function actor(): Acting | undefined {
  return acting.getStore()
}

/**
 * The principal that `who` names. With a user, the user; with an agent alone, the agent; with neither, the OS user where that is
 * who asks (on a terminal, through a stdio proxy), or else the gate's own agent id, marked `default`: high is refused then.
 *
 * @throws HoldpointError ERR_CONFIG for an id that is empty, too long or not well-formed.
 */
export function principalOf(who: Who, fallback: { readonly agent: string; readonly osUser: boolean }): Principal {
  const more = {
    roles: rolesOf(who.roles ?? []),
    ...(who.tenant === undefined ? {} : { tenant: id(who.tenant, 'tenant') }),
  }
  if (who.user !== undefined) return { type: 'user', id: id(who.user, 'user'), ...more, basis: 'stated' }
  if (who.agent !== undefined) return { type: 'agent', id: id(who.agent, 'agent'), ...more, basis: 'stated' }
  const osUser = fallback.osUser ? osUserName() : undefined
  if (osUser !== undefined) return { type: 'user', id: osUser, ...more, basis: 'os-user' }
  return { type: 'agent', id: fallback.agent, ...more, basis: 'default' }
}

/** Who and where, resolved and checked. `mintTrace` supplies a trace id where none is given. */
export function scopeOf(
  who: Who,
  where: Where,
  fallback: { readonly agent: string; readonly osUser: boolean },
  mintTrace: () => string,
): Scope {
  if (where.trace !== undefined && !/^[0-9a-f]{32}$/.test(where.trace)) {
    throw new HoldpointError('ERR_CONFIG', 'trace must be a W3C trace id: 32 lower-case hexadecimal digits')
  }
  return {
    principal: principalOf(who, fallback),
    ...(who.agent === undefined ? {} : { agent: id(who.agent, 'agent') }),
    ...(where.conversation === undefined ? {} : { conversation: id(where.conversation, 'conversation') }),
    trace: where.trace ?? mintTrace(),
    environment: snapshotOf(where.environment ?? {}),
    channel: where.channel ?? 'none',
  }
}

/** The caller's object must not change under a decision: policies, receipts and digests read one copy. */
function snapshotOf(environment: JsonObject): JsonObject {
  try {
    return JSON.parse(canonicalText(environment)) as JsonObject
  } catch (cause) {
    const at = cause instanceof HoldpointError ? (cause.at ?? '') : ''
    throw new HoldpointError('ERR_CONFIG', `environment${at} is not plain JSON`, { at, cause })
  }
}

const LONGEST_ID = 256
/** As many as a receipt names. */
const MOST_ROLES = 64

function rolesOf(roles: readonly string[]): readonly string[] {
  if (roles.length <= MOST_ROLES) return roles.map((role) => id(role, 'role'))
  throw new HoldpointError(
    'ERR_CONFIG',
    `a principal has at most ${MOST_ROLES} roles, and this one has ${roles.length}`,
  )
}

function id(value: unknown, what: string): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= LONGEST_ID && value.isWellFormed()) return value
  throw new HoldpointError('ERR_CONFIG', `${what} must be a well-formed string of 1 to ${LONGEST_ID} characters`)
}

function osUserName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
