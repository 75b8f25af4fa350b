import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import http, { createServer } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { RECEIPT_KEY } from '../../../adapters/mcp/index.ts'
import { readReceipt } from '../../../src/receipt/read.ts'
import { selfSigned } from '../../support/certificate.ts'
import { temporaryFolders } from '../../support/temporary-folder.ts'
import { rest } from '../mcp/wire.ts'
import { META, modernHeaders, type Stage, type StageTerms, startStage } from './http-stage.ts'

const folder = temporaryFolders()
const ISSUER = 'https://login.example.com/'
const TELLING = [process.execPath, resolve(import.meta.dirname, '../../support/telling-server-child.ts')] as const
const CALL = { method: 'tools/call', params: { name: 'get', arguments: {} } }

/**
 * A proxy that asks for tokens, and somebody who gives them.
 *
 * @param publish makes the keys known, and says where; by default in a file
 */
async function guarded({
  publish = inFile,
  ...terms
}: StageTerms & { readonly publish?: (keys: string) => string | Promise<string> } = {}) {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const jwks = await publish(JSON.stringify({ keys: [await exportJWK(publicKey)] }))
  const stage = await startStage({ ...terms, serve: { ...terms.serve, tokens: { issuer: ISSUER, jwks } } })
  const tokenFor = async (sub: string, aud = stage.url) => {
    const token = new SignJWT({ iss: ISSUER, sub, aud, exp: Math.floor(Date.now() / 1000) + 60 })
    return { authorization: `Bearer ${await token.setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey)}` }
  }
  return { stage, tokenFor }
}

function inFile(keys: string): string {
  const jwks = join(folder(), 'jwks.json')
  writeFileSync(jwks, keys)
  return jwks
}

async function begin(stage: Stage, token: object): Promise<{ readonly 'mcp-session-id': string }> {
  const params = { protocolVersion: '2025-11-25', capabilities: {} }
  const { headers } = await (await stage.post({ id: 0, method: 'initialize', params }, { ...token })).whole()
  return { 'mcp-session-id': String(headers['mcp-session-id']) }
}

describe('a proxy that asks for tokens', () => {
  it('lets nobody in without one, and says where to get one', async () => {
    const { stage, tokenFor } = await guarded()
    const nobody = await stage.post({ id: 1, ...CALL })
    expect(nobody.status).toBe(401)
    const [, document = ''] = /resource_metadata="([^"]+)"/.exec(String(nobody.headers['www-authenticate'])) ?? []
    const described: unknown = await (await fetch(document)).json()
    expect(described).toMatchObject({ resource: stage.url, authorization_servers: [ISSUER] })
    const elsewhere = await stage.post({ id: 1, ...CALL }, await tokenFor('alice', 'https://elsewhere.example/mcp'))
    expect(elsewhere.status).toBe(401)
    expect(stage.seen).toEqual([])
  })

  it('asks nothing of the server for a client that has gone before its token was checked', async () => {
    const asked = Promise.withResolvers<() => void>()
    const issuer = createServer((_, response) => asked.resolve(() => response.end(known)))
    let known = ''
    const { stage, tokenFor } = await guarded({
      publish: async (keys) => {
        known = keys
        await once(issuer.listen(0, '127.0.0.1'), 'listening')
        return `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`
      },
    })
    const token = await tokenFor('alice')
    const listening = http.get(stage.url, { headers: { accept: 'text/event-stream', ...token }, agent: false })
    listening.on('error', () => undefined)
    const answer = await asked.promise
    const gone = new Promise((done) => listening.once('close', done))
    listening.destroy()
    await gone
    await rest()
    answer()
    await (await stage.post({ id: 1, method: 'tools/list' }, token)).whole()
    expect(stage.seen.map(({ method }) => method)).toEqual(['POST'])
    issuer.close()
  })

  it('decides for whoever the token says, and never passes it on', async () => {
    const { stage, tokenFor } = await guarded()
    const token = await tokenFor('bob')
    const session = await begin(stage, token)
    const [answer] = (await (await stage.post({ id: 1, ...CALL }, { ...session, ...token })).whole()).frames
    const meta = (answer?.result?.['_meta'] ?? {}) as Record<string, { readonly jws: string }>
    expect(readReceipt(meta[RECEIPT_KEY]?.jws ?? '')).toMatchObject({ principal: { id: 'bob' } })
    for (const { headers } of stage.seen) expect(headers.authorization).toBeUndefined()
  })

  it.each([
    ['sessions', { serve: { limits: { maxSessions: 2 } } }],
    ['processes', { command: TELLING, serve: { limits: { maxChildren: 2 } } }],
  ] as const)('lets no principal take all the %s, though it begins them all at once', async (_what, terms) => {
    const { stage, tokenFor } = await guarded(terms)
    const initialize = { method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } }
    const beginAs = async (token: object) => (await stage.post({ id: 0, ...initialize }, { ...token })).status
    const alice = await tokenFor('alice')
    const statuses = await Promise.all(Array.from({ length: 4 }, () => beginAs(alice)))
    expect(statuses.sort()).toEqual([200, 503, 503, 503])
    expect(await beginAs(await tokenFor('bob'))).toBe(200)
  })

  it('takes up no stream of nobody in particular: it could be of another', async () => {
    const { stage, tokenFor } = await guarded()
    const resumed = { accept: 'text/event-stream', 'last-event-id': '9', ...(await tokenFor('mallory')) }
    expect((await stage.send('GET', resumed)).status).toBe(404)
    expect(stage.seen).toEqual([])
  })

  it('keeps each session for whoever opened it: to others it does not exist, nor do its streams or its end', async () => {
    const { stage, tokenFor } = await guarded()
    const session = await begin(stage, await tokenFor('alice'))
    const mallory = { ...session, ...(await tokenFor('mallory')) }
    const before = stage.seen.length
    expect((await stage.post({ id: 1, ...CALL }, mallory)).status).toBe(404)
    const modern = { name: 'get', arguments: {}, _meta: META }
    const posted = stage.post(
      { id: 1, ...CALL, params: modern },
      { ...mallory, ...modernHeaders('tools/call', modern) },
    )
    expect((await posted).status).toBe(404)
    expect((await stage.send('GET', { accept: 'text/event-stream', ...mallory })).status).toBe(404)
    expect((await stage.send('DELETE', mallory)).status).toBe(404)
    expect(stage.seen).toHaveLength(before)
    expect((await stage.post({ id: 1, ...CALL }, { ...session, ...(await tokenFor('alice')) })).status).toBe(200)
  })
})

