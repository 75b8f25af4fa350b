import { dataPart } from '../../../adapters/ai-sdk/data-part.ts'
import type { ChatMessage } from '../../../adapters/react/calls.ts'
import { Journal } from '../../../adapters/shared/journal.ts'
import type { HoldpointData } from '../../../adapters/shared/part.ts'
import { createGate } from '../../../src/create-gate.ts'
import { createMemoryStore, generateSigner, testGate } from '../../../src/testing.ts'
import type { AdmitOptions, Gate, JsonObject, Obligation, Signer } from '../../../src/types.ts'
import { PERMIT, scriptedPoint } from '../../support/scripted-point.ts'

/** A message of a chat with one call of a real gate: the host's own part, and ours. */
export type StateName =
  | 'refused'
  | 'refused-role'
  | 'asking'
  | 'asking-again'
  | 'hostile'
  | 'approved'
  | 'declined'
  | 'expired'
  | 'ran'
  | 'failed-open'
  | 'changed'
  | 'dry-run'
  | 'held'
  | 'override'
  | 'failed'
  | 'running'
  | 'observed'
  | 'ungated'
  | 'unknown-version'
  | 'forged'

/** Everything that a page is shown, and the key that signed it. */
export interface States {
  readonly trustedKeys: readonly JsonObject[]
  readonly messages: Readonly<Record<StateName, readonly ChatMessage[]>>
}

/** Arguments that try to be something else than they are. */
export const HOSTILE = {
  amount: 900,
  memo: 'for \u202egnihton\u202c and\u200b \u2066more\u2069\u00a0<img src=x onerror="window.owned=1"> **bold** [click](javascript:owned)\n\n\n',
  note: `safe${' '.repeat(300)}","amount":1`,
  order: '\u05d0\u05d1 A-17',
}

/** What the gate says of an override; a signed one takes more than a page's test has. */
const OVERRIDDEN = [
  { kind: 'override', message: 'No policy answered for this call: it ran on the signed override ov_7f3k9qtm.' },
] as const

const DECLARED = {
  type: 'object',
  properties: {
    amount: { type: 'number' },
    dryRun: { type: 'boolean' },
    limit: { type: 'number' },
    currency: { type: 'string' },
    memo: { type: 'string' },
    note: { type: 'string' },
    order: { type: 'string' },
    reason: { type: 'string' },
  },
} as const

/** The states that a call can be in, by a real gate wherever a gate says them. */
export async function callStates(): Promise<States> {
  const signer = generateSigner()
  const gate = createGate({
    config: false,
    server: 'shop',
    policies: 'ask/v1',
    events: [],
    effects: { store: createMemoryStore(), signer },
    tools: {
      refund: {
        materiality: 'high',
        permit: { amount: { max: 500 } },
        otherwise: { ask: 'confirmation', say: 'Refunds above 500 EUR need your yes.' },
      },
      wire: {
        materiality: 'high',
        permit: { amount: { max: 500 } },
        otherwise: { say: 'Transfers above 500 EUR are not made by an assistant.' },
      },
      pay_out: { materiality: 'high', permit: { amount: { max: 500 } }, otherwise: { ask: 'finance' } },
      read_order: { materiality: 'low', permit: 'always' },
    },
  })
  gate.register(
    ['refund', 'wire', 'pay_out', 'read_order'].map((name) => ({ name, origin: 'own', inputSchema: DECLARED })),
  )
  const me = gate.as({ user: 'alice' }, { conversation: 'talk', channel: 'chat' })
  const order = { amount: 900, currency: 'EUR', order: 'A-1041', reason: 'parcel lost' }
  const refused = await told(me, 'wire', order)
  const asking = await told(me, 'refund', order)
  const hostile = await told(me, 'refund', HOSTILE)
  const ran = await told(me, 'read_order', { order: 'A-1041' })
  const opened = await failedOpen(signer)
  const limited = await owing(
    signer,
    [
      { id: 'rows', type: 'limit', properties: { path: '/limit', max: 50 } },
      { id: 'private', type: 'redact_output', properties: { paths: ['/*/email'] } },
    ],
    { order: 'A-1041', limit: 5000 },
  )
  const dry = { id: 'dry', type: 'dry_run', properties: { path: '/dryRun' } }
  const tried = await owing(signer, [dry], order)
  const asked = { state: 'approval-requested', approval: { id: `${asking.request?.ref}.x` } }
  const minute = 60_000
  const before = '{"amount":20,"currency":"EUR","order":"A-1038","reason":"parcel lost"}'
  const messages: States['messages'] = {
    refused: chat(refused, order, { state: 'output-denied', approval: { approved: false, isAutomatic: true } }),
    'refused-role': chat(await told(me, 'pay_out', order), order, { state: 'output-error' }),
    asking: chat(asking, order, asked),
    'asking-again': chat(withRequest(asking, { previousText: before }), order, asked),
    hostile: chat(hostile, HOSTILE, asked),
    approved: chat(asking, order, { state: 'approval-responded', approval: { id: 'x', approved: true } }),
    declined: chat(asking, order, { state: 'output-denied', approval: { id: 'x', approved: false } }),
    expired: chat(withRequest(asking, { expiresAt: Date.now() - minute }), order, asked),
    ran: chat(ran, { order: 'A-1041' }, { state: 'output-available' }),
    'failed-open': chat(opened, { order: 'A-1041' }, { state: 'output-available' }),
    changed: chat(limited, { order: 'A-1041', limit: 5000 }, { state: 'output-available' }),
    'dry-run': chat(tried, order, { state: 'output-available' }),
    held: chat(await held(signer), { order: 'A-1041' }, { state: 'output-available' }),
    override: chat(
      { ...opened, materiality: 'medium', notices: OVERRIDDEN },
      { order: 'A-1041' },
      { state: 'output-available' },
    ),
    failed: chat(ran, { order: 'A-1041' }, { state: 'output-error', errorText: 'The database is away.' }),
    running: chat(ran, { order: 'A-1041' }, { state: 'input-available' }),
    observed: chat(
      { ...ran, ...(refused.refusal === undefined ? {} : { observed: refused.refusal }) },
      { order: 'A-1041' },
      { state: 'output-available' },
    ),
    ungated: chat({ ...ran, outcome: 'ungated', receipts: [] }, {}, { state: 'output-available' }),
    'unknown-version': chat({ ...refused, v: 7 } as unknown as HoldpointData, order, { state: 'output-denied' }),
    // A genuine receipt of another call, beside words of somebody's own.
    forged: chat({ ...ran, tool: 'wire', toolCallId: 'f1' }, order, { state: 'output-available' }),
  }
  await me.close()
  return { trustedKeys: [signer.publicJwk], messages }
}

