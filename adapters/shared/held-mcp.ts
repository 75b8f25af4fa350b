import type {
  Admission,
  AdmitOptions,
  Call,
  Gate,
  PermittedAdmission,
  Refusal,
  ToolDefinition,
} from '../../src/index.ts'
import { isLegible } from './arguments-text.ts'
import { giveBack } from './carry-out.ts'
import { asksInChat } from './hearing.ts'
import { journalOf } from './journal.ts'
import { isSameJson } from './same-json.ts'

/** An item of the Responses API about an MCP server that OpenAI calls by itself, as far as it is read here. UNTRUSTED. */
export interface HeldItem {
  readonly type?: string
  readonly id?: string
  readonly name?: string
  readonly arguments?: string
  readonly server_label?: string
  readonly approval_request_id?: string | null
  readonly error?: unknown
  readonly output?: unknown
  readonly tools?: unknown
}

/** How long after its approval a call of a hosted MCP server may turn up, ms: whoever asks for no further response never hears of it. */
const LONGEST_CALL_MS = 10 * 60_000
/** Approved calls that one gate waits for. */
const MOST_APPROVED = 1_000

interface Approved {
  readonly request: HeldItem
  readonly admission: PermittedAdmission
  readonly timer: ReturnType<typeof setTimeout>
}

type Settled = Parameters<PermittedAdmission['settle']>[0]

/** By request id: what was approved and has not turned up as a call. */
const approved = new WeakMap<Gate, Map<string, Approved>>()

/** What a hosted MCP server's call is answered with. */
export type McpAnswer = { readonly approve: true } | { readonly approve: false; readonly refusal: Refusal }

/**
 * Decides a call of an MCP server that OpenAI holds for an approval (`require_approval`). A yes is a permit that has begun: the call
 * runs there once, with these very arguments, and its outcome is written when its `mcp_call` comes back.
 */
export async function answerMcp(request: HeldItem, gate: Gate, asked: AskedOfMcp = {}): Promise<McpAnswer> {
  const admission = await gate.admit(callOf(request), { wait: !asksInChat(gate), ...asked })
  return await beginMcp(request, gate, admission)
}

/** What may be said of a held call beside it. */
export type AskedOfMcp = Pick<AdmitOptions, 'signal' | 'requires'>

/**
 * As `answerMcp`, where somebody else has a word too. Policy before person: what is denied is nobody's question.
 *
 * @param person anything but `true` is a no
 * @returns `undefined` where they said no
 */
export async function answerMcpWith(
  request: HeldItem,
  gate: Gate,
  asked: AskedOfMcp,
  person: (admission: PermittedAdmission) => unknown,
): Promise<McpAnswer | undefined> {
  const admission = await gate.admit(callOf(request), { wait: !asksInChat(gate), ...asked })
  if (admission.outcome === 'refused') return await beginMcp(request, gate, admission)
  const isYes = (await person(admission)) === true
  const answer = isYes ? await beginMcp(request, gate, admission) : undefined
  if (answer?.approve === true) return answer
  // A run that is taken up twice shares its admission with the one that has been approved.
  if (!isApproved(gate, request.id ?? '')) await giveBack(admission)
  // A person takes their time, and a permit does not wait for them: the gate is asked anew.
  return isYes ? await answerMcp(request, gate, asked) : undefined
}

async function beginMcp(request: HeldItem, gate: Gate, admission: Admission): Promise<McpAnswer> {
  const { id = '', name = '' } = request
  const record = journalOf(gate).note(id, name, admission)
  if (admission.outcome === 'refused') return { approve: false, refusal: admission.refusal }
  const begun = admission.begin()
  if (begun.outcome === 'refused') {
    record.refusal = begun.refusal
    return { approve: false, refusal: begun.refusal }
  }
  await remember(gate, request, admission)
  return { approve: true }
}

/** The call that is held, for the gate. */
function callOf({ id = '', name = '', arguments: text = '', server_label: server = '' }: HeldItem): Call {
  return { tool: name, server, inputText: text, callId: id }
}

/** Did we approve this call, which has not turned up yet? */
export function isApproved(gate: Gate, id: string): boolean {
  return approved.get(gate)?.has(id) === true
}

/**
 * Did we approve these calls? Then their outcomes are written here.
 *
 * INVARIANT I3: what ran otherwise is not what was approved, and nobody knows how that would have gone.
 */
