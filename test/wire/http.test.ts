import { once } from 'node:events'
import { createServer as createPlainServer } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { ask } from '../../src/decide/deadline.ts'
import type { Decision, PolicyDecisionPoint } from '../../src/types.ts'
import { authzen, cerbos, opa } from '../../src/wire/points.ts'
import { selfSigned } from '../support/certificate.ts'
import { freePort } from '../support/engines.ts'
import { evaluationRequest } from '../support/evaluation.ts'
import { FAULTS, type Fault, type Scene } from '../support/raw-faults.ts'
import { type RawServer, startRawServer } from '../support/raw-server.ts'

async function decide(point: PolicyDecisionPoint, budgetMs = 5_000, tool = 'shop/refund'): Promise<Decision> {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() }
  return await ask(point, evaluationRequest({ tool }), { budgetMs, clock, signal: undefined, schema: undefined })
}

function named(name: string): Fault {
  const fault = FAULTS[name]
  if (fault === undefined) throw new Error(`no fault ${name}`)
  return fault
}

describe('what is sent', () => {
  let server: RawServer
  beforeEach(async () => {
    server = await startRawServer('authzen')
  })
  afterEach(async () => await server.stop())

  it('is the request in canonical bytes, and nothing in the headers that invites a compressed answer', async () => {
    await decide(authzen({ url: server.url }))
    const [{ line, headers, body } = { line: '', headers: new Map(), body: '' }] = server.seen
    expect(line).toBe('POST /access/v1/evaluation HTTP/1.1')
    expect(body).toBe(canonicalText(evaluationRequest()))
    expect(headers.get('accept-encoding')).toBe('identity')
    expect(headers.get('content-type')).toBe('application/json')
  })

  it('goes below the path of the address', async () => {
    await decide(authzen({ url: `${server.url}/tenants/1/` }))
    expect(server.seen[0]?.line).toBe('POST /tenants/1/access/v1/evaluation HTTP/1.1')
  })

  it('has an id of its own each time', async () => {
    const point = authzen({ url: server.url })
    await decide(point)
    await decide(point)
    const ids = server.seen.map(({ headers }) => headers.get('x-request-id'))
    expect(new Set(ids).size).toBe(2)
    expect(ids.every((id) => /^[A-Za-z0-9_-]{22}$/.test(id ?? ''))).toBe(true)
  })

  it('carries the newest token, and headers of one’s own', async () => {
    const tokens = ['first', 'second']
    const point = authzen({
      url: server.url,
      bearer: async () => tokens.shift() ?? '',
      headers: { 'X-Api-Key': 'k-1', 'x-tenant': () => 't-1' },
    })
    await decide(point)
    await decide(point)
    expect(server.seen.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer first', 'Bearer second'])
    expect(server.seen[0]?.headers.get('x-api-key')).toBe('k-1')
    expect(server.seen[0]?.headers.get('x-tenant')).toBe('t-1')
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('vault says sk-secret')
      },
    ],
    ['gives nothing', () => undefined as unknown as string],
    ['gives a second header', () => 'sk-secret\r\nx-evil: 1'],
  ])(
    'is nothing where the function for the token %s: refused as our own mistake, and no secret is told',
    async (_, bearer) => {
      const decision = await decide(authzen({ url: server.url, bearer }))
      expect(decision).toMatchObject({ cause: { kind: 'wrong', fault: 'misconfigured' } })
      expect(JSON.stringify(decision)).not.toContain('sk-secret')
      expect(server.seen).toEqual([])
    },
  )
})

