import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { witnessClient } from '../../src/witness/client.ts'
import { startWitness, type WitnessServer } from '../support/witness-server.ts'

const schedule = (ms: number, run: () => void) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}
let server: WitnessServer
beforeAll(async () => {
  server = await startWitness('example.com/witness')
})
beforeEach(() => {
  server.staged = undefined
})
afterAll(() => server.close())

const asking = (deadlineMs = 5_000) => witnessClient({ fetch: globalThis.fetch, schedule, deadlineMs })
const ask = (url = server.url) => asking()({ key: server.key, url }, 'a body')

describe('what a witness answers', () => {
  it('is lines of signatures, unverified, where it cosigned', async () => {
    server.staged = { status: 200, body: '\u2014 example.com/witness AAAAAAAAAAAA\n' }
    expect(await ask()).toMatchObject({ kind: 'cosigned', lines: [{ name: 'example.com/witness', id: 0 }] })
    expect(await ask(`${server.url}/`)).toMatchObject({ kind: 'cosigned' })
    expect(server.asked.at(-1)).toBe('a body')
  })

  it('is a size where it is elsewhere', async () => {
    server.staged = { status: 409, body: '20852014\n' }
    expect(await ask()).toEqual({ kind: 'elsewhere', size: 20_852_014 })
  })

  it('is a contradiction at 422, and a log that it does not know at 403 and 404', async () => {
    server.staged = { status: 422 }
    expect(await ask()).toEqual({ kind: 'contradicted' })
    for (const status of [403, 404]) {
      server.staged = { status, body: '\u001b[2J it says' }
      expect(await ask()).toEqual({ kind: 'stranger', why: expect.stringMatching(/^[ -~]*holdpoint log key[ -~]*$/) })
    }
  })

  it.each([
    ['nothing', 200, ''],
    ['a line that is none', 200, 'yes, gladly\n'],
    ['a note of its own', 200, '-\n\n\u2014 example.com/witness AAAAAAAAAAAA\n'],
    ['a line without its end', 200, '\u2014 example.com/witness AAAAAAAAAAAA'],
    ['megabytes', 200, '\u2014 example.com/witness AAAAAAAAAAAA\n'.repeat(100_000)],
    ['a conflict without a size', 409, 'no\n'],
    ['a size beyond 2^53', 409, '9007199254740993\n'],
    ['a size with a sign', 409, '-1\n'],
    ['a size without its end', 409, '12'],
    ['a page of errors', 500, '<html>'],
    ['a request for patience', 429, ''],
  ])('counts for nothing when it is %s', async (_, status, body) => {
    server.staged = { status, body }
    expect(await ask()).toMatchObject({ kind: 'unavailable' })
  })

  it('never sends us elsewhere: a redirect is no answer', async () => {
    const other = await startWitness('example.com/other')
    server.staged = { status: 307, headers: { location: `${other.url}/add-checkpoint` } }
    expect(await ask()).toMatchObject({ kind: 'unavailable' })
    expect(other.asked).toEqual([])
    await other.close()
  })

  it('is not waited for longer than its deadline, whether it hangs, trickles, or the network ignores us', async () => {
    server.staged = 'hang'
    expect(await asking(50)({ key: server.key, url: server.url }, '')).toMatchObject({ kind: 'unavailable' })
    const trickling = new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }))
    for (const fetch of [async () => trickling, () => new Promise<Response>(() => undefined)]) {
      const client = witnessClient({ fetch, schedule, deadlineMs: 20 })
      expect(await client({ key: server.key, url: server.url }, '')).toEqual({
        kind: 'unavailable',
        why: 'did not answer within 20 ms',
      })
    }
  })

  it('names the network’s own word for what went wrong, and nothing that a witness chose', async () => {
    const gone = await startWitness('example.com/gone')
    await gone.close()
    expect(await ask(gone.url)).toEqual({ kind: 'unavailable', why: 'cannot be reached (ECONNREFUSED)' })
    const { url: _, ...nowhere } = { key: server.key, url: '' }
    expect(await asking()(nowhere, '')).toMatchObject({ kind: 'unavailable' })
  })
})
