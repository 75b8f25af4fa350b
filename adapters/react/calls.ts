import { type HoldpointData, PART_VERSION } from '../shared/part.ts'
import { isRefusal } from '../shared/refusal-shape.ts'

/** A message of `useChat`, as far as it is read here; every `UIMessage` of both majors is one. */
export interface ChatMessage {
  readonly id: string
  readonly role: string
  readonly parts: readonly { readonly type: string }[]
}

/** Where a call stands, for a person. */
export type CallStatus =
  /** It may run, and has no result yet. */
  | 'running'
  | 'ran'
  /** It ran, and its tool gave an error. */
  | 'failed'
  | 'refused'
  /** It waits for this person's yes. */
  | 'waiting'
  /** This person said yes; whether it ran is not known yet. */
  | 'approved'
  /** This person said no. */
  | 'declined'
  /** It ran where no gate can stand. */
  | 'ungated'

/** What is known of one tool call. */
export interface KnownCall {
  readonly kind: 'known'
  readonly toolCallId: string
  readonly status: CallStatus
  readonly data: HoldpointData
  /** What the model asked for, as the chat has it. UNTRUSTED. For what a yes is about, read `data.request.argumentsText`. */
  readonly input: unknown
  /** The id under which the chat answers; absent where it has nothing to answer. */
  readonly approvalId?: string
  /** The very part of the message. */
  readonly part: object
}

/** A part that this version cannot read. Nothing in it is believed, and it is shown as what it is. */
export interface UnknownCall {
  readonly kind: 'unknown'
  /** What it says of its version, as text; absent where it says nothing readable. */
  readonly version?: string
  readonly part: object
}

export type ChatCall = KnownCall | UnknownCall

type Loose = Readonly<Record<string, unknown>>

/** The gate's calls in these messages, in their order. UNTRUSTED: the messages come from a store or a stream. */
export function callsIn(messages: readonly ChatMessage[]): readonly ChatCall[] {
  return messages.flatMap((message) => {
    const tools = new Map(
      message.parts.flatMap((part): readonly [string, Loose][] => {
        const id: unknown = Reflect.get(part, 'toolCallId')
        return isText(id) ? [[id, { ...part }]] : []
      }),
    )
    return message.parts.flatMap((part) => (part.type === 'data-holdpoint' ? [readPart(part, tools)] : []))
  })
}

function readPart(part: object, tools: ReadonlyMap<string, Loose>): ChatCall {
  const data: unknown = Reflect.get(part, 'data')
  if (!isHoldpointData(data)) {
    const version = isRecord(data) ? data['v'] : undefined
    return {
      kind: 'unknown',
      part,
      ...(isText(version) || typeof version === 'number' ? { version: String(version) } : {}),
    }
  }
  const tool = tools.get(data.toolCallId)
  const approval = isRecord(tool?.['approval']) ? tool['approval'] : {}
  const status = statusOf(data, tool, approval)
  return {
    kind: 'known',
    part,
    toolCallId: data.toolCallId,
    status,
    data,
    input: tool?.['input'],
    ...(status === 'waiting' && isText(approval['id']) ? { approvalId: approval['id'] } : {}),
  }
}

/** What the gate said comes first: a host's part never makes a refused call one that ran. */
function statusOf(data: HoldpointData, tool: Loose | undefined, approval: Loose): CallStatus {
  const state = tool?.['state']
  switch (data.outcome) {
    case 'ungated':
      return 'ungated'
    case 'permitted':
      if (state === 'output-error') return 'failed'
      return state === 'output-available' ? 'ran' : 'running'
    case 'refused':
      return data.request === undefined ? 'refused' : askedStatus(data, state, approval)
  }
}

function askedStatus({ request, refusal }: HoldpointData, state: unknown, approval: Loose): CallStatus {
  if (refusal?.code === 'approval_declined') return 'declined'
  // Another person's yes is not this chat's to give.
  if (request?.state !== 'pending' || request.requires !== 'confirmation') return 'refused'
  if (state === 'approval-requested') return 'waiting'
  if (approval['isAutomatic'] === true) return 'refused'
  if (state === 'output-denied') return approval['approved'] === false ? 'declined' : 'refused'
  if (state !== 'approval-responded') return 'refused'
  return approval['approved'] === true ? 'approved' : 'declined'
}

/** Is this what a part of our version says? Whole, since all of it is shown. */
export function isHoldpointData(data: unknown): data is HoldpointData {
  if (!isRecord(data) || data['v'] !== PART_VERSION) return false
  const { toolCallId, tool, outcome, refusal, observed, request, notices, receipts } = data
  return (
    isText(toolCallId) &&
    isText(tool) &&
    OUTCOMES.has(outcome) &&
    (outcome !== 'refused' || refusal !== undefined) &&
    (refusal === undefined || isRefusal(refusal)) &&
    (observed === undefined || isRefusal(observed)) &&
    (request === undefined || isRequest(request)) &&
    (notices === undefined || (Array.isArray(notices) && notices.every(isNotice))) &&
    Array.isArray(receipts) &&
    receipts.every((receipt) => isRecord(receipt) && hasTexts(receipt, ['id', 'kind', 'jws']))
  )
}

const OUTCOMES: ReadonlySet<unknown> = new Set(['permitted', 'refused', 'ungated'])
const STATES: ReadonlySet<unknown> = new Set(['pending', 'approved', 'declined', 'spent', 'expired'])

function isRequest(request: unknown): boolean {
  return (
    isRecord(request) &&
    hasTexts(request, ['ref', 'requires', 'tool', 'materiality', 'because', 'argumentsText']) &&
    hasTextsIfAny(request, ['previousText', 'question', 'shown', 'declinedBecause']) &&
    ['quorum', 'createdAt', 'expiresAt'].every((name) => Number.isFinite(request[name])) &&
    STATES.has(request['state']) &&
    (request['yeses'] === undefined || Number.isFinite(request['yeses'])) &&
    (request['principal'] === undefined || isPerson(request['principal']))
  )
}

function isPerson(principal: unknown): boolean {
  return isRecord(principal) && hasTexts(principal, ['type', 'id']) && hasTextsIfAny(principal, ['tenant'])
}

function isNotice(notice: unknown): boolean {
  if (!isRecord(notice) || !hasTexts(notice, ['kind', 'message'])) return false
  const { changes } = notice
  return (
    changes === undefined ||
    (Array.isArray(changes) &&
      changes.every(
        (change) => isRecord(change) && hasTexts(change, ['path']) && hasTextsIfAny(change, ['from', 'to']),
      ))
  )
}

function hasTexts(value: Loose, names: readonly string[]): boolean {
  return names.every((name) => isText(value[name]))
}

function hasTextsIfAny(value: Loose, names: readonly string[]): boolean {
  return names.every((name) => value[name] === undefined || isText(value[name]))
}

function isRecord(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
