/** Public keys that an operator writes down: of whoever signs receipts, answers and overrides, and of people's passkeys. */
import { z } from 'zod'

const text = z.string({ error: 'must be a text that is not empty' }).min(1, 'must be a text that is not empty')

/** A public key as a JWK (RFC 7517): Ed25519 or P-256, never with its private part. */
const publicJwk = z.union(
  [
    z.strictObject({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: text,
      kid: text.optional(),
      alg: text.optional(),
      use: z.literal('sig').optional(),
    }),
    z.strictObject({
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      x: text,
      y: text,
      kid: text.optional(),
      alg: text.optional(),
      use: z.literal('sig').optional(),
    }),
  ],
  { error: 'must be a public JWK: {kty: OKP, crv: Ed25519, x} or {kty: EC, crv: P-256, x, y}' },
)

/** Those of one role. */
export const keys = z.array(publicJwk, { error: 'must be a list of public JWKs' }).readonly()

const PASSKEY_RULE =
  'must be a mapping such as {user: bob, credentialId: …, publicKey: {kty: EC, …}, rpId: shop.example.com, origin: "https://shop.example.com"}'

/** A person's passkey, as the page of approvals prints it for whoever runs the gate. */
const passkey = z
  .strictObject(
    {
      user: text,
      tenant: text.optional(),
      credentialId: z
        .string({ error: 'must be base64url' })
        .regex(/^[A-Za-z0-9_-]{1,1364}$/, 'must be base64url, at most 1023 bytes'),
      publicKey: publicJwk,
      rpId: text,
      origin: text,
    },
    { error: PASSKEY_RULE },
  )
  .refine(({ rpId, origin }) => isAtHome(rpId, origin), {
    path: ['origin'],
    error: 'must be an origin such as https://shop.example.com, of "rpId" or a domain below it; http is for localhost',
  })

/** Browsers let a page use the passkeys of its own domain and of those above it, over TLS. */
function isAtHome(rpId: string, origin: string): boolean {
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url === undefined || url.origin !== origin) return false
  const isLocal = url.hostname === 'localhost' || url.hostname.endsWith('.localhost')
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)
  return isSafe && (url.hostname === rpId || url.hostname.endsWith(`.${rpId}`))
}

const MOST_PASSKEYS = 10_000

/** Passkeys, each of one person. */
export const passkeys = z
  .array(passkey, { error: 'must be a list of passkeys' })
  .max(MOST_PASSKEYS, `may name at most ${MOST_PASSKEYS} passkeys`)
  .readonly()
  .superRefine((all, context) => {
    const seen = new Set<string>()
    for (const [index, { credentialId, publicKey }] of all.entries()) {
      const [id, key] = [credentialId, `x ${publicKey.x}`]
      if (seen.has(id) || seen.has(key))
        context.addIssue({
          code: 'custom',
          path: [index],
          message: 'is a passkey that is there before: one passkey is one person’s',
        })
      seen.add(id).add(key)
    }
  })
