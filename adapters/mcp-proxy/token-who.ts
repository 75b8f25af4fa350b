import type { JWTPayload } from 'jose'
import { pathOf } from '../../src/bytes/pointer.ts'
import type { Who } from '../../src/index.ts'

/** Which claims say who asks. A claim inside another is written as a JSON Pointer: `/realm_access/roles`. */
export interface ClaimNames {
  /** A list of roles. Default `roles`. */
  readonly rolesClaim?: string
  /** The tenant. Default: none is read. */
  readonly tenantClaim?: string
  /** The program that asks on the user's behalf, such as `client_id` or `azp`. Default: none is read. */
  readonly agentClaim?: string
}

/** What the gate takes as an id, and how many roles a receipt names. */
const LONGEST_ID = 256
const MOST_ROLES = 64

/**
 * The principal of a token that was checked: `sub` is the user. UNTRUSTED in shape only: what the issuer says, it says; but what
 * is not of the shape that it must have makes the token useless, rather than its bearer somebody with fewer roles.
 *
 * @returns who asks, or a sentence saying what is wrong
 */
export function whoOf(claims: JWTPayload, names: ClaimNames): Who | string {
  const user = claims.sub
  if (!isId(user)) return 'the subject of the token is no usable id'
  const roles = rolesOf(claimAt(claims, names.rolesClaim ?? 'roles'))
  if (roles === undefined) return `the roles of the token are no list of at most ${MOST_ROLES} names`
  const tenant = optional(claims, names.tenantClaim)
  const agent = optional(claims, names.agentClaim)
  if (tenant !== undefined && !isId(tenant)) return 'the tenant of the token is no usable id'
  if (agent !== undefined && !isId(agent)) return 'the agent of the token is no usable id'
  return {
    user,
    ...(agent === undefined ? {} : { agent }),
    ...(roles.length === 0 ? {} : { roles }),
    ...(tenant === undefined ? {} : { tenant }),
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_ID && value.isWellFormed()
}

function rolesOf(said: unknown): readonly string[] | undefined {
  if (said === undefined) return []
  const roles: readonly unknown[] = Array.isArray(said) ? said : [said]
  return roles.length <= MOST_ROLES && roles.every(isId) ? roles : undefined
}

function optional(claims: JWTPayload, name: string | undefined): unknown {
  return name === undefined ? undefined : claimAt(claims, name)
}

function claimAt(claims: JWTPayload, name: string): unknown {
  const path = name.startsWith('/') ? pathOf(name) : [name]
  let found: unknown = claims
  for (const step of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined
    found = (found as Readonly<Record<string, unknown>>)[step]
  }
  return found
}