export async function settleMcp<I extends HeldItem>(
  items: readonly I[],
  gate: Gate,
  host: string,
): Promise<ReadonlySet<I>> {
  const ours = new Set<I>()
  for (const item of items) {
    const { type, approval_request_id: id } = item
    if (type !== 'mcp_call' || typeof id !== 'string') continue
    const known = approved.get(gate)?.get(id)
    if (known === undefined) continue
    ours.add(item)
    approved.get(gate)?.delete(id)
    clearTimeout(known.timer)
    const ending = isSameCall(known.request, item) ? endingOf(item, known.admission) : undefined
    if (ending === undefined) warnOfOther(gate, host, known.request)
    // Of a call that has begun, the gate records that its outcome is unknown.
    const receipt = await known.admission.settle(ending ?? { status: 'not_executed' })
    if (receipt !== undefined) journalOf(gate).find(id)?.receipts.push(receipt)
  }
  return ours
}

function endingOf({ error, output }: HeldItem, admission: PermittedAdmission): Settled {
  const failed = error !== undefined && error !== null
  return failed ? { status: 'tool_error', error } : { status: 'ok', result: admission.reveal(output) }
}

function isSameCall(request: HeldItem, call: HeldItem): boolean {
  const { arguments: decided = '' } = request
  const { arguments: ran = '' } = call
  if (request.name !== call.name || request.server_label !== call.server_label) return false
  return decided === ran || ([decided, ran].every(isLegible) && isSameJson(JSON.parse(decided), JSON.parse(ran)))
}

function warnOfOther(gate: Gate, host: string, { id = '', name = '', server_label: server = '' }: HeldItem): void {
  gate.cover(host, [{ tool: name, standing: 'unknown', because: 'ran otherwise than it was decided' }], { server })
  gate.warn(
    'ran_with_other_arguments',
    `${server}/${name} (request ${id}) ran at OpenAI otherwise than the gate had decided, so its outcome is unknown.`,
  )
}

async function remember(gate: Gate, request: HeldItem, admission: PermittedAdmission): Promise<void> {
  const { id = '' } = request
  const waiting = approved.get(gate) ?? new Map<string, Approved>()
  approved.set(gate, waiting)
  const lost = async () => {
    if (waiting.get(id)?.admission === admission) waiting.delete(id)
    await admission.settle({ status: 'timeout' })
  }
  const timer = setTimeout(() => void lost(), LONGEST_CALL_MS)
  timer.unref()
  // UNTRUSTED: a provider may give one id to two requests. Of the earlier nobody will hear any more.
  const earlier = waiting.get(id)
  waiting.set(id, { request, admission, timer })
  clearTimeout(earlier?.timer)
  if (earlier !== undefined && earlier.admission !== admission) await earlier.admission.settle({ status: 'timeout' })
  for (const [oldest, each] of waiting) {
    if (waiting.size <= MOST_APPROVED) break
    waiting.delete(oldest)
    clearTimeout(each.timer)
    await each.admission.settle({ status: 'timeout' })
  }
}

/**
 * Learns what an MCP server lists, and holds it to its pins. UNTRUSTED: the server's own words.
 */
export function learnListings(items: readonly HeldItem[], gate: Gate, host: string): void {
  for (const { type, server_label: server, tools } of items) {
    if (type !== 'mcp_list_tools' || server === undefined || !Array.isArray(tools)) continue
    const definitions = tools.map(listed)
    try {
      gate.register(definitions, { server, pinned: true })
      gate.cover(
        host,
        definitions.map(({ name }) => ({ tool: name, standing: 'gated' })),
        { server },
      )
    } catch (cause) {
      // Nothing was learned: its calls are refused.
      gate.warn('mcp_listing', cause instanceof Error ? cause.message : String(cause))
    }
  }
}

function listed(tool: unknown): ToolDefinition {
  const description = textIn(tool, 'description')
  const inputSchema = member(tool, 'input_schema')
  const annotations = member(tool, 'annotations')
  return {
    name: textIn(tool, 'name') ?? '',
    origin: 'third-party',
    ...(description === undefined ? {} : { description }),
    ...(typeof inputSchema === 'object' && inputSchema !== null
      ? { inputSchema: inputSchema as object as ToolDefinition['inputSchema'] & object }
      : {}),
    ...(typeof annotations === 'object' && annotations !== null ? { annotations } : {}),
  }
}

function textIn(value: unknown, name: string): string | undefined {
  const found = member(value, name)
  return typeof found === 'string' ? found : undefined
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
