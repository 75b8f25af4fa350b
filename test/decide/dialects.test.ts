import { describe, expect, it } from 'vitest'
import { WrongAnswer } from '../../src/decide/absent.ts'
import { readAuthzen } from '../../src/decide/authzen.ts'
import { readCerbos } from '../../src/decide/cerbos.ts'
import { readOpa } from '../../src/decide/opa.ts'
import type { Json, JsonObject } from '../../src/types.ts'

const OBLIGATION = { id: 'o1', type: 'notification', properties: { to: 'finance' } }
const HINT = { expires_at: '2026-11-21T20:25:00Z', binding_token: 'opaque' }

describe('an AuthZEN decision', () => {
  it.each<[string, Json, object]>([
    ['true permits', { decision: true }, { kind: 'permit', determining: ['pdp'], obligations: [] }],
    ['advice is not in the way', { decision: true, context: { ttl: 3, reason: 'ok' } }, { kind: 'permit' }],
    [
      'obligations are taken along',
      { decision: true, context: { obligations: [OBLIGATION] } },
      { kind: 'permit', obligations: [OBLIGATION] },
    ],
    ['false denies', { decision: false }, { kind: 'deny', determining: ['pdp'] }],
    [
      'the reason for the user is told',
      {
        decision: false,
        context: { reason_user: { '403': 'Not in your region.' }, reason_admin: { '403': 'policy C07' } },
      },
      { kind: 'deny', sentence: 'Not in your region.' },
    ],
    [
      'a plain reason is told',
      { decision: false, context: { reason: 'closed' } },
      { kind: 'deny', sentence: 'closed' },
    ],
    [
      'a denial that can be requested asks the principal',
      { decision: false, context: { access_request: HINT } },
      { kind: 'silence', cause: { kind: 'requestable', requires: 'confirmation' } },
    ],
    [
      'a denial bound by its evaluation can be requested too',
      {
        decision: false,
        context: { evaluation_id: 'e1', access_request: { expires_at: '2026-11-21T20:25:00+01:00' } },
      },
      { cause: { kind: 'requestable' } },
    ],
    [
      'a denial may name who is to be asked',
      { decision: false, context: { requires: 'approval:finance', reason_user: 'Ask finance.' } },
      { sentence: 'Ask finance.', cause: { kind: 'requestable', requires: 'approval:finance' } },
    ],
    [
      'a denial for an error is nobody’s policy',
      { decision: false, context: { error: { status: 404, message: 'Resource not found' } } },
      { cause: { kind: 'wrong', fault: 'policy_error' } },
    ],
  ])('%s', (_, json, expected) => {
    expect(readAuthzen(json, 'pdp')).toMatchObject(expected)
  })

  it('never shows a reason that is for administrators', () => {
    const json = { decision: false, context: { reason_admin: { '403': 'Request failed policy C076E82F' } } }
    expect(readAuthzen(json, 'pdp')).toEqual({ kind: 'deny', determining: ['pdp'], errors: [] })
  })

  it('shows a reason as one line of bounded length that moves no cursor', () => {
    const json = { decision: false, context: { reason: `first\n\u001b[2Jsecond\u202e${'x'.repeat(900)}` } }
    const { sentence = '' } = readAuthzen(json, 'pdp') as { readonly sentence?: string }
    expect(sentence.length).toBeLessThanOrEqual(512)
    expect(sentence).not.toMatch(/\p{C}/u)
  })

  it.each<[string, Json]>([
    ['no object', true],
    ['a list', [{ decision: true }]],
    ['no decision', {}],
    ['null', { decision: null }],
    ['the text true', { decision: 'true' }],
    ['1', { decision: 1 }],
    ['a list that holds true', { decision: [true] }],
    ['a stranger beside it', { decision: true, permit: true }],
    ['a context that is none', { decision: true, context: 'ok' }],
    ['a permit with an error', { decision: true, context: { error: {} } }],
    ['a permit that requires something', { decision: true, context: { requires: 'confirmation' } }],
    ['a permit that must be requested', { decision: true, context: { access_request: HINT } }],
    ['obligations that are no list', { decision: true, context: { obligations: OBLIGATION } }],
    ['an obligation without properties', { decision: true, context: { obligations: [{ id: 'a', type: 'b' }] } }],
    [
      'an obligation with a stranger',
      { decision: true, context: { obligations: [{ ...OBLIGATION, optional: true }] } },
    ],
    ['a requirement that is none', { decision: false, context: { requires: 'approval:' } }],
    ['a hint without an end', { decision: false, context: { access_request: { binding_token: 'opaque' } } }],
    ['a hint that ends some day', { decision: false, context: { access_request: { ...HINT, expires_at: 'soon' } } }],
    ['a hint bound to nothing', { decision: false, context: { access_request: { expires_at: HINT.expires_at } } }],
  ])('is wrong with %s', (_, json) => {
    expect(() => readAuthzen(json, 'pdp')).toThrow(WrongAnswer)
  })
})

