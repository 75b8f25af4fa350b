import { describe, expect, it } from 'vitest'
import { createGate, type GateOptions } from '../../src/create-gate.ts'
import { createMemoryStore, generateSigner } from '../../src/testing.ts'
import type { GateEvent } from '../../src/types.ts'

function gateWith(tools: NonNullable<GateOptions['tools']>) {
  const warned: string[] = []
  const gate = createGate({
    config: false,
    tools,
    events: [(event: GateEvent) => event.event === 'programmer-warned' && warned.push(event.message)],
    effects: { store: createMemoryStore(), signer: generateSigner() },
  })
  return { gate, warned }
}

describe('what the operator says of a tool that is not there', () => {
  it.each([['get_y'], ['Get_X'], ['get-x']])('is not lost in silence: %s, where get_x was meant', (name) => {
    const { gate, warned } = gateWith({ [name]: 'deny' })
    gate.register([{ name: 'get_x', origin: 'own' }])
    expect(warned).toEqual([expect.stringMatching(new RegExp(`"${name}".*did you mean "get_x"`))])
  })

  it('is said once, however often tools are registered, and only of the server that was', () => {
    const { gate, warned } = gateWith({ refund: { materiality: 'high' }, 'files/read': 'deny' })
    for (let time = 0; time < 3; time += 1) gate.register([{ name: 'pay', origin: 'own' }])
    expect(warned).toEqual([expect.stringMatching(/"refund".*local has none/)])
    gate.register([{ name: 'read', origin: 'own' }], { server: 'files' })
    expect(warned).toHaveLength(1)
  })

  it('is an error where one tool is named both with its server and without, since one of the two would be lost', () => {
    expect(() => gateWith({ get_x: 'deny', 'local/get_x': { permit: 'always' } })).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message: expect.stringMatching(/local\/get_x is named twice/) }),
    )
  })
})
