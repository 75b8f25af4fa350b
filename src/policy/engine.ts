import {
  type AuthorizationAnswer,
  type DetailedError,
  type Policy,
  preparsePolicySet,
  type StatefulAuthorizationCall,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs'
import { HoldpointError } from '../errors.ts'

/** A question to the engine, without the name of the policies that answer it. */
export type Question = Pick<StatefulAuthorizationCall, 'principal' | 'action' | 'resource' | 'context' | 'entities'>

/** What the engine said: the ids of policies whose conditions hold, and of those that erred. */
export type Answer =
  | {
      readonly kind: 'answered'
      readonly allows: boolean
      readonly determining: readonly string[]
      readonly errors: readonly string[]
    }
  | { readonly kind: 'failed'; readonly detail: string }

/** Policies that the engine holds parsed. */
export interface ParsedPolicies {
  answer(question: Question): Answer
}

/** Parsed sets kept at once; the one held longest makes room. */
const MOST_SETS = 64

/** The id of the policy in a set that made room. It can only ever answer "not here". */
const EVICTED = 'holdpoint:evicted'
const ROOM_MADE = { staticPolicies: { [EVICTED]: 'forbid (principal, action, resource);' } }

/** Names of the sets that this module holds, the one held longest first. */
const held = new Set<string>()

/**
 * Parses policies once and answers from the engine's cache. That cache belongs to the process and cannot forget: names
 * are digests of what they hold, so two gates never read each other's policies, and at most {@link MOST_SETS} are full.
 *
 * @param name a digest of `policies`: the same name always means the same policies
 * @throws HoldpointError ERR_POLICY when the engine does not take them
 */
export function parsePolicies(name: string, policies: ReadonlyMap<string, Policy>): ParsedPolicies {
  const staticPolicies = Object.fromEntries(policies)
  const hold = (): void => {
    const parsed = preparsePolicySet(name, { staticPolicies })
    if (parsed.type === 'failure') throw new HoldpointError('ERR_POLICY', describe(parsed.errors))
    held.add(name)
    for (const oldest of held) {
      if (held.size <= MOST_SETS) break
      held.delete(oldest)
      preparsePolicySet(oldest, ROOM_MADE)
    }
  }
  const ask = (question: Question): AuthorizationAnswer =>
    statefulIsAuthorized({ ...question, preparsedPolicySetId: name })
  hold()
  return {
    answer(question) {
      const answer = ask(question)
      // We, or another copy of this package in the process, made room for others: parse again, ask again.
      if (!madeRoom(answer)) return read(answer)
      hold()
      const second = ask(question)
      return madeRoom(second)
        ? { kind: 'failed', detail: 'the parsed policies are gone from the engine' }
        : read(second)
    },
  }
}

function madeRoom(answer: AuthorizationAnswer): boolean {
  return answer.type === 'success' && answer.response.diagnostics.reason[0] === EVICTED
}

function read(answer: AuthorizationAnswer): Answer {
  if (answer.type !== 'success') return { kind: 'failed', detail: describe(answer.errors) }
  const { decision, diagnostics } = answer.response
  return {
    kind: 'answered',
    allows: decision === 'allow',
    determining: diagnostics.reason,
    errors: diagnostics.errors.map((error) => error.policyId),
  }
}

function describe(errors: readonly DetailedError[]): string {
  return errors.map((error) => error.message).join('; ') || 'the engine gave no reason'
}