describe('an answer of OPA', () => {
  const provenance = { version: '1.0.0', bundles: { shop: { revision: 'v7' } } }
  it.each<[string, Json, object]>([
    ['true permits', { result: true }, { kind: 'permit', determining: ['shop/decision'] }],
    ['false denies', { result: false }, { kind: 'deny' }],
    ['no value is silence', {}, { kind: 'silence', cause: { kind: 'no_permit' } }],
    ['no value of a bundle is silence too', { provenance }, { cause: { kind: 'no_permit' } }],
    [
      'the revision of the bundle is on record',
      { result: true, provenance },
      { determining: ['shop/decision', 'bundle shop@v7'] },
    ],
    [
      'policies can be named',
      { result: { decision: true, policies: ['cap', 'hours'], obligations: [OBLIGATION] }, decision_id: 'd' },
      { kind: 'permit', determining: ['cap', 'hours'], obligations: [OBLIGATION] },
    ],
    ['a denial can say why', { result: { decision: false, reason: 'closed' } }, { kind: 'deny', sentence: 'closed' }],
    [
      'a denial can say who is to be asked',
      { result: { decision: false, requires: 'confirmation' } },
      { cause: { kind: 'requestable', requires: 'confirmation' } },
    ],
  ])('%s', (_, json, expected) => {
    expect(readOpa(json, 'shop/decision')).toMatchObject(expected)
  })

  it.each<[string, Json]>([
    ['nothing but true', true],
    ['a text', { result: 'true' }],
    ['null', { result: null }],
    ['a list, as rules that collect denials have', { result: [] }],
    ['a package instead of a rule', { result: { allow: true, decision: true } }],
    ['a decision that is a text', { result: { decision: 'true' } }],
    ['no decision', { result: { reason: 'closed' } }],
    ['a permit that requires something', { result: { decision: true, requires: 'confirmation' } }],
    ['policies that are no list', { result: { decision: true, policies: 'cap' } }],
    ['a warning that there was no input', { result: true, warning: { code: 'api_usage_warning' } }],
    ['a stranger', { result: true, decision: false }],
  ])('is wrong with %s', (_, json) => {
    expect(() => readOpa(json, 'shop/decision')).toThrow(WrongAnswer)
  })
})

it('policies of a service are named on one line that moves no cursor', () => {
  const name = `cap\n\u001b[2K${'x'.repeat(900)}`
  const provenance = { bundles: { [name]: { revision: name } } }
  const { determining } = readOpa({ result: { decision: true, policies: [name] }, provenance }, 'shop/decision')
  expect(determining).toHaveLength(2)
  for (const shown of determining) {
    expect(shown.length).toBeLessThanOrEqual(256)
    expect(shown).not.toMatch(/\p{C}/u)
  }
})

describe('an answer of Cerbos', () => {
  const asked = { kind: 'tool', id: 'shop/refund', action: 'tools/call', requestId: 'r1' }
  const result = (effect: string, policy: string, more: JsonObject = {}): JsonObject => ({
    actions: { 'tools/call': effect },
    meta: { actions: { 'tools/call': { matchedPolicy: policy } } },
    resource: { id: 'shop/refund', kind: 'tool' },
    ...more,
  })
  const answer = (decision: Json, results: readonly Json[], requestId: Json = 'r1'): Json => ({
    decision,
    context: { 'cerbos.response': { requestId, results } },
  })
  const allowed = result('EFFECT_ALLOW', 'resource.tool.vdefault')

  it.each<[string, Json, object]>([
    ['a permit names its policy', answer(true, [allowed]), { kind: 'permit', determining: ['resource.tool.vdefault'] }],
    ['a denial too', answer(false, [result('EFFECT_DENY', 'p')]), { kind: 'deny', determining: ['p'] }],
    [
      'the first output that is a text is the sentence',
      answer(false, [
        result('EFFECT_DENY', 'p', {
          outputs: [
            { src: 'a', val: 3 },
            { src: 'b', val: 'too much' },
          ],
        }),
      ]),
      { kind: 'deny', sentence: 'too much' },
    ],
    [
      'where no policy matched, nobody spoke',
      answer(false, [result('EFFECT_DENY', 'NO_MATCH')]),
      { cause: { kind: 'no_permit' } },
    ],
  ])('%s', (_, json, expected) => {
    expect(readCerbos(json, asked)).toMatchObject(expected)
  })

  it.each<[string, Json]>([
    ['nothing but a decision: it may be another request’s', { decision: true }],
    ['another request’s id', answer(true, [allowed], 'r0')],
    ['no id', answer(true, [allowed], null)],
    ['a decision and an effect that differ', answer(true, [result('EFFECT_DENY', 'p')])],
    ['a denial whose effect allows', answer(false, [allowed])],
    ['an effect that nobody knows', answer(true, [result('EFFECT_MAYBE', 'p')])],
    ['a permit of no policy', answer(true, [result('EFFECT_ALLOW', 'NO_MATCH')])],
    ['two results', answer(true, [allowed, allowed])],
    ['no result', answer(true, [])],
    ['another tool', answer(true, [{ ...allowed, resource: { id: 'shop/list', kind: 'tool' } }])],
    ['another kind', answer(true, [{ ...allowed, resource: { id: 'shop/refund', kind: 'canary' } }])],
    ['another action', answer(true, [{ ...allowed, actions: { list: 'EFFECT_ALLOW' } }])],
    ['a stranger', { ...(answer(true, [allowed]) as JsonObject), extra: 1 }],
  ])('is wrong with %s', (_, json) => {
    expect(() => readCerbos(json, asked)).toThrow(WrongAnswer)
  })
})
