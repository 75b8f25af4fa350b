import { describe, expect, it } from 'vitest'
import { HoldpointError } from '../../src/errors.ts'
import { type AuthzenOptions, authzen, cerbos, opa } from '../../src/wire/points.ts'

const URL_ = 'https://pdp.example.com'

function refusal(create: () => unknown): HoldpointError {
  try {
    create()
  } catch (error) {
    if (error instanceof HoldpointError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('the options of a policy service', () => {
  it('need no more than an address', () => {
    expect(authzen({ url: URL_ })).toMatchObject({ id: 'authzen', rederivable: false, readsSession: true })
    expect(cerbos({ url: 'http://localhost:3592' })).toMatchObject({ id: 'cerbos' })
    expect(opa({ url: 'http://127.0.0.1:8181/v1/data/shop/decision' })).toMatchObject({ id: 'opa' })
    expect(opa({ url: 'http://[::1]:8181/v1/data/shop/decision' })).toMatchObject({ id: 'opa' })
  })

  it.each<[string, Record<string, unknown>]>([
    ['url', { url: undefined }],
    ['url', { url: 'pdp.example.com' }],
    ['url', { url: 'file:///etc/pdp' }],
    ['url', { url: 'https://user:pass@pdp.example.com' }],
    ['url', { url: `${URL_}/?key=1` }],
    ['url', { url: 'http://pdp.example.com' }],
    ['url', { url: 'http://127.0.0.1.example.com' }],
    ['plainHttp', { plainHttp: true }],
    ['name', { name: 'The Service' }],
    ['tools', { tools: [] }],
    ['tools', { tools: ['shop'] }],
    ['tools', { tools: ['shop/*', 'Shop/*'] }],
    ['bearer', { bearer: 'two\r\nlines' }],
    ['bearer', { bearer: '' }],
    ['bearer', { bearer: { env: 'TOKEN' } }],
    ['headers.host', { headers: { host: 'elsewhere' } }],
    ['headers.X-Request-ID', { headers: { 'X-Request-ID': 'mine' } }],
    ['headers.x y', { headers: { 'x y': 'z' } }],
    ['headers.authorization', { bearer: 't', headers: { authorization: 'Basic x' } }],
    ['headers.x-key', { headers: { 'X-Key': 'a', 'x-key': 'b' } }],
    ['ca', { ca: '/etc/ssl/ca.pem' }],
    ['echo', { echo: 'sometimes' }],
    ['canary', { canary: false }],
    ['policyDigest', { policyDigest: 'v7' }],
    ['readsSession', { readsSession: 'no' }],
    ['discover', { discover: 'yes' }],
    ['batch', { batch: { most: 0 } }],
    ['batch', { batch: 'yes' }],
    ['obligations', { obligations: 'notification' }],
    ['timeoutMs', { timeoutMs: 5 }],
  ])('are refused with the name of the mistaken one: %s', (option, mistaken) => {
    const options = { url: URL_, ...mistaken } as unknown as AuthzenOptions
    const error = refusal(() => authzen(options))
    expect(error).toMatchObject({ code: 'ERR_CONFIG', at: 'authzen() options' })
    expect(error.message).toContain(`"${option}"`)
  })

  it('are refused without a secret in the message', () => {
    expect(refusal(() => authzen({ url: URL_, bearer: 'sk-secret\n' })).message).not.toContain('sk-secret')
    expect(refusal(() => authzen({ url: 'https://u:sk-secret@pdp.example.com' })).message).not.toContain('sk-secret')
  })

  it('let plain HTTP out of this machine only where it is said', () => {
    expect(authzen({ url: 'http://opa.mesh:8181', plainHttp: 'allowed' })).toMatchObject({ id: 'authzen' })
  })

  it.each([
    ['https://opa.example.com/v0/data/shop/decision', 'strict-builtin-errors'],
    ['https://opa.example.com/v1/data', 'must be a rule'],
    ['https://opa.example.com/v1/data/', 'must be a rule'],
    ['https://opa.example.com', 'must be a rule'],
    ['https://opa.example.com/v1/query', 'must be a rule'],
  ])('of OPA name a rule of the v1 API: not %s', (url, why) => {
    expect(refusal(() => opa({ url })).message).toContain(why)
  })

  it('of OPA and Cerbos know no batches', () => {
    expect(refusal(() => cerbos({ url: URL_, batch: true } as AuthzenOptions)).message).toContain('"batch"')
  })

  it('give each service a digest of its own, in which no secret is', () => {
    const digest = (url: string, bearer?: string): string =>
      authzen({ url, ...(bearer === undefined ? {} : { bearer }) }).policyDigest
    expect(digest(URL_)).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(digest(URL_, 'one')).toBe(digest(URL_, 'two'))
    expect(digest(URL_)).not.toBe(digest(`${URL_}/other`))
    expect(digest(URL_)).not.toBe(cerbos({ url: URL_ }).policyDigest)
    const stated = 'p'.repeat(43)
    expect(authzen({ url: URL_, policyDigest: stated }).policyDigest).toBe(stated)
  })
})