/** A call of low materiality while nobody answers, where the operator lets it run. */
async function failedOpen(signer: Signer): Promise<HoldpointData> {
  const tools = { read_order: { materiality: 'low' } } as const
  const gate = testGate({ server: 'shop', signer, timeoutMs: 200, failMode: { low: 'open' }, tools })
  gate.register([{ name: 'read_order', origin: 'own', inputSchema: DECLARED }])
  gate.outage('refused')
  const data = await told(gate.as({ user: 'alice' }), 'read_order', { order: 'A-1041' })
  await gate.close()
  return data
}

/** A call that runs otherwise than it was asked for, since the policy says so. */
async function owing(signer: Signer, obligations: readonly Obligation[], input: object): Promise<HoldpointData> {
  const tools = { list_orders: { materiality: 'medium' } } as const
  const gate = testGate({ server: 'shop', signer, tools, policy: scriptedPoint(() => ({ ...PERMIT, obligations })) })
  gate.register([{ name: 'list_orders', origin: 'own', inputSchema: DECLARED }])
  const data = await told(gate.as({ user: 'alice' }), 'list_orders', input, { wait: false, obliging: 'all' })
  await gate.close()
  return data
}

/** A call that waited for its policy to come back. */
async function held(signer: Signer): Promise<HoldpointData> {
  const tools = { read_order: { materiality: 'medium' } } as const
  const gate = testGate({ server: 'shop', signer, tools, policy: scriptedPoint(() => PERMIT) })
  gate.register([{ name: 'read_order', origin: 'own', inputSchema: DECLARED }])
  gate.outage('refused')
  const data = told(gate.as({ user: 'alice' }), 'read_order', { order: 'A-1041' }, { onSilence: 'hold' })
  while (gate.health().held !== 1) await new Promise((glanced) => setTimeout(glanced, 5))
  gate.heal()
  const said = await data
  await gate.close()
  return said
}

let calls = 0

/** What the gate says of one call, settled where it may run. */
async function told(
  me: Gate,
  tool: string,
  input: object,
  options: AdmitOptions = { wait: false },
): Promise<HoldpointData> {
  calls += 1
  const callId = `c${calls}`
  const admission = await me.admit({ tool, input, callId }, options)
  const record = new Journal(me).note(callId, tool, admission)
  if (admission.outcome === 'permitted') {
    admission.begin()
    const settled = await admission.settle({ status: 'ok', result: 'done' })
    if (settled !== undefined) record.receipts.push(settled)
  }
  return dataPart(record).data
}

function withRequest(data: HoldpointData, change: object): HoldpointData {
  return data.request === undefined ? data : { ...data, request: { ...data.request, ...change } }
}

function chat(data: HoldpointData, input: object, part: object): readonly ChatMessage[] {
  const { toolCallId, tool } = data
  return [
    {
      id: 'm1',
      role: 'assistant',
      parts: [
        { type: `tool-${tool}`, ...{ toolCallId, input, ...part } },
        { type: 'data-holdpoint', ...{ id: `holdpoint-${toolCallId}`, data } },
      ],
    },
  ]
}
