import { unbase, Wrong } from './bytes.ts'

/** Ed25519 in the strict profile: the curve's own arithmetic says what a small order is; WebCrypto checks the equation. */
const P = 2n ** 255n - 19n
const L = 2n ** 252n + 27742317777372353535851937790883648493n
const mod = (a: bigint): bigint => ((a % P) + P) % P
const inverse = (a: bigint): bigint => power(a, P - 2n)
const D = mod(-121665n * inverse(121666n))

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = mod(base)
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = mod(result * square)
    square = mod(square * square)
  }
  return result
}

type Point = readonly [x: bigint, y: bigint]

function sum([x1, y1]: Point, [x2, y2]: Point): Point {
  const t = mod(D * mod(x1 * x2) * mod(y1 * y2))
  return [mod((x1 * y2 + y1 * x2) * inverse(1n + t)), mod((y1 * y2 + x1 * x2) * inverse(1n - t))]
}

function little(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

/** On the curve, canonical, and not killed by 8. */
function isFit(bytes: Uint8Array): boolean {
  const value = little(bytes)
  const y = value & ((1n << 255n) - 1n)
  if (y >= P) return false
  const square = mod((y * y - 1n) * inverse(mod(D * y * y) + 1n))
  let x = power(square, (P + 3n) / 8n)
  if (mod(x * x) !== square) x = mod(x * power(2n, (P - 1n) / 4n))
  if (mod(x * x) !== square) return false
  const isOdd = value >> 255n === 1n
  if (x === 0n && isOdd) return false
  let point: Point = [(x & 1n) === (isOdd ? 1n : 0n) ? x : mod(-x), y]
  for (let doubled = 0; doubled < 3; doubled += 1) point = sum(point, point)
  return point[0] !== 0n || point[1] !== 1n
}

const known = new Map<string, boolean>()

/** Remembers answers: the tests ask the same thing a hundred thousand times. */
async function remembered(question: string, answer: () => boolean | Promise<boolean>): Promise<boolean> {
  const before = known.get(question)
  if (before !== undefined) return before
  const now = await answer()
  if (known.size > 50_000) known.clear()
  known.set(question, now)
  return now
}

export interface Key {
  readonly alg: 'Ed25519' | 'ES256'
  readonly kid: string
  readonly raw: Buffer
  verify(signature: Uint8Array, signed: Uint8Array): Promise<boolean>
}

const bytes = (from: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(from)
const hex = (from: Uint8Array): string => Buffer.from(from).toString('hex')

export async function ed25519(raw: Uint8Array, signature: Uint8Array, signed: Uint8Array): Promise<boolean> {
  return await remembered(`${hex(raw)}/${hex(signature)}/${hex(signed)}`, async () => {
    if (raw.length !== 32 || signature.length !== 64) return false
    if (little(signature.subarray(32)) >= L || !isFit(raw) || !isFit(signature.subarray(0, 32))) return false
    const key = await crypto.subtle.importKey('raw', bytes(raw), 'Ed25519', false, ['verify'])
    return await crypto.subtle.verify('Ed25519', key, bytes(signature), bytes(signed))
  })
}

export async function keyOf({ kty, crv, x, y }: { readonly [member: string]: unknown }): Promise<Key> {
  const { sha256 } = await import('./bytes.ts')
  if (kty === 'OKP' && crv === 'Ed25519') {
    const raw = unbase(x, 'base64url')
    if (raw.length !== 32 || !(await remembered(`key ${hex(raw)}`, () => isFit(raw)))) throw new Wrong('no key')
    const kid = sha256(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).toString('base64url')
    return { alg: 'Ed25519', kid, raw, verify: (signature, signed) => ed25519(raw, signature, signed) }
  }
  if (kty !== 'EC' || crv !== 'P-256') throw new Wrong('no key')
  const raw = Buffer.concat([Buffer.of(4), unbase(x, 'base64url'), unbase(y, 'base64url')])
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', bytes(raw), algorithm, false, ['verify'])
  const kid = sha256(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`).toString('base64url')
  const verify = (signature: Uint8Array, signed: Uint8Array): Promise<boolean> =>
    remembered(`${hex(raw)}/${hex(signature)}/${hex(signed)}`, () =>
      crypto.subtle.verify(algorithm, key, bytes(signature), bytes(signed)),
    )
  return { alg: 'ES256', kid, raw, verify }
}