describe('a connection', () => {
  const servers: RawServer[] = []
  const start = async (kind: Parameters<typeof startRawServer>[0]): Promise<RawServer> => {
    const server = await startRawServer(kind)
    servers.push(server)
    return server
  }
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop()
  })

  it('is kept where answers say what they answer, and is used once where they do not', async () => {
    const [bound, inside, unbound] = [await start('authzen'), await start('cerbos'), await start('opa')]
    const points = [authzen({ url: bound.url }), cerbos({ url: inside.url }), opa({ url: unbound.ruleUrl })]
    for (const point of [...points, ...points]) await decide(point)
    const connections = [bound, inside, unbound].map(({ seen }) => seen.map(({ connection }) => connection))
    expect(connections).toEqual([
      [1, 1],
      [1, 1],
      [1, 2],
    ])
  })

  it('is closed when the time is up, so that a late answer meets nobody', async () => {
    const server = await start('authzen')
    server.play(named('says nothing'))
    await decide(authzen({ url: server.url }), 50)
    await expect.poll(() => server.open.size).toBe(0)
  })

  it.each(['50 MB', '401 and a permit', 'a permit as HTML', 'sends 103 for ever'])(
    'is not used again after: %s',
    async (name) => {
      const server = await start('authzen')
      const point = authzen({ url: server.url })
      server.play(named(name))
      await decide(point, name.startsWith('sends') ? 100 : 5_000)
      server.play(named('healthy'))
      expect(await decide(point)).toMatchObject({ kind: 'permit' })
      // HTML was read to its end: that connection is sound.
      expect(server.seen.map(({ connection }) => connection)).toEqual(name === 'a permit as HTML' ? [1, 1] : [1, 2])
    },
  )

  it.each(['authzen', 'cerbos'] as const)(
    'that got out of step permits no call by the permit of another (%s)',
    async (kind) => {
      const server = await start(kind)
      const point = kind === 'authzen' ? authzen({ url: server.url }) : cerbos({ url: server.url })
      let leftOver: Scene | undefined
      server.play({
        taken: 'permit',
        play: (scene) => {
          leftOver = scene
          named('healthy').play(scene)
        },
      })
      expect(await decide(point)).toMatchObject({ kind: 'permit' })
      server.play({
        taken: 'wrong',
        play: (scene) => {
          if (leftOver !== undefined) named('healthy').play(leftOver)
          setTimeout(() => named('healthy').play({ ...scene, permit: scene.deny }), 20)
        },
      })
      expect(await decide(point)).toMatchObject({ kind: 'silence', cause: { kind: 'wrong' } })
      expect(server.seen.map(({ connection }) => connection)).toEqual([1, 1])
    },
  )

  it('that the service closed while it was idle costs no refusal: the question is asked once more', async () => {
    const server = await start('authzen')
    const point = authzen({ url: server.url })
    await decide(point)
    let met = 0
    server.play({
      taken: 'permit',
      play: (scene) => {
        met += 1
        if (met === 1) scene.socket.resetAndDestroy()
        else named('healthy').play(scene)
      },
    })
    expect(await decide(point)).toMatchObject({ kind: 'permit' })
    expect(met).toBe(2)
  })

  /** `count` kept connections, each of which has answered once. */
  const warmed = async (server: RawServer, point: PolicyDecisionPoint, count: number): Promise<void> => {
    const held: Scene[] = []
    server.play({ taken: 'permit', play: (scene) => held.push(scene) })
    const asked = Array.from({ length: count }, () => decide(point))
    await expect.poll(() => held.length).toBe(count)
    for (const scene of held) named('healthy').play(scene)
    await Promise.all(asked)
  }

  it('that is kept and dead costs nobody an answer, however many of them there are', async () => {
    const server = await start('authzen')
    const point = authzen({ url: server.url })
    await warmed(server, point, 8)
    const dead = new Set(server.open)
    server.play({
      taken: 'permit',
      play: (scene) => {
        if (dead.has(scene.socket)) scene.socket.resetAndDestroy()
        else named('healthy').play(scene)
      },
    })
    const one = await decide(point)
    const three = await Promise.all([decide(point), decide(point), decide(point)])
    expect([one, ...three].map(({ kind }) => kind)).toEqual(['permit', 'permit', 'permit', 'permit'])
  })

  it('that is waited for in vain is no silence of the service: a burst refuses its own calls, and moves no breaker', async () => {
    const server = await start('authzen')
    const point = authzen({ url: server.url })
    let met = 0
    server.play({ taken: 'absent', play: () => (met += 1) })
    const asked = Array.from({ length: 260 }, () => decide(point))
    for (const left of await Promise.all(asked.slice(256))) {
      expect(left).toMatchObject({ cause: { kind: 'wrong', fault: 'stalled' } })
    }
    await expect.poll(() => met, { timeout: 5_000 }).toBe(256)
    for (const socket of server.open) socket.destroy()
    for (const silent of await Promise.all(asked.slice(0, 256))) {
      expect(silent).toMatchObject({ cause: { kind: 'absent' } })
    }
  })

  it('that is new is never tried twice', async () => {
    const server = await start('authzen')
    server.play(named('resets the connection'))
    expect(await decide(authzen({ url: server.url }))).toMatchObject({ cause: { kind: 'absent' } })
    expect(server.seen).toHaveLength(1)
  })

  it('goes to no other address, whatever the service says', async () => {
    const server = await start('authzen')
    server.play(named('redirects to a server that permits'))
    await decide(authzen({ url: server.url }))
    expect(server.seen).toHaveLength(1)
  })
})

