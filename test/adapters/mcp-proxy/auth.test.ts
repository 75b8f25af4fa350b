import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  base64url,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTokenCheck, type TokenTerms, type TokenVerdict } from '../../../adapters/mcp-proxy/auth.ts'
import { temporaryFolders } from '../../support/temporary-folder.ts'

const ISSUER = 'https://login.example.com/'
const FILES = 'https://mcp.example.com/mcp/files'
const SHOP = 'https://mcp.example.com/mcp/shop'
const METADATA = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp/files"'

const temporaryFolder = temporaryFolders()
const now = (): number => Math.floor(Date.now() / 1000)

interface KeyServer {
  readonly url: string
  fetches: number
  close(): Promise<void>
}

/** A real server with a key set; `answer` makes it misbehave. */
async function serveKeys(keys: () => unknown, status = 200): Promise<KeyServer> {
  const server: Server = createServer((_, response) => {
    served.fetches += 1
    const body = keys()
    if (body !== undefined) response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const served: KeyServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    fetches: 0,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
  return served
}

let ours: { publicKey: CryptoKey; privateKey: CryptoKey }
let strangers: { publicKey: CryptoKey; privateKey: CryptoKey }
let rsa: { publicKey: CryptoKey; privateKey: CryptoKey }
let keys: KeyServer
let keySet: { keys: object[] }

beforeAll(async () => {
  ours = await generateKeyPair('ES256', { extractable: true })
  strangers = await generateKeyPair('ES256', { extractable: true })
  rsa = await generateKeyPair('RS256', { extractable: true })
  keySet = {
    keys: [
      { ...(await exportJWK(ours.publicKey)), kid: 'ours', use: 'sig' },
      { ...(await exportJWK(rsa.publicKey)), kid: 'rsa' },
    ],
  }
  keys = await serveKeys(() => keySet)
})
afterAll(() => keys.close())

const ENDLESS: JWTPayload = { iss: ISSUER, aud: FILES, sub: 'alice' }
const GOOD: JWTPayload = { ...ENDLESS, exp: Math.floor(Date.now() / 1000) + 3_600 }

async function token(
  claims: JWTPayload,
  header: Partial<JWTHeaderParameters> = {},
  key: CryptoKey | Uint8Array = ours.privateKey,
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'ours', ...header }).sign(key)
}

const check = (terms: Partial<TokenTerms> = {}) => createTokenCheck({ issuer: ISSUER, jwks: keys.url, ...terms })

async function verdictOf(jwt: string, terms: Partial<TokenTerms> = {}, resource = FILES): Promise<TokenVerdict> {
  return await check(terms)([`Bearer ${jwt}`], resource)
}

function refused(because: string | RegExp, status = 401, error = 'invalid_token') {
  return {
    ok: false,
    status,
    because: expect.stringMatching(because),
    wwwAuthenticate: expect.stringMatching(new RegExp(`^Bearer error="${error}", error_description="[^"]+", .*`)),
  }
}

describe('a token of the issuer for this server', () => {
  it('lets its subject in, with the roles, tenant and agent that the issuer names', async () => {
    const claims = { ...GOOD, realm_access: { roles: ['finance'] }, org: 'acme', azp: 'console' }
    const terms = { rolesClaim: '/realm_access/roles', tenantClaim: 'org', agentClaim: 'azp' }
    expect(await verdictOf(await token(claims), terms)).toEqual({
      ok: true,
      who: { user: 'alice', agent: 'console', roles: ['finance'], tenant: 'acme' },
    })
  })

  it.each(['JWT', 'at+jwt', 'application/at+JWT'])('may call itself %s', async (typ) => {
    expect(await verdictOf(await token(GOOD, { typ }))).toEqual({ ok: true, who: { user: 'alice' } })
  })

  it('may be signed with RSA, and be for several servers of which this is one', async () => {
    const jwt = await token({ ...GOOD, aud: [SHOP, FILES] }, { alg: 'RS256', kid: 'rsa' }, rsa.privateKey)
    expect(await verdictOf(jwt)).toMatchObject({ ok: true })
  })

  it('is taken from "bearer" in any case, as HTTP says', async () => {
    const jwt = await token(GOOD)
    for (const scheme of ['bearer', 'BEARER', 'Bearer ']) {
      expect(await check()([`${scheme} ${jwt}`], FILES)).toMatchObject({ ok: true })
    }
  })

  it('is checked with the keys of a file as well', async () => {
    const file = join(temporaryFolder(), 'jwks.json')
    writeFileSync(file, JSON.stringify(keySet))
    expect(await verdictOf(await token(GOOD), { jwks: file })).toMatchObject({ ok: true })
  })

  it('may be meant for an audience that the operator named instead of the URL', async () => {
    const jwt = await token({ ...GOOD, aud: 'api://holdpoint' })
    expect(await verdictOf(jwt, { audience: 'api://holdpoint' })).toMatchObject({ ok: true })
    expect(await verdictOf(jwt)).toMatchObject(refused('claim aud'))
  })
})

