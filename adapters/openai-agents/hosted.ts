import type { Gate } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import { journalOf, partitionOf } from '../shared/journal.ts'
import { type HostTool, hiddenMember, member } from './host.ts'
import { inspectMcp, withoutForeignYeses } from './hosted-mcp.ts'
import { isRemembered } from './remembered.ts'

/** Uses that are marked already, so that whoever marks them again leaves no second receipt. Oldest first. */
const marked = new WeakMap<Gate, Set<string>>()
const MOST_MARKED = 10_000

/** Parts of a conversation with a hosted tool that are no use of it. */
const NO_USE: ReadonlySet<unknown> = new Set(['mcp_list_tools', 'mcp_approval_request', 'mcp_approval_response'])

/** Why the gate cannot stand in front of a tool. */
export function whyUngated({ type, shell, environment }: HostTool): string {
  const isContainer = type === 'shell' && shell === undefined && environment !== undefined
  return type === 'hosted_tool' || isContainer ? 'runs on the provider' : 'nothing here runs it'
}

/**
 * A tool that runs elsewhere, by the operator's leave. What it loads for the agent to call here goes through the gate: a client's own
 * tool search hands the agent tools that nobody listed.
 */
export function hostedToolFor(tool: HostTool, guard: (found: readonly object[]) => readonly object[]): object {
  const clone = cloneWith(tool, new Map())
  const executor = hiddenMember(tool, 'clientToolSearchExecutor')
  const search = executor === undefined ? undefined : member(tool, executor)
  if (executor === undefined || typeof search !== 'function') return clone
  const guarded = async (asked: unknown) => {
    const found: unknown = await search.call(tool, asked)
    if (typeof found !== 'object' || found === null) return found
    const listed: readonly object[] = Array.isArray(found) ? found : [found]
    return listed.map((each) => (isRemembered(each) ? each : guard([each])[0]))
  }
  Object.defineProperty(clone, executor, { value: guarded, enumerable: false, configurable: true })
  return clone
}

/**
 * Leaves a receipt for every use of a hosted tool in what a model answered or a run brought: it has happened, on the provider's side.
 * `guardAgent` does so by itself for agents whose model is an object.
 *
 * @param items `result.newItems`, `response.output`, or the raw items of either
 * @example
 * const result = await run(agent, 'What is new?')
 * await markHosted(result.newItems, me)
 */
export async function markHosted(items: readonly unknown[], gate: Gate): Promise<void> {
  for (const item of items) {
    const raw = member(item, 'rawItem') ?? item
    if (member(raw, 'type') !== 'hosted_tool_call') continue
    const name = member(raw, 'name')
    if (NO_USE.has(name)) continue
    const callId = idOf(raw)
    if (!isNew(gate, callId)) continue
    const tool = toolNameOf(name)
    const receipt = await gate.markUngated({ tool, callId }, becauseOf(raw))
    journalOf(gate).noteUngated(callId, tool, receipt)
  }
}

/** `web_search_call` is a call of `web_search`; calls of hosted MCP servers all come under the host's one name. */
function toolNameOf(name: unknown): string {
  if (name === 'mcp_call') return 'hosted_mcp'
  return typeof name === 'string' && name !== '' ? name.replace(/_call$/, '') : 'hosted_tool'
}

function becauseOf(raw: unknown): string {
  const data = member(raw, 'providerData')
  const label = member(data, 'server_label')
  const tool = member(data, 'name')
  return typeof label === 'string' ? `runs on the provider: ${label}/${String(tool)}` : 'runs on the provider'
}

function idOf(raw: unknown): string {
  const id = member(raw, 'id') ?? member(raw, 'callId')
  return typeof id === 'string' ? id : ''
}

function isNew(gate: Gate, callId: string): boolean {
  const seen = marked.get(gate) ?? new Set<string>()
  marked.set(gate, seen)
  const key = JSON.stringify([partitionOf(gate), callId])
  if (callId !== '' && seen.has(key)) return false
  seen.add(key)
  for (const oldest of seen) {
    if (seen.size <= MOST_MARKED) break
    seen.delete(oldest)
  }
  return true
}

/**
 * A model that marks what its provider ran, before anything that it asked for runs here, and that is told no yes but the gate's.
 *
 * @param held hosted MCP servers whose calls the gate decides
 */
export function watchedModel(model: object, gate: Gate, held: ReadonlySet<string>): object {
  const met = async (response: unknown) => {
    const items = itemsOf(response)
    const approved = await inspectMcp(items, gate)
    for (const item of approved) isNew(gate, idOf(item))
    await markHosted(items, gate)
  }
  const getResponse = async (request: unknown, ...more: readonly unknown[]) => {
    const asked = withoutForeignYeses(request, gate, held)
    const response: unknown = await Reflect.get(model, 'getResponse').call(model, asked, ...more)
    await met(response)
    return response
  }
  async function* getStreamedResponse(request: unknown, ...more: readonly unknown[]) {
    const asked = withoutForeignYeses(request, gate, held)
    const events: AsyncIterable<unknown> = Reflect.get(model, 'getStreamedResponse').call(model, asked, ...more)
    for await (const event of events) {
      if (member(event, 'type') === 'response_done') await met(member(event, 'response'))
      yield event
    }
  }
  const watched = new Map<PropertyKey, unknown>([
    ['getResponse', getResponse],
    ['getStreamedResponse', getStreamedResponse],
  ])
  return delegating(model, watched)
}

function itemsOf(response: unknown): readonly unknown[] {
  const output = member(response, 'output')
  return Array.isArray(output) ? output : []
}

/** The very object with some members replaced; everything else is done by the original, private members and all. */
export function delegating(original: object, replaced: ReadonlyMap<PropertyKey, unknown>): object {
  return new Proxy(original, {
    get(target, key) {
      if (replaced.has(key)) return replaced.get(key)
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  })
}
