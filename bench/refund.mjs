/** The one call that every contestant of the bench makes. */

export const refundTool = {
  name: 'refund',
  description: 'Refund an order to the account that paid for it.',
  inputSchema: {
    type: 'object',
    properties: {
      order: { type: 'string' },
      amount: { type: 'number' },
      currency: { type: 'string', enum: ['EUR', 'USD'] },
      reason: { type: 'string' },
      payee: {
        type: 'object',
        properties: { name: { type: 'string' }, iban: { type: 'string' }, accountAgeDays: { type: 'integer' } },
        required: ['name', 'iban', 'accountAgeDays'],
        additionalProperties: false,
      },
    },
    required: ['order', 'amount', 'currency', 'reason', 'payee'],
    additionalProperties: false,
  },
}

/** Arguments of the n-th call: inside the cap, never twice the same, about 230 bytes. */
export function refundInput(n) {
  return {
    order: `order-${n}`,
    amount: 100 + (n % 400) + 0.5,
    currency: 'EUR',
    reason: 'The parcel arrived damaged; the customer sent photographs and asked for the money back.',
    payee: { name: 'Alice Example', iban: 'DE02120300000000202051', accountAgeDays: 420 },
  }
}

/** The tool's own work: as little as a tool can do. */
export function refund(input) {
  return { refunded: input.amount, order: input.order }
}

const NOTHING = { calls: {}, spent: {} }
const facts = {
  derived: {},
  lengths: {},
  environment: {},
  agent: 'support',
  session: {
    calls: {},
    spent: {},
    surfaces: NOTHING,
    hour: { ...NOTHING, surfaces: NOTHING },
    day: { ...NOTHING, surfaces: NOTHING },
    private_data_read: false,
    untrusted_content_read: false,
  },
  approval: { confirmed: false, roles: [] },
}
const definition = 'Rr0nFvU5Yl8Vf1B9m4lq0o6c6m3y8b5bqYV0d1g2h3k'

/** The AuthZEN request of one refund. */
export function evaluationRequest(input) {
  return {
    subject: { type: 'user', id: 'alice', properties: { roles: ['support'] } },
    action: { name: 'tools/call' },
    resource: {
      type: 'tool',
      id: 'shop/refund',
      properties: { materiality: 'high', surface: 'financial', server: 'shop', definition },
    },
    context: { arguments: input, ...facts },
  }
}

const user = { type: 'User', id: 'alice' }
const action = { type: 'Action', id: 'shop/refund' }
const entities = [
  { uid: user, attrs: {}, parents: [{ type: 'Role', id: 'support' }] },
  {
    uid: action,
    attrs: {},
    parents: [
      { type: 'Action', id: 'high' },
      { type: 'Action', id: 'surface-financial' },
    ],
  },
]

/** The same refund in Cedar's own terms; a JSON `number` is a decimal there. */
export function cedarRequest(input) {
  const amount = { __extn: { fn: 'decimal', arg: input.amount.toFixed(4) } }
  return {
    principal: user,
    action,
    resource: { type: 'Server', id: 'shop' },
    context: { arguments: { ...input, amount }, ...facts },
    entities,
  }
}

/** The same again, with nothing that the policies do not read: what an engine needs at the very least. */
export function leanCedarRequest({ amount, currency, payee }) {
  const read = { amount: { __extn: { fn: 'decimal', arg: amount.toFixed(4) } }, currency }
  const context = { arguments: { ...read, payee: { accountAgeDays: payee.accountAgeDays } } }
  return { principal: user, action, resource: { type: 'Server', id: 'shop' }, context, entities }
}

/** What makes a call this call. */
export function callKeyParts(callId, digest) {
  return ['user:alice', 'conversation-1', 'shop', 'refund', definition, callId, 0, digest]
}

const common = {
  v: 1,
  iss: 'bench',
  stream: 'k3s9v0xq2m7w5t1r8y4u6i',
  trace: '0af7651916cd43dd8448eb211c80319c',
  parents: ['4aE1m0y8b5bqYV0d1g2h3kRr0nFvU5Yl8Vf1B9m4lq0'],
  env: 'production',
  enforced: true,
  tool: { server: 'shop', name: 'refund', definition },
}

/** Members of a decision receipt that do not change from call to call: with the others it has about 1 KB. */
export const decisionClaims = {
  ...common,
  kind: 'decision',
  principal: { type: 'user', id: 'alice', roles: ['support'], basis: 'stated' },
  actor: { agent: 'support' },
  conversation: 'bq4lq0o6c6m3y8bYV0d1g2h3kRr0nFvU5Yl8Vf1B9m5',
  materiality: 'high',
  surface: 'financial',
  basis: 'pdp',
  determining: ['refund-cap'],
  policy: { id: 'cedar', digest: 'd1g2h3kRr0nFvU5Yl8Vf1B9m4lq0o6c6m3y8b5bqYV0' },
  rederivable: true,
  obligations: [],
  approvals: [],
  attempt: 1,
}

/** The same for an outcome receipt. */
export const outcomeClaims = {
  ...common,
  kind: 'outcome',
  principal: { type: 'user', id: 'alice', roles: ['support'], basis: 'stated' },
  actor: { agent: 'support' },
  materiality: 'high',
  surface: 'financial',
  conversation: 'bq4lq0o6c6m3y8bYV0d1g2h3kRr0nFvU5Yl8Vf1B9m5',
  result: { commit: 'Yl8Vf1B9m4lq0o6c6m3y8b5bqYV0d1g2h3kRr0nFvU5', bytes: 44 },
  us: 12,
}
