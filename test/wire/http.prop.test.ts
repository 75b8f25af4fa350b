import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from '../../src/decide/deadline.ts'
import { authzen } from '../../src/wire/points.ts'
import { evaluationRequest } from '../support/evaluation.ts'
import { type RawServer, startRawServer } from '../support/raw-server.ts'

const clock = { now: () => Date.now(), monotonic: () => performance.now() }

/** One change to the bytes of a reply: some are taken out, others put in. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  out: fc.nat(12),
  put: fc.oneof(
    fc.constantFrom('\r\n', '\r\n\r\n', '"decision":false,', '0', '1', ' ', ',', '}', '\u0000', 'HTTP/1.1 200 OK\r\n'),
    fc.string({ maxLength: 6 }),
  ),
})

/** The parser steps over empty lines in front (RFC 9112 section 2.2). */
const HARMLESS = { at: 0, out: 0, put: '\r\n' }

function bend(
  bytes: Buffer,
  changes: readonly { readonly at: number; readonly out: number; readonly put: string }[],
): Buffer {
  return changes.reduce((bent, { at, out, put }) => {
    const from = Math.floor(at * bent.length)
    return Buffer.concat([bent.subarray(0, from), Buffer.from(put), bent.subarray(from + out)])
  }, bytes)
}

describe('I4: a reply that was bent on its way', () => {
  let server: RawServer
  beforeAll(async () => {
    server = await startRawServer('authzen')
  })
  afterAll(async () => await server.stop())

  it('permits only where a whole permit for this request is still to be read, and always ends', async () => {
    const point = authzen({ url: server.url })
    let permits = 0
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        let bent: Buffer = Buffer.alloc(0)
        let id = ''
        server.play({
          taken: 'wrong',
          play: ({ socket, permit, echo }) => {
            id = echo.slice('x-request-id: '.length).trim()
            const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${echo}content-length: ${permit.length}\r\n\r\n`
            bent = bend(Buffer.from(`${head}${permit}`), changes)
            socket.write(bent)
          },
        })
        const terms = { budgetMs: 80, clock, signal: undefined, schema: undefined }
        const decision = await ask(point, evaluationRequest(), terms)
        if (decision.kind !== 'permit') {
          expect(['deny', 'silence']).toContain(decision.kind)
          return
        }
        permits += 1
        // Behind empty lines, as above.
        expect(bent.toString()).toMatch(/^[\r\n]*HTTP\/1\.[01] 200[^0-9]/)
        expect(bent.toString()).toContain(id)
        expect(bent.toString()).toMatch(/"decision"\s*:\s*true/)
      }),
      { numRuns: 300, examples: [[[HARMLESS]]] },
    )
    // Some changes do no harm, the first among them; were there none, nothing would be shown.
    expect(permits).toBeGreaterThan(0)
  })
})
