/** What hosts say on stdin: Claude Code's events, and one form of our own for every other host. */
import { z } from 'zod'
import { BUILT_IN_TOOLS, type Naming, toolNameOf } from '../../../adapters/claude-agent/index.ts'
import { parseStrictWithBigints } from '../../bytes/strict-json.ts'
import type { Json, JsonObject, OutcomeStatus, ToolDefinition } from '../../types.ts'
import { reasonOf, UnusableInput } from '../exit.ts'
import type { HookCall } from './gate.ts'
import { MOST_BYTES } from './stdin.ts'

/** Whose protocol the answer is in. */
export type Protocol = 'claude' | 'holdpoint'

/** One event of a host. */
export type Said =
  | { readonly protocol: Protocol; readonly event: 'before'; readonly asked: HookCall; readonly cwd?: string }
  | {
      readonly protocol: Protocol
      readonly event: 'after'
      readonly asked: HookCall
      readonly cwd?: string
      readonly status: OutcomeStatus
      readonly result: unknown
    }

/** Who asks, where the command line says so. */
export interface Asking {
  readonly user?: string
  readonly agent?: string
  readonly servers: Naming['servers']
}

/** As large as results may be: of the arguments the gate judges itself what is too much. */
const LIMITS = { maxBytes: MOST_BYTES, maxNodes: 1_000_000, maxDepth: 256 }

// The strict reader has made sure that it is JSON; integers beyond 2^53 - 1, which results have, are none that any call may have.
const json = z.custom<Json>(() => true)
const object = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
  error: 'must be an object',
})
const id = z.string().min(1).max(256)

/** What Claude Code sends. Other members come with any release, and nothing here reads them. */
const claudeSchema = z.looseObject({
  hook_event_name: z.enum(['PreToolUse', 'PostToolUse', 'PostToolUseFailure']),
  session_id: id,
  tool_name: id,
  tool_use_id: id,
  tool_input: object,
  cwd: z.string().optional(),
  agent_type: id.optional(),
  mcp_server: z.looseObject({ name: z.string(), source: z.string() }).optional(),
  tool_response: json.optional(),
  error: json.optional(),
  is_interrupt: z.boolean().optional(),
})

/** What any other host sends. A member that is not listed is a mistake, and no call is let through by one. */
const ownSchema = z.strictObject({
  event: z.enum(['before', 'after']),
  tool: id,
  server: id.optional(),
  input: object,
  call: id,
  session: id,
  cwd: z.string().optional(),
  status: z.enum(['ok', 'tool_error', 'timeout', 'cancelled']).optional(),
  result: json.optional(),
})

/**
 * Reads one event. UNTRUSTED: a model wrote the arguments in it.
 *
 * @throws UnusableInput
 */
export function readSaid(bytes: Uint8Array, asking: Asking): Said {
  let value: unknown
  try {
    value = parseStrictWithBigints(bytes, LIMITS)
  } catch (error) {
    throw new UnusableInput(`stdin: ${reasonOf(error)}`)
  }
  const isClaude = typeof value === 'object' && value !== null && 'hook_event_name' in value
  return isClaude ? claudeSaid(check(claudeSchema, value), asking) : ownSaid(check(ownSchema, value), asking)
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue === undefined || issue.path.length === 0 ? '' : ` "${issue.path.join('.')}"`
  throw new UnusableInput(`stdin:${where} ${issue?.message ?? 'is no event'}`)
}

function claudeSaid(said: z.infer<typeof claudeSchema>, asking: Asking): Said {
  const { hook_event_name: name, tool_name, mcp_server, agent_type } = said
  const { server, tool, from } = toolNameOf(
    { tool_name, ...(mcp_server === undefined ? {} : { mcp_server }) },
    { servers: asking.servers },
  )
  const built = from === undefined ? BUILT_IN_TOOLS : []
  const asked = askedOf(
    { server, tool, input: said.tool_input, callId: said.tool_use_id, session: said.session_id },
    {
      asking,
      tools: built,
      origin: from === undefined ? 'own' : 'third-party',
      environment: agent_type === undefined ? {} : { subagent: agent_type },
    },
  )
  const common = { protocol: 'claude', asked, ...(said.cwd === undefined ? {} : { cwd: said.cwd }) } as const
  if (name === 'PreToolUse') return { ...common, event: 'before' }
  if (name === 'PostToolUse') return { ...common, event: 'after', status: 'ok', result: said.tool_response }
  return {
    ...common,
    event: 'after',
    status: said.is_interrupt === true ? 'cancelled' : 'tool_error',
    result: said.error,
  }
}

function ownSaid(said: z.infer<typeof ownSchema>, asking: Asking): Said {
  const { server = 'host', tool, input, call: callId, session } = said
  const asked = askedOf({ server, tool, input, callId, session }, { asking, tools: [], origin: 'own', environment: {} })
  const common = { protocol: 'holdpoint', asked, ...(said.cwd === undefined ? {} : { cwd: said.cwd }) } as const
  if (said.event === 'before') return { ...common, event: 'before' }
  if (said.status === undefined) throw new UnusableInput('stdin: an event "after" needs "status"')
  return { ...common, event: 'after', status: said.status, result: said.result }
}

function askedOf(
  said: { server: string; tool: string; input: unknown; callId: string; session: string },
  how: {
    readonly asking: Asking
    readonly tools: readonly ToolDefinition[]
    readonly origin: ToolDefinition['origin']
    readonly environment: { readonly [name: string]: Json }
  },
): HookCall {
  const { server, tool, input, callId, session } = said
  const { asking, tools, origin, environment } = how
  const known = tools.find(({ name }) => name === tool)
  const definition: ToolDefinition = known ?? { name: tool, origin }
  return {
    call: { tool, server, input, callId, definition },
    tools: known === undefined ? [...tools, definition] : tools,
    who: {
      ...(asking.user === undefined ? {} : { user: asking.user }),
      ...(asking.agent === undefined ? {} : { agent: asking.agent }),
    },
    where: { conversation: session, environment },
  }
}
