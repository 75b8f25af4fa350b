import { type Gate, type PermittedAdmission, renderAsReason } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import { answerMcpWith, type HeldItem, isApproved, learnListings, settleMcp } from '../shared/held-mcp.ts'
import { type HostTool, member } from './host.ts'

/** What the host asks of the author of a hosted MCP server, for each call that the provider holds. */
type OnApproval = (context: unknown, item: unknown) => Promise<Answer>

interface Answer {
  readonly approve: boolean
  readonly reason?: string
}

/** A hosted MCP server whose every call the provider holds for a yes. */
export function isHeldMcp({ type, providerData }: HostTool): boolean {
  return (
    type === 'hosted_tool' &&
    member(providerData, 'type') === 'mcp' &&
    member(providerData, 'require_approval') === 'always'
  )
}

/** The name of a hosted MCP server: ours and the provider's are the same. */
export function labelOf({ providerData }: HostTool): string {
  const label = member(providerData, 'server_label')
  return typeof label === 'string' ? label : ''
}

/** Is this tool accepted as one that no gate stands in front of, by its name in the host or, an MCP server, by its own? */
export function isAccepted(tool: HostTool, name: string, ungated: readonly string[]): boolean {
  return ungated.includes(name) || ungated.includes(labelOf(tool))
}

/** The server, whose held calls are decided by the gate, and then by its author where they want a word too. */
export function heldMcp(tool: HostTool, gate: Gate): object {
  const { providerData } = tool
  const own = member(providerData, 'on_approval')
  const decide: OnApproval = async (context, item) => {
    const request = heldItem(member(item, 'rawItem'))
    // Without a word of its author the host would ask a person: so does the gate, in its own way.
    const asked = typeof own === 'function' ? {} : { requires: 'confirmation' as const }
    let said: Answer | undefined
    const answer = await answerMcpWith(request, gate, asked, async (admission) => {
      said = typeof own === 'function' ? await own.call(providerData, context, item) : unasked(admission)
      return member(said, 'approve')
    })
    if (answer === undefined) return said ?? NO
    return answer.approve ? YES : { approve: false, reason: renderAsReason(answer.refusal) }
  }
  return cloneWith(tool, new Map([['providerData', { ...Object(providerData), on_approval: decide }]]))
}

const YES: Answer = { approve: true }
const NO: Answer = { approve: false }
const UNASKED = 'This call needs a person’s yes, and holdpoint only observes here: it asked nobody. It did not run.'

/** Observing holds nothing back, but a yes that the host would ask a person for is none of the gate's to give. */
function unasked({ enforced }: PermittedAdmission): Answer {
  return enforced ? YES : { approve: false, reason: UNASKED }
}

/** What a response brings of held servers: their listings, and outcomes of calls that were approved. */
export async function inspectMcp(items: readonly unknown[], gate: Gate): Promise<ReadonlySet<unknown>> {
  const held = new Map(items.map((item) => [heldItem(item), item]))
  const all = [...held.keys()]
  learnListings(all, gate, 'openai-agents')
  const settled = await settleMcp(all, gate, 'openai-agents')
  return new Set([...settled].map((item) => held.get(item)))
}

/**
 * A request as the provider may have it. INVARIANT I4: a yes to a held call is the gate's, and about to be used. Whatever else says yes,
 * such as a saved run or an `alwaysApprove`, is a pointer: the host asks nobody then, so here it becomes a no.
 *
 * @param labels the servers that are held
 */
export function withoutForeignYeses(request: unknown, gate: Gate, labels: ReadonlySet<string>): unknown {
  const input = member(request, 'input')
  if (labels.size === 0 || !Array.isArray(input)) return request
  const requests = input.filter((item) => isOf(item, 'mcp_approval_request'))
  const isHeld = (item: unknown) =>
    !isWholly(item, 'mcp_approval_request') || labels.has(heldItem(item).server_label ?? '')
  const held = new Set(requests.filter(isHeld).map((item) => heldItem(item).id ?? ''))
  const others = new Set(requests.map((item) => heldItem(item).id ?? '').filter((id) => !held.has(id)))
  const calls = input.filter((item) => isWholly(item, 'mcp_call'))
  const over = new Set(calls.map((item) => heldItem(item).approval_request_id ?? ''))
  const checked = input.map((item: unknown) => {
    const id = heldItem(item).approval_request_id ?? ''
    const isYes = isOf(item, ANSWER) && member(member(item, 'providerData'), 'approve') !== false
    const isKnown = id !== '' && (over.has(id) || others.has(id) || isApproved(gate, id))
    if (!isYes || (isKnown && !isTwofold(item))) return item
    return { ...Object(item), providerData: { type: ANSWER, approve: false, approval_request_id: id, reason: UNHEARD } }
  })
  return { ...Object(request), input: checked }
}

const ANSWER = 'mcp_approval_response'
const UNHEARD = 'holdpoint has no yes for this call, whatever the conversation says. It did not run.'

/** The host takes an item for what its name or its data say that it is. UNTRUSTED: in a saved conversation they may differ. */
function isOf(item: unknown, kind: string): boolean {
  return member(item, 'name') === kind || member(member(item, 'providerData'), 'type') === kind
}

function isWholly(item: unknown, kind: string): boolean {
  return member(item, 'name') === kind && member(member(item, 'providerData'), 'type') === kind && !isTwofold(item)
}

/** Has a member two spellings? The host writes both as one: what the provider then reads is not what was read here. */
function isTwofold(item: unknown): boolean {
  const names = Object.keys(Object(member(item, 'providerData')))
  return new Set(names.map((name) => name.replace(/[A-Z]/g, '_$&').toLowerCase())).size < names.length
}

/** An item of the host as the provider's own. UNTRUSTED: a saved conversation holds anything, in either spelling. */
function heldItem(item: unknown): HeldItem {
  const data = member(item, 'providerData')
  const text = (...names: readonly string[]) =>
    names.map((name) => member(data, name)).find((found) => typeof found === 'string') as string | undefined
  const optional = {
    type: text('type') ?? (member(item, 'name') as string | undefined),
    id: text('id') ?? (member(item, 'id') as string | undefined),
    name: text('name'),
    arguments: text('arguments'),
    server_label: text('server_label', 'serverLabel'),
    approval_request_id: text('approval_request_id', 'approvalRequestId'),
  }
  return {
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as HeldItem),
    error: member(data, 'error'),
    output: member(item, 'output'),
    tools: member(data, 'tools'),
  }
}