describe('a token that must not count', () => {
  const unsigned = (header: object, claims: object): string =>
    `${base64url.encode(JSON.stringify(header))}.${base64url.encode(JSON.stringify(claims))}.`

  it('is one without a signature', async () => {
    const claims = { ...GOOD, exp: now() + 60 }
    expect(await verdictOf(unsigned({ alg: 'none' }, claims))).toMatchObject(refused('no JWT'))
    expect(await verdictOf(`${unsigned({ alg: 'none' }, claims)}AA`)).toMatchObject(refused('another kind'))
  })

  it('is one signed with the public key as if it were a shared secret', async () => {
    for (const secret of [await exportSPKI(rsa.publicKey), JSON.stringify(keySet.keys[1])]) {
      const jwt = await token(GOOD, { alg: 'HS256', kid: 'rsa' }, new TextEncoder().encode(secret))
      expect(await verdictOf(jwt)).toMatchObject(refused('another kind'))
    }
  })

  it('is one signed by somebody else under the issuer’s key id, even when it brings its own key along', async () => {
    const jwk = await exportJWK(strangers.publicKey)
    expect(await verdictOf(await token(GOOD, { jwk }, strangers.privateKey))).toMatchObject(refused('signature'))
  })

  it('is one whose content was changed after it was signed', async () => {
    const [head, , signature] = (await token(GOOD)).split('.')
    const body = base64url.encode(JSON.stringify({ ...GOOD, sub: 'root', exp: now() + 60 }))
    expect(await verdictOf(`${head}.${body}.${signature}`)).toMatchObject(refused('signature'))
  })

  it('is one of a key that the issuer does not have', async () => {
    expect(await verdictOf(await token(GOOD, { kid: 'other' }))).toMatchObject(refused('no such key'))
  })

  it.each<[string, JWTPayload, string]>([
    ['another issuer', { ...GOOD, iss: 'https://login.example.com' }, 'claim iss'],
    ['another server', { ...GOOD, aud: SHOP }, 'claim aud'],
    ['a server whose URL begins like ours', { ...GOOD, aud: `${FILES}/` }, 'claim aud'],
    ['several other servers', { ...GOOD, aud: [SHOP, 'https://evil.example'] }, 'claim aud'],
    ['no server', { iss: ISSUER, sub: 'alice', exp: GOOD.exp ?? 0 }, 'claim aud'],
    ['ever: no end', ENDLESS, 'claim exp'],
    ['a time that is over', { ...GOOD, exp: now() - 60 }, 'expired'],
    ['a time that has not come', { ...GOOD, nbf: now() + 600 }, 'claim nbf'],
    ['nobody', { iss: ISSUER, aud: FILES, exp: GOOD.exp ?? 0 }, 'claim sub'],
    ['a subject without a name', { ...GOOD, sub: '' }, 'subject'],
    ['a subject that no receipt could name', { ...GOOD, sub: 'a'.repeat(257) }, 'subject'],
    ['roles that are no names', { ...GOOD, roles: ['admin', { name: 'finance' }] }, 'roles'],
    ['more roles than a receipt holds', { ...GOOD, roles: Array.from({ length: 65 }, (_, at) => `r${at}`) }, 'roles'],
  ])('is one for %s', async (_, claims, because) => {
    expect(await verdictOf(await token(claims))).toMatchObject(refused(because))
  })

  it('is one for another server of the same proxy', async () => {
    const jwt = await token(GOOD)
    expect(await verdictOf(jwt, {}, FILES)).toMatchObject({ ok: true })
    expect(await verdictOf(jwt, {}, SHOP)).toMatchObject(refused('claim aud'))
  })

  it.each(['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'holdpoint-receipt+jwt'])(
    'is one that the issuer signed for another purpose: %s',
    async (typ) => expect(await verdictOf(await token(GOOD, { typ }))).toMatchObject(refused('another kind')),
  )

  it('is one that does not say that it is an access token, where the operator asks for that', async () => {
    const terms = { accessTokenType: true }
    expect(await verdictOf(await token(GOOD, { typ: 'JWT' }), terms)).toMatchObject(refused('another kind'))
    expect(await verdictOf(await token(GOOD, { typ: 'at+jwt' }), terms)).toMatchObject({ ok: true })
  })

  it('is one that asks for more than its scopes allow', async () => {
    const terms = { scopes: ['mcp:call'] }
    const lacking = refused('lacks a scope', 403, 'insufficient_scope')
    expect(await verdictOf(await token({ ...GOOD, scope: 'mcp:call:read email' }), terms)).toMatchObject(lacking)
    expect(await verdictOf(await token(GOOD), terms)).toMatchObject(lacking)
    expect(await verdictOf(await token({ ...GOOD, scope: 'email mcp:call' }), terms)).toMatchObject({ ok: true })
    expect(await verdictOf(await token({ ...GOOD, scp: ['mcp:call'] }), terms)).toMatchObject({ ok: true })
  })
})

describe('a request', () => {
  it('without a token learns where to get one, and of no error', async () => {
    const bare = { ok: false, status: 401, wwwAuthenticate: `Bearer scope="mcp:call", ${METADATA}` }
    const asked = check({ scopes: ['mcp:call'] })
    for (const shown of [undefined, [], ['Basic YWxpY2U6cGFzc3dvcmQ=']]) {
      expect(await asked(shown, FILES)).toMatchObject(bare)
    }
  })

  it('with two tokens is not read: who knows which of them the next one checks?', async () => {
    const jwt = await token(GOOD)
    const two = refused('not one Bearer token', 400, 'invalid_request')
    expect(await check()([`Bearer ${jwt}`, `Bearer ${jwt}`], FILES)).toMatchObject(two)
    expect(await check()([`Bearer ${jwt}, Bearer ${jwt}`], FILES)).toMatchObject(two)
    expect(await check()([`Bearer ${jwt} ${jwt}`], FILES)).toMatchObject(two)
  })

  it.each(['Bearer', 'Bearer ', 'Bearer\tabc', `Bearer ${'a'.repeat(20_000)}`])(
    'with "%.20s" is refused',
    async (shown) => {
      expect(await check()([shown], FILES)).toMatchObject({ ok: false })
    },
  )

  it('never makes us fetch keys for what is no signed token', async () => {
    const counted = await serveKeys(() => keySet)
    const asked = createTokenCheck({ issuer: ISSUER, jwks: counted.url })
    await asked(['Bearer abc'], FILES)
    await asked([`Bearer ${unsignedLike('none')}`], FILES)
    await asked([`Bearer ${unsignedLike('HS256')}`], FILES)
    expect(counted.fetches).toBe(0)
    await counted.close()
  })

  const unsignedLike = (alg: string): string => `${base64url.encode(JSON.stringify({ alg }))}.e30.AA`

  it('is told nothing of the token that was refused, nor are we', async () => {
    const secret = 'only-alice-knows'
    for (const claims of [
      { ...GOOD, aud: secret },
      { ...GOOD, iss: secret },
      { ...GOOD, sub: secret.repeat(20) },
    ]) {
      const jwt = await token(claims)
      const told = JSON.stringify(await verdictOf(jwt))
      expect(told).not.toContain(secret)
      for (const part of jwt.split('.')) expect(told).not.toContain(part)
    }
  })
})

describe('while the keys cannot be had', () => {
  it.each<[string, () => unknown, number]>([
    ['the issuer answers 500', () => ({}), 500],
    ['the issuer answers something else', () => ({ hello: 'world' }), 200],
    ['the issuer never answers', () => undefined, 200],
  ])('nobody is let in, when %s', async (_, answer, status) => {
    const broken = await serveKeys(answer, status)
    const asked = createTokenCheck({ issuer: ISSUER, jwks: broken.url, deadlineMs: 300 })
    expect(await asked([`Bearer ${await token(GOOD)}`], FILES)).toEqual({
      ok: false,
      status: 503,
      retryAfterS: 5,
      because: 'the keys of the issuer cannot be had',
    })
    expect(broken.fetches).toBe(1)
    await broken.close()
  })

  it('nobody is let in, when nothing listens there; and once it does, they are', async () => {
    let reply: unknown
    const late = await serveKeys(() => reply ?? {})
    const asked = createTokenCheck({ issuer: ISSUER, jwks: late.url })
    const jwt = await token(GOOD)
    expect(await asked([`Bearer ${jwt}`], FILES)).toMatchObject({ ok: false, status: 503 })
    reply = keySet
    expect(await asked([`Bearer ${jwt}`], FILES)).toMatchObject({ ok: true })
    await late.close()
    const gone = createTokenCheck({ issuer: ISSUER, jwks: late.url })
    expect(await gone([`Bearer ${jwt}`], FILES)).toMatchObject({ ok: false, status: 503 })
  })
})

describe('terms under which nothing could be checked', () => {
  it.each<[string, Partial<TokenTerms>, RegExp]>([
    ['an issuer in the clear', { issuer: 'http://login.example.com' }, /issuer: .* must be https/],
    ['keys in the clear', { jwks: 'http://login.example.com/jwks' }, /jwks: .* must be https/],
    ['keys that are not there', { jwks: '/nowhere/jwks.json' }, /jwks: .*cannot be read \(ENOENT\)/],
    ['no audience', { audience: '' }, /audience: must not be empty/],
    ['a scope that ends the quotation', { scopes: ['a"b'] }, /scopes: /],
    ['a clock that may be off for a day', { clockToleranceS: 86_400 }, /clockToleranceS/],
    ['no time', { deadlineMs: 0 }, /deadlineMs/],
  ])('are refused at the start: %s', (_, terms, message) => {
    expect(() => check(terms)).toThrow(message)
  })

  it('are refused at the start: a file with a private or a shared key', async () => {
    const file = join(temporaryFolder(), 'jwks.json')
    for (const key of [await exportJWK(ours.privateKey), { kty: 'oct', k: 'c2VjcmV0' }]) {
      writeFileSync(file, JSON.stringify({ keys: [key] }))
      expect(() => check({ jwks: file })).toThrow(/no set of public/)
    }
  })
})
