import { createPrivateKey, type KeyObject } from 'node:crypto'
import { HoldpointError } from '../errors.ts'
import type { Signer } from '../types.ts'
import { createSigner } from './sign.ts'

/** A key is some hundred characters long. */
const LONGEST_KEY = 16_384

/**
 * The receipt key out of an environment variable that holds it as a private JWK (RFC 7517, RFC 8037): Ed25519 or P-256. Nothing that
 * it holds is in any message.
 *
 * @throws HoldpointError ERR_KEY naming the variable
 */
export function keyFromEnvironment(name: string, environment: Readonly<Record<string, string | undefined>>): Signer {
  const text = environment[name]
  if (text === undefined || text === '')
    throw failure(name, 'is not set: it has to hold the receipt key, a private JWK')
  const given = readJwk(name, text)
  let key: KeyObject
  try {
    key = createPrivateKey({ key: given, format: 'jwk' })
  } catch {
    // What Node says of a key may quote it.
    throw failure(
      name,
      'holds no private JWK of Ed25519 ({kty: OKP, crv: Ed25519, x, d}) or P-256 ({kty: EC, crv: P-256, x, y, d})',
    )
  }
  const signer = signerOf(name, key)
  // Node works the public part out of the private one and does not look at what was given.
  const { x, y } = signer.publicJwk
  if (x !== given['x'] || y !== given['y'])
    throw failure(name, 'holds a JWK whose public part is not of its private part')
  for (const [member, expected] of [
    ['alg', signer.alg],
    ['kid', signer.kid],
    ['use', 'sig'],
  ] as const)
    if (given[member] !== undefined && given[member] !== expected)
      throw failure(name, `holds a JWK whose "${member}" does not fit: leave it out, or make it ${expected}`)
  return signer
}

function readJwk(name: string, text: string): Readonly<Record<string, unknown>> {
  if (text.length > LONGEST_KEY) throw failure(name, 'is too long to hold a key')
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Said below, without what stands there.
  }
  throw failure(name, 'holds no JSON object: it has to hold the receipt key, a private JWK')
}

function signerOf(name: string, key: KeyObject): Signer {
  try {
    return createSigner(key)
  } catch (cause) {
    throw failure(
      name,
      `cannot be used: ${cause instanceof HoldpointError ? cause.message : 'it is no key for signatures'}`,
    )
  }
}

function failure(name: string, what: string): HoldpointError {
  return new HoldpointError('ERR_KEY', `the environment variable ${name} ${what}`, { at: name })
}
