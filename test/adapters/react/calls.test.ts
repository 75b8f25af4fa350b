import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { argumentLines, comparedLines } from '../../../adapters/react/arguments.ts'
import { callsIn } from '../../../adapters/react/calls.ts'
import { checkReceipts } from '../../../adapters/react/use-receipts.ts'
import { generateSigner } from '../../../src/testing.ts'
import { callStates, type StateName } from './states.ts'

const { messages, trustedKeys } = await callStates()

const dataOf = (name: StateName) => {
  const [call] = callsIn(messages[name])
  if (call?.kind !== 'known') throw new Error(`${name} is not a known call`)
  return call.data
}

describe('a call of a chat', () => {
  it.each([
    ['refused', 'refused'],
    ['refused-role', 'refused'],
    ['asking', 'waiting'],
    ['approved', 'approved'],
    ['declined', 'declined'],
    ['ran', 'ran'],
    ['ungated', 'ungated'],
  ] as const)('in the state %s is shown as %s', (name, status) => {
    expect(callsIn(messages[name])).toMatchObject([{ kind: 'known', status }])
  })

  it('that was refused is never shown as one that ran, whatever its host says', () => {
    for (const state of ['output-available', 'output-error', 'input-available', 'nonsense'])
      expect(callsIn(withTool('refused', { state }))).toMatchObject([{ status: 'refused' }])
  })

  it('that needs a role is not for this chat to answer', () => {
    const asked = { state: 'output-denied', approval: { id: 'a', approved: false, isAutomatic: true } }
    const [call] = callsIn(withTool('refused-role', asked))
    expect(call).toMatchObject({ status: 'refused' })
    expect(call).not.toHaveProperty('approvalId')
  })

  it.each([
    ['a later version', { v: 2 }, '2'],
    ['a version that is a text', { v: 'x' }, 'x'],
    ['no version', { v: undefined }, undefined],
    ['no outcome that we know', { outcome: 'ran' }, '1'],
    ['a refusal without its members', { refusal: { code: 'x' } }, '1'],
    ['a refused call without its refusal', { refusal: undefined }, '1'],
    ['receipts that are none', { receipts: [1] }, '1'],
    ['notices that are none', { notices: [{ kind: 'limited' }] }, '1'],
    ['a request that is none', { request: { ref: 'hp_1' } }, '1'],
  ] as const)('with %s is unknown, and nothing in it is believed', (_, change, version) => {
    const [message] = messages.refused
    const parts = (message?.parts ?? []).map((part) =>
      part.type === 'data-holdpoint' ? { ...part, data: { ...Object(Reflect.get(part, 'data')), ...change } } : part,
    )
    const [call, ...others] = callsIn([{ id: 'm', role: 'assistant', parts }])
    expect(others).toEqual([])
    expect(call).toMatchObject({ kind: 'unknown' })
    expect(call?.kind === 'unknown' ? call.version : 'known').toBe(version)
  })

  it.each([undefined, null, 1, 'x', [], {}])('that is told of as %j does not stop the page', (data) => {
    const parts = [{ type: 'data-holdpoint', data }]
    expect(callsIn([{ id: 'm', role: 'assistant', parts }])).toMatchObject([{ kind: 'unknown' }])
  })
})

describe('arguments in lines', () => {
  it('leave nothing out and add nothing: joined again they are the text', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value)
        expect(`{${argumentLines(text).join(',')}}`).toBe(text)
      }),
    )
  })

  it('are not cut by what stands in a string', () => {
    expect(argumentLines('{"a":"x\\",\\"amount\\":1","b":[1,{"c":2}]}')).toEqual([
      '"a":"x\\",\\"amount\\":1"',
      '"b":[1,{"c":2}]',
    ])
  })

  it('show what differs from before, line by line', () => {
    expect(comparedLines('{"a":1,"b":2}', '{"a":1,"b":20}')).toEqual([
      { kind: 'same', text: '"a":1' },
      { kind: 'removed', text: '"b":2' },
      { kind: 'added', text: '"b":20' },
    ])
  })
})

describe('receipts of a call', () => {
  it('are verified where a trusted key signed them and they tell of this call', async () => {
    for (const name of ['refused', 'refused-role', 'asking', 'ran', 'failed-open'] as const)
      expect(await checkReceipts(dataOf(name), trustedKeys)).toMatchObject({ state: 'verified' })
  })

  it('are not established without a key, and never verified', async () => {
    expect(await checkReceipts(dataOf('ran'), [])).toMatchObject({ state: 'not_established' })
    expect(await checkReceipts(dataOf('ungated'), trustedKeys)).toMatchObject({ state: 'not_established' })
    expect(await checkReceipts(dataOf('ran'), [{ kty: 'nonsense' }])).toMatchObject({ state: 'not_established' })
  })

  it('of another key, of altered bytes, or cut off do not verify', async () => {
    const data = dataOf('refused')
    const [receipt] = data.receipts
    if (receipt === undefined) throw new Error('no receipt')
    const altered = receipt.jws.replace(/\.[^.]{20}/, (start) => `${start.slice(0, -4)}AAAA`)
    const bad = (change: object) => checkReceipts({ ...data, ...change }, trustedKeys)
    expect(await checkReceipts(data, [generateSigner().publicJwk])).toMatchObject({ state: 'failed' })
    expect(await bad({ receipts: [{ ...receipt, jws: altered }] })).toMatchObject({ state: 'failed' })
    expect(await bad({ receipts: [{ ...receipt, jws: receipt.jws.slice(0, -1) }] })).toMatchObject({ state: 'failed' })
    expect(await bad({ receipts: [{ ...receipt, id: 'r_other' }] })).toMatchObject({ state: 'failed' })
  })

  it('that are genuine and tell of something else do not verify', async () => {
    const [refused, ran] = [dataOf('refused'), dataOf('ran')]
    const words = [
      { ...ran, receipts: refused.receipts },
      { ...refused, receipts: ran.receipts },
      { ...ran, tool: 'wire' },
      { ...ran, materiality: 'high' },
      { ...ran, receipts: ran.receipts.slice(1) },
      { ...dataOf('failed-open'), notices: [] },
      { ...dataOf('asking'), receipts: refused.receipts },
    ] as const
    for (const data of words) expect(await checkReceipts(data, trustedKeys)).toMatchObject({ state: 'failed' })
    expect(await checkReceipts(dataOf('forged'), trustedKeys)).toMatchObject({ state: 'failed' })
  })
})

function withTool(name: StateName, change: object) {
  return messages[name].map((message) => ({
    ...message,
    parts: message.parts.map((part) => (part.type.startsWith('tool-') ? { ...part, ...change } : part)),
  }))
}
