import { describe, expect, it } from 'vitest'
import { methodOf } from '../../../adapters/shared/host-shape.ts'

const host = { name: 'acme-agents', range: '^3.0.0' }

describe('what an adapter needs of its host', () => {
  it('is taken from wherever the host keeps it: hidden, inherited, or out in the open', () => {
    class Base {
      run() {
        return 1
      }
    }
    const hidden = Object.defineProperty({}, 'run', { value: () => 2 })
    expect(methodOf(host, new Base(), 'the tool "read"', 'run')).toBe(Base.prototype.run)
    expect(Reflect.apply(methodOf(host, hidden, 'the tool "read"', 'run'), hidden, [])).toBe(2)
  })

  it.each([{}, { run: 'yes' }, { run: undefined }, Object.create(null)])(
    'where it is not there, stops the programmer before anything runs unguarded: %j',
    (tool) => {
      expect(() => methodOf(host, tool, 'the tool "read"', 'run')).toThrow(
        expect.objectContaining({
          code: 'ERR_HOST',
          at: 'acme-agents',
          message: expect.stringMatching(/the tool "read" has no run\(\).*npm install acme-agents@"\^3\.0\.0"/),
        }),
      )
    },
  )
})
