import { HoldpointError } from '../errors.ts'
import type {
  ApprovalFacts,
  Decision,
  DerivedFacts,
  EvaluationRequest,
  JsonObject,
  Materiality,
  SessionFacts,
  Surface,
} from '../types.ts'
import type { PolicyFunction } from './function.ts'

/** What a rule may answer: see {@link createFunctionPoint}. */
export type PolicyAnswer =
  | 'permit'
  | 'deny'
  | { readonly deny: string }
  /** A permit once the principal (`confirmation`), or so many different persons in that role (1 unless said), said yes. */
  | { readonly ask: string; readonly quorum?: number; readonly say?: string }

/** One call as a rule sees it: what Cedar policies read, with the arguments typed. */
export interface RuledCall<ARGUMENTS> {
  readonly args: ARGUMENTS
  readonly principal: {
    readonly type: 'user' | 'agent'
    readonly id: string
    readonly roles: readonly string[]
    readonly tenant?: string
  }
  /** The agent that asks, where the principal is a user. */
  readonly agent?: string
  /** `server/tool`. */
  readonly tool: string
  readonly materiality: Materiality
  readonly surface: Surface
  readonly derived: DerivedFacts
  readonly environment: JsonObject
  readonly session: SessionFacts
  readonly approval: ApprovalFacts
  /** Aborted when the answer is no longer waited for. */
  readonly signal: AbortSignal
}

/** Says whether a call may run. */
export type PolicyRule<ARGUMENTS> = (call: RuledCall<ARGUMENTS>) => PolicyAnswer | Promise<PolicyAnswer>

/** The arguments that a tool takes: what its input schema yields. */
export type ArgumentsOf<TOOL> = TOOL extends { readonly inputSchema: infer SCHEMA }
  ? Known<OutputOf<SCHEMA>>
  : JsonObject
type Known<ARGUMENTS> = [ARGUMENTS] extends [never] ? JsonObject : ARGUMENTS
/** For AI SDK schemas (`_type`), Standard Schemas such as zod's (`~standard`), and functions that return one of the former. */
type OutputOf<SCHEMA> = SCHEMA extends { readonly _type: infer OUTPUT }
  ? OUTPUT
  : SCHEMA extends { readonly '~standard': { readonly types?: { readonly output: infer OUTPUT } | undefined } }
    ? OUTPUT
    : SCHEMA extends () => { readonly _type: infer OUTPUT }
      ? OUTPUT
      : never

/** A rule for each tool: `refund` for one's own, `files/write_file` for another server's. */
export type PolicyRules<TOOLS> = {
  readonly [NAME in keyof TOOLS]?: PolicyRule<ArgumentsOf<TOOLS[NAME]>>
} & { readonly [id: `${string}/${string}`]: PolicyRule<JsonObject> }

/**
 * A policy in TypeScript: a rule for each tool, its arguments typed by the tool set. Hand it to `createGate({ policy })`. A tool
 * without a rule is refused (`no_permit`), unless `others` answers for it.
 *
 * The rules run in this process, so decisions cannot be derived again from receipts alone, and arguments are what the model
 * sent, checked against the tool's schema; whatever a rule throws or answers otherwise refuses the call.
 *
 * @param others answers for every tool that has no rule of its own
 * @throws HoldpointError ERR_CONFIG for a rule that is no function
 * @example
 * const refunds = policy<typeof tools>({
 *   refund: ({ args, principal }) =>
 *     args.amount <= 500 || principal.roles.includes('finance') ? 'permit' : { ask: 'confirmation' },
 * })
 */
export function policy<TOOLS>(rules: PolicyRules<TOOLS>, others?: PolicyRule<JsonObject>): PolicyFunction {
  const byName = new Map<string, PolicyRule<never>>()
  for (const [name, rule] of Object.entries({ ...rules }) as readonly (readonly [string, unknown])[]) {
    if (rule === undefined) continue
    if (typeof rule !== 'function') {
      throw new HoldpointError('ERR_CONFIG', `policy: the rule for "${name}" must be a function, not ${typeof rule}`, {
        at: name,
      })
    }
    byName.set(name, rule as PolicyRule<never>)
  }
  const decide: PolicyFunction = (request, { signal, server }) => {
    const { id, properties } = request.resource
    // A bare name means one's own tool: another server's of the same name is another tool.
    const own = properties.server === server ? byName.get(id.slice(server.length + 1)) : undefined
    const rule = byName.get(id) ?? own ?? others
    return rule === undefined ? NO_RULE : rule(ruledCall(request, signal) as RuledCall<never>)
  }
  // The digest of a policy in code is that of its text, and the text of this one is that of its rules.
  const texts = [...byName, ['', others ?? 'no others'] as const].map(([name, rule]) => `${name}: ${rule.toString()}`)
  return Object.defineProperty(decide, 'toString', { value: () => texts.sort().join('\n') })
}

const NO_RULE: Decision = { kind: 'silence', cause: { kind: 'no_permit' }, determining: [], errors: [] }

function ruledCall({ subject, resource, context }: EvaluationRequest, signal: AbortSignal): RuledCall<unknown> {
  const { roles, tenant } = subject.properties
  return {
    args: context.arguments,
    principal: {
      type: subject.type,
      id: subject.id,
      roles: Array.isArray(roles) ? (roles as readonly string[]) : [],
      ...(typeof tenant === 'string' ? { tenant } : {}),
    },
    ...(context.agent === undefined ? {} : { agent: context.agent }),
    tool: resource.id,
    materiality: resource.properties.materiality,
    surface: resource.properties.surface,
    derived: context.derived,
    environment: context.environment,
    session: context.session,
    approval: context.approval,
    signal,
  }
}