describe('a proxy over HTTP', () => {
  it('turns away what a page of another site sends, and what came under another name', async () => {
    const stage = await startStage()
    for (const stranger of [{ origin: 'https://evil.example' }, { host: 'evil.example' }]) {
      const { status, text, frames } = await (await stage.post({ id: 1, ...CALL }, stranger)).whole()
      expect(status).toBe(403)
      expect(frames).toMatchObject([{ jsonrpc: '2.0', id: null, error: { code: -32600 } }])
      expect(text).not.toContain('evil')
    }
    expect(stage.seen).toEqual([])
    expect(stage.notes).toEqual([expect.stringContaining('--origin'), expect.stringContaining('--public-url')])
  })

  const identity = selfSigned()
  it.skipIf(identity === undefined)('speaks TLS where it has a certificate', async () => {
    const { cert = '', key = '' } = identity ?? {}
    const [certFile, keyFile] = [join(folder(), 'cert.pem'), join(folder(), 'key.pem')]
    writeFileSync(certFile, cert)
    writeFileSync(keyFile, key)
    const stage = await startStage({ serve: { tls: { cert: certFile, key: keyFile } } })
    expect(stage.url).toMatch(/^https:/)
    const status = await new Promise((done, fail) => {
      https
        .get(stage.url, { ca: cert, rejectUnauthorized: true, agent: false }, (response) => done(response.statusCode))
        .on('error', fail)
    })
    expect(status).toBe(405)
  })

  it.each([
    ['an address of others without tokens', { host: '0.0.0.0' }, /in the clear/],
    ['a port that is taken', {}, /is taken by another program/],
    [
      'a certificate that is not there',
      { tls: { cert: '/no/cert.pem', key: '/no/key.pem' } },
      /cannot be read \(ENOENT\)/,
    ],
    [
      'an upstream of another scheme',
      { upstreams: [{ kind: 'http', name: 'x', url: new URL('ftp://x/') }] },
      /not http or https/,
    ],
    [
      'a password in a URL',
      { upstreams: [{ kind: 'http', name: 'x', url: new URL('http://a:b@x/') }] },
      /--upstream-header/,
    ],
  ] as const)('does not begin with %s', async (what, serve, because) => {
    const first = await startStage()
    const port = what === 'a port that is taken' ? Number(new URL(first.url).port) : 0
    await expect(startStage({ serve: { ...serve, port } })).rejects.toThrow(because)
  })

  it('serves one upstream at /mcp too, and nothing elsewhere', async () => {
    const stage = await startStage()
    const at = async (path: string) => (await fetch(new URL(path, stage.url), { method: 'GET' })).status
    expect([await at('/mcp'), await at('/mcp/notes'), await at('/mcp/other'), await at('/')]).toEqual([
      405, 405, 404, 404,
    ])
    expect(await at('/.well-known/oauth-protected-resource/mcp/notes')).toBe(404)
  })
})
