import { type Gate, HoldpointError } from '../../src/index.ts'
import { journalOf } from '../shared/journal.ts'
import { type HostItem, type HostTool, member, textOf } from './host.ts'
import { HOST } from './surroundings.ts'

/** What an app accepts of tools that no gate can stand in front of. */
export interface UngatedOption {
  /** By type (`web_search`), and MCP servers by their `server_label`. */
  readonly ungated?: readonly string[]
}

const ON_THE_PROVIDER = 'runs at OpenAI'
const IN_THE_RUNNER = 'is carried out by the runner itself'
const IN_YOUR_CODE = 'runs in your own code, outside of the functions that are guarded'

/** Calls that the app itself carries out, in a shape that this adapter does not run. */
const LOCAL = new Set(['computer_call', 'local_shell_call', 'shell_call', 'apply_patch_call'])
const LOCAL_TOOLS = new Set(['computer', 'computer_use_preview', 'local_shell', 'shell', 'apply_patch', 'custom'])
/** Items that end in `_call` and are gated. */
const GATED = new Set(['function_call', 'custom_tool_call'])

/**
 * Refuses tools that no gate can stand in front of, unless they are named in `ungated`, and writes down what is seen. An MCP server
 * whose calls are all held for an approval is gated: `answerMcp` decides.
 *
 * @throws HoldpointError ERR_UNGATED
 */
export function acceptHosted(tools: readonly unknown[], gate: Gate, { ungated = [] }: UngatedOption): void {
  const hosted = (tools as readonly HostTool[]).filter((tool) => !isFunction(tool))
  const missing = hosted.filter((tool) => !isHeldMcp(tool) && !ungated.includes(nameOf(tool)))
  if (missing.length > 0) {
    const names = missing.map(nameOf).map((name) => `'${name}'`)
    throw new HoldpointError(
      'ERR_UNGATED',
      `No gate can stand in front of ${missing.map(wordsFor).join(', ')}: the SDK runs none of these as a function. Leave them out, or accept it with { ungated: [${names.join(', ')}] }; an MCP server can be held with require_approval: 'always'.`,
    )
  }
  for (const tool of hosted.filter(isHeldMcp)) gate.register([], { server: nameOf(tool) })
  const seen = hosted.filter((tool) => !isHeldMcp(tool))
  gate.cover(
    HOST,
    seen.map((tool) => ({ tool: nameOf(tool), standing: 'ungated', because: reasonFor(tool) })),
  )
}

function isFunction(tool: HostTool): boolean {
  return tool.type === 'function' || typeof tool.execute === 'function' || member(tool, 'function') !== undefined
}

/** `always` is what the API takes when nothing is said. */
function isHeldMcp({ type, require_approval }: HostTool): boolean {
  return (
    type === 'mcp' && (require_approval === undefined || require_approval === null || require_approval === 'always')
  )
}

function nameOf(tool: HostTool): string {
  return (tool.type === 'mcp' ? textOf(tool, 'server_label') : undefined) ?? String(tool.type)
}

function wordsFor(tool: HostTool): string {
  if (tool.type !== 'mcp') return nameOf(tool)
  const { allowed_tools: allowed } = tool
  return `the MCP server ${nameOf(tool)}${Array.isArray(allowed) ? ` (${allowed.join(', ')})` : ''}`
}

function reasonFor({ type }: HostTool): string {
  return LOCAL_TOOLS.has(String(type)) ? IN_YOUR_CODE : ON_THE_PROVIDER
}

/**
 * What a runner was made with beside its functions: it carries that out by itself, and asks nobody.
 *
 * @throws HoldpointError ERR_UNGATED
 */
export function acceptToolsets(runner: object, gate: Gate, { ungated = [] }: UngatedOption): ReadonlySet<unknown> {
  const toolsets = ['browser', 'computer'].filter((name) => member(runner, name) !== undefined)
  const missing = toolsets.filter((name) => !ungated.includes(name))
  if (missing.length > 0) {
    throw new HoldpointError(
      'ERR_UNGATED',
      `No gate can stand in front of the runner's own ${missing.join(' and ')}. Leave them out, or accept it with { ungated: [${missing.map((name) => `'${name}'`).join(', ')}] }.`,
    )
  }
  gate.cover(
    HOST,
    toolsets.map((tool) => ({ tool, standing: 'ungated', because: IN_THE_RUNNER })),
  )
  const names = member(runner, 'browserNames')
  return names instanceof Set ? names : new Set()
}

/**
 * A `DecisionsToolRunner` has its model choose among actions of the app, whose arguments nobody but their own code knows.
 *
 * @throws HoldpointError ERR_UNGATED
 */
export function refuseDecisions(runner: object): void {
  if (typeof member(member(runner, 'registration'), 'candidates') !== 'function') return
  throw new HoldpointError(
    'ERR_UNGATED',
    'No gate can stand in front of the candidates of a DecisionsToolRunner: each is a function of yours that takes no arguments. Ask the gate inside of each, with gate.run({ tool, input }, execute).',
  )
}

/** Each use of a tool that was not gated leaves a receipt that says so. */
export async function markHosted(
  items: readonly HostItem[],
  gate: Gate,
  isApproved: (item: HostItem) => boolean,
): Promise<void> {
  for (const item of items) {
    const { type = '', server_label: server } = item
    if (!type.endsWith('_call') || GATED.has(type) || isApproved(item)) continue
    const callId = item.call_id ?? item.id ?? type
    if (type === 'mcp_call') await markUse(gate, { tool: item.name ?? type, callId, server }, ON_THE_PROVIDER)
    else
      await markUse(
        gate,
        { tool: type.slice(0, -'_call'.length), callId },
        LOCAL.has(type) ? IN_YOUR_CODE : ON_THE_PROVIDER,
      )
  }
}

/** The same for members of a runner's own toolset, which look like functions. */
export async function markMembers(
  items: readonly HostItem[],
  gate: Gate,
  members: ReadonlySet<unknown>,
): Promise<void> {
  for (const { type, name = '', call_id: callId = '' } of items)
    if (type === 'function_call' && members.has(name)) await markUse(gate, { tool: name, callId }, IN_THE_RUNNER)
}

/** One use. What is marked already is left alone. */
async function markUse(
  gate: Gate,
  { tool, callId, server }: { readonly tool: string; readonly callId: string; readonly server?: string | undefined },
  because: string,
): Promise<void> {
  if (journalOf(gate).find(callId)?.outcome === 'ungated') return
  const place = server === undefined ? {} : { server }
  const receipt = await gate.markUngated({ tool, callId, ...place }, because)
  journalOf(gate).noteUngated(callId, tool, receipt)
  gate.cover(HOST, [{ tool, standing: 'ungated', because }], place)
}
