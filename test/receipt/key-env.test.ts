import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { keyFromEnvironment } from '../../src/receipt/key-env.ts'

const NAME = 'RECEIPT_KEY'
const jwkOf = (key = generateKeyPairSync('ed25519').privateKey) => key.export({ format: 'jwk' })
const read = (value: unknown) =>
  keyFromEnvironment(NAME, { [NAME]: typeof value === 'string' ? value : JSON.stringify(value) })

describe('a receipt key in an environment variable', () => {
  it('signs under the public part that it has', () => {
    const jwk = jwkOf()
    expect(read(jwk)).toMatchObject({ alg: 'Ed25519', publicJwk: { x: jwk.x } })
    expect(read(jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey))).toMatchObject({ alg: 'ES256' })
  })

  const good = jwkOf()
  it.each([
    ['is not there', '', 'is not set'],
    ['is no JSON', `${good.d}`, 'no JSON object'],
    ['is PEM', generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), 'no JSON object'],
    ['is public alone', { kty: good.kty, crv: good.crv, x: good.x }, 'no private JWK'],
    ['is of another kind', jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey), 'Ed25519 or P-256'],
    ["has another's public part", { ...good, x: jwkOf().x }, 'not of its private part'],
    ['is for another algorithm', { ...good, alg: 'ES256' }, '"alg" does not fit'],
    ['has a name of somebody else', { ...good, kid: 'mine' }, '"kid" does not fit'],
    ['is for encryption', { ...good, use: 'enc' }, '"use" does not fit'],
    ['is endless', 'x'.repeat(20_000), 'too long'],
  ])('that %s is refused by the name of the variable, and never quoted', (_, value, why) => {
    let said: unknown
    try {
      read(value)
    } catch (error) {
      said = error
    }
    expect(said).toMatchObject({ code: 'ERR_KEY', at: NAME, message: expect.stringContaining(why) })
    const whole = `${(said as Error).message} ${String((said as Error).cause ?? '')}`
    if (typeof good.d === 'string') expect(whole).not.toContain(good.d)
  })
})
