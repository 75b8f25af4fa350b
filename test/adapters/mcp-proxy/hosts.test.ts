import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { allowedNames, checkHostAndOrigin, type OwnAddress } from '../../../adapters/mcp-proxy/hosts.ts'

const local: OwnAddress = { host: '127.0.0.1', port: 8808, tls: false }

function isTurnedAway(host: string | undefined, origin?: string, own: OwnAddress = local): boolean {
  const headers = {
    ...(host === undefined ? {} : { host: [host] }),
    ...(origin === undefined ? {} : { origin: [origin] }),
  }
  return checkHostAndOrigin(headers, allowedNames(own)) !== undefined
}

describe('a request', () => {
  it.each(['127.0.0.1:8808', 'localhost:8808', 'LOCALHOST:8808', '[::1]:8808'])('to %s is for us', (host) => {
    expect(isTurnedAway(host)).toBe(false)
  })

  it.each([
    'evil.example',
    'evil.example:8808',
    'localhost',
    'localhost:9999',
    'localhost.:8808',
    '127.0.0.1:8808@evil',
    '',
  ])('to "%s" is for somebody else: a name that was pointed here for an attack', (host) =>
    expect(isTurnedAway(host)).toBe(true),
  )

  it('with no Host, with two, or with two Origins is not read', () => {
    const allowed = allowedNames(local)
    expect(isTurnedAway(undefined)).toBe(true)
    expect(checkHostAndOrigin({ host: ['localhost:8808', 'evil.example'] }, allowed)).toBeDefined()
    const origin = ['http://localhost:8808', 'http://evil.example']
    expect(checkHostAndOrigin({ host: ['localhost:8808'], origin }, allowed)).toBeDefined()
  })

  it.each(['http://evil.example', 'null', 'http://localhost', 'http://localhost:9999', 'https://localhost:8808', ''])(
    'from a page of "%s" is turned away',
    (origin) => expect(isTurnedAway('localhost:8808', origin)).toBe(true),
  )

  it('from our own origin, or from one that the operator named, may go on', () => {
    expect(isTurnedAway('localhost:8808', 'http://localhost:8808')).toBe(false)
    const own = { ...local, origins: ['https://Console.example.com'] }
    expect(isTurnedAway('localhost:8808', 'https://console.example.com', own)).toBe(false)
  })

  it('behind a reverse proxy comes to the public name, with its usual port or without', () => {
    const own = { ...local, publicUrl: new URL('https://mcp.example.com/') }
    expect(isTurnedAway('mcp.example.com', 'https://mcp.example.com', own)).toBe(false)
    expect(isTurnedAway('mcp.example.com:443', undefined, own)).toBe(false)
    expect(isTurnedAway('mcp.example.com:80', undefined, own)).toBe(true)
  })

  it('to every address of the machine still needs a name that we know', () => {
    const own: OwnAddress = { host: '0.0.0.0', port: 443, tls: true, publicUrl: new URL('https://mcp.example.com') }
    expect(isTurnedAway('0.0.0.0', undefined, own)).toBe(true)
    expect(isTurnedAway('10.0.0.5', undefined, own)).toBe(true)
    expect(isTurnedAway('mcp.example.com', undefined, own)).toBe(false)
    expect(isTurnedAway('localhost', undefined, own)).toBe(false)
  })

  it.each([
    ['a name that we do not have', { host: ['evil.example'] }, '--public-url'],
    ['a page that we do not know', { host: ['localhost:8808'], origin: ['http://evil.example'] }, '--origin'],
  ])('of %s hears none of its own words again; the operator is told the flag', (_, headers, flag) => {
    const stranger = checkHostAndOrigin(headers, allowedNames(local))
    expect(stranger?.remedy).toContain(flag)
    expect(stranger?.because).not.toContain('--')
    expect(JSON.stringify(stranger)).not.toContain('evil')
  })

  it('is read from headersDistinct, which shows a second Origin that Node otherwise drops', async () => {
    const seen: boolean[] = []
    const server = createServer((incoming, response) => {
      const { port } = server.address() as AddressInfo
      seen.push(checkHostAndOrigin(incoming.headersDistinct, allowedNames({ ...local, port })) === undefined)
      response.end()
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    for (const origins of [[], [`http://127.0.0.1:${port}`], [`http://127.0.0.1:${port}`, 'http://evil.example']]) {
      const fields = origins.flatMap((origin) => ['Origin', origin])
      await new Promise<void>((done) => {
        const headers = ['Host', `127.0.0.1:${port}`, ...fields]
        request({ port, host: '127.0.0.1', headers }, (response) => response.resume().on('end', done)).end()
      })
    }
    server.close()
    expect(seen).toEqual([true, true, false])
  })
})
