import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
} from '@modelcontextprotocol/sdk/client/auth.js'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { createTokenCheck } from '../../../adapters/mcp-proxy/auth.ts'
import { allowedNames, checkHostAndOrigin } from '../../../adapters/mcp-proxy/hosts.ts'
import { resourceMetadata, resourcePathOf } from '../../../adapters/mcp-proxy/metadata.ts'
import { temporaryFolders } from '../../support/temporary-folder.ts'

const ISSUER = 'https://login.example.com/'
const SCOPES = ['mcp:call']
const temporaryFolder = temporaryFolders()
const running: Server[] = []
afterEach(() => {
  for (const server of running.splice(0)) server.close()
})

/** A server that asks the four questions in their order, and greets whoever may enter. */
async function start() {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const jwks = join(temporaryFolder(), 'jwks.json')
  writeFileSync(jwks, JSON.stringify({ keys: [await exportJWK(publicKey)] }))
  const check = createTokenCheck({ issuer: ISSUER, jwks, scopes: SCOPES })
  let origin = ''
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { port } = server.address() as AddressInfo
    const turned = checkHostAndOrigin(request.headersDistinct, allowedNames({ host: '127.0.0.1', port, tls: false }))
    if (turned !== undefined) return void response.writeHead(403).end(turned.because)
    const path = resourcePathOf(request.url ?? '')
    if (path !== undefined) {
      const document = resourceMetadata({ resource: `${origin}${path}`, issuer: ISSUER, scopes: SCOPES })
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
    }
    const verdict = await check(request.headersDistinct['authorization'], `${origin}${request.url}`)
    if (verdict.ok) return void response.writeHead(200).end(verdict.who.user)
    const headers = 'wwwAuthenticate' in verdict ? { 'www-authenticate': verdict.wwwAuthenticate } : {}
    response.writeHead(verdict.status, headers).end()
  }
  const server = createServer((request, response) => void answer(request, response))
  running.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tokenFor = (claims: { readonly aud: string; readonly scope: string }): Promise<string> =>
    new SignJWT({ iss: ISSUER, sub: 'alice', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
      .setProtectedHeader({ alg: 'EdDSA' })
      .sign(privateKey)
  return { files: `${origin}/mcp/files`, shop: `${origin}/mcp/shop`, tokenFor }
}

describe('a client of the MCP SDK', () => {
  it('learns from the 401 where our metadata is, and from that who gives tokens for which server', async () => {
    const { files } = await start()
    const refused = await fetch(files, { method: 'POST' })
    expect(refused.status).toBe(401)
    const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refused)
    expect(scope).toBe('mcp:call')
    const found = await discoverOAuthProtectedResourceMetadata(files, {
      resourceMetadataUrl: resourceMetadataUrl ?? '',
    })
    expect(found).toMatchObject({ resource: files, authorization_servers: [ISSUER], scopes_supported: SCOPES })
    expect(await discoverOAuthProtectedResourceMetadata(files)).toEqual(found)
  })

  it('comes in with a token for this server, not with one for its neighbour, and learns which scope is missing', async () => {
    const { files, shop, tokenFor } = await start()
    const ask = async (url: string, token: string) =>
      await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    const token = await tokenFor({ aud: files, scope: 'mcp:call' })
    const entered = await ask(files, token)
    expect([entered.status, await entered.text()]).toEqual([200, 'alice'])
    const neighbour = await ask(shop, token)
    expect(neighbour.status).toBe(401)
    expect(extractWWWAuthenticateParams(neighbour)).toMatchObject({ error: 'invalid_token' })
    const narrow = await ask(files, await tokenFor({ aud: files, scope: 'email' }))
    expect(narrow.status).toBe(403)
    expect(extractWWWAuthenticateParams(narrow)).toMatchObject({ error: 'insufficient_scope', scope: 'mcp:call' })
  })

  it('is turned away with a good token from a page of another site, before the token is looked at', async () => {
    const { files, tokenFor } = await start()
    const authorization = `Bearer ${await tokenFor({ aud: files, scope: 'mcp:call' })}`
    const headers = { authorization, origin: 'http://evil.example' }
    expect((await fetch(files, { method: 'POST', headers })).status).toBe(403)
  })
})
