import { describe, expect, it } from 'vitest'
import { methodOf, refuseOlder } from '../../../adapters/shared/host-shape.ts'

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

describe('a release', () => {
  it.each(['1.71.0', '1.71.0-alpha.1', '1.71.4', '1.72.0', '1.100.1'])('%s has what the oldest has', (found) => {
    expect(() => refuseOlder(host, found, '1.71.0', 'it calls no hook')).not.toThrow()
  })

  it.each(['1.70.9', '1.34.0', '0.90.0', '2.0.0', '', 'latest', '1.71', undefined, 171, null])(
    '%s stops the programmer before anything runs unguarded',
    (found) => {
      expect(() => refuseOlder(host, found, '1.71.0', 'it calls no hook')).toThrow(
        expect.objectContaining({ code: 'ERR_HOST', message: expect.stringContaining('it calls no hook') }),
      )
    },
  )
})