describe('a reply to several questions', () => {
  let server: RawServer
  beforeEach(async () => {
    server = await startRawServer('authzen')
  })
  afterEach(async () => await server.stop())

  /** Asks about `count` tools at once; each answer is so many bytes long. */
  const together = async (count: number, bytes: number): Promise<readonly string[]> => {
    const point = authzen({ url: server.url, batch: true })
    server.play({
      taken: 'permit',
      play: ({ socket, echo }) => {
        const answer = { decision: true, context: { id: 'x'.repeat(bytes) } }
        const body = JSON.stringify(count === 1 ? answer : { evaluations: Array.from({ length: count }, () => answer) })
        const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${echo}content-length: ${body.length}\r\n\r\n`
        socket.write(head + body)
      },
    })
    const asked = Array.from({ length: count }, (_, index) => decide(point, 5_000, `shop/${index}`))
    return (await Promise.all(asked)).map(({ kind }) => kind)
  }

  it('may be as many times larger as there are questions, and 1 MiB at most', async () => {
    expect(await together(1, 1_500)).toEqual(['permit'])
    expect(await together(1, 66_000)).toEqual(['silence'])
    expect(new Set(await together(50, 1_500))).toEqual(new Set(['permit']))
    expect(new Set(await together(2, 66_000))).toEqual(new Set(['silence']))
    expect(new Set(await together(50, 22_000))).toEqual(new Set(['silence']))
  })
})

describe('nobody there', () => {
  it('is absence: a port on which nobody listens', async () => {
    const point = authzen({ url: `http://127.0.0.1:${await freePort()}` })
    expect(await decide(point)).toMatchObject({ cause: { kind: 'absent', fault: 'unavailable' } })
  })

  it('is absence: a name that nobody has', async () => {
    const point = authzen({ url: 'https://pdp.invalid' })
    expect(await decide(point)).toMatchObject({ cause: { kind: 'absent', fault: 'unavailable' } })
  })

  it.each([
    ['429 and a permit', 7_000],
    ['503 and a permit', 7_000],
    ['502 and a permit', undefined],
  ])('tells how long the service asks to be left alone: %s', async (name, retryAfterMs) => {
    const server = await startRawServer('authzen')
    server.play(named(name))
    try {
      const { cause } = (await decide(authzen({ url: server.url }))) as Extract<Decision, { kind: 'silence' }>
      expect(cause).toEqual({
        kind: 'absent',
        fault: 'unavailable',
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      })
    } finally {
      await server.stop()
    }
  })
})

const certificate = selfSigned()

describe.skipIf(certificate === undefined)('a certificate', () => {
  const permits = createServer({ ...certificate }, (request, response) => {
    const id = request.headers['x-request-id'] ?? ''
    const body = '{"decision":true}'
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length, 'x-request-id': id })
    response.end(body)
  })
  let port: number
  beforeEach(async () => {
    permits.listen(0, '127.0.0.1')
    await once(permits, 'listening')
    port = (permits.address() as AddressInfo).port
  })
  afterEach(() => {
    permits.close()
    permits.closeAllConnections()
  })

  it('that is configured is believed', async () => {
    const point = authzen({ url: `https://localhost:${port}`, ca: certificate?.cert ?? '' })
    expect(await decide(point)).toMatchObject({ kind: 'permit' })
  })

  it('that nobody vouches for is wrong, not absent, and looks like our configuration', async () => {
    expect(await decide(authzen({ url: `https://localhost:${port}` }))).toMatchObject({
      cause: {
        kind: 'wrong',
        fault: 'misconfigured',
        detail: expect.stringContaining('this looks like our configuration'),
      },
    })
  })

  it('of another name is wrong', async () => {
    const point = authzen({ url: `https://127.0.0.2:${port}`, ca: certificate?.cert ?? '' })
    permits.close()
    permits.closeAllConnections()
    permits.listen(port, '0.0.0.0')
    await once(permits, 'listening')
    expect(await decide(point)).toMatchObject({ cause: { kind: 'wrong', fault: 'misconfigured' } })
  })

  it('is checked whatever the environment says', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      expect(await decide(authzen({ url: `https://localhost:${port}` }))).toMatchObject({ cause: { kind: 'wrong' } })
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    }
  })

  it('is missed where a plain server listens', async () => {
    const plain = createPlainServer().listen(0, '127.0.0.1')
    await once(plain, 'listening')
    try {
      const point = authzen({ url: `https://127.0.0.1:${(plain.address() as AddressInfo).port}` })
      expect(await decide(point)).toMatchObject({ cause: { kind: 'wrong', fault: 'misconfigured' } })
    } finally {
      plain.close()
      plain.closeAllConnections()
    }
  })
})
