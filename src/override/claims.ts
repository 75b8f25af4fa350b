import { z } from 'zod'
import { isToolPattern } from '../bytes/names.ts'

/**
 * What an override says: the payload that people sign, version 1.
 *
 * An override lets *medium* calls run while *no policy answers*, and nothing else, ever. So neither word has a member here that
 * somebody could set to another value.
 */

/** The longest that an override may live, ms. */
export const LONGEST_LIFE_MS = 60 * 60_000
/** The most calls that one override may let run. */
export const MOST_USES = 1_000

/** The name under which an operator knows the place: `environment: { name: production }`. */
const ENVIRONMENT = /^[A-Za-z0-9_.-]{1,64}$/

const line = (most: number) =>
  z
    .string()
    .regex(/^(?=.*\S)[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'must be one line of text')
    .max(most, `may have ${most} characters`)
    .refine((text) => text.isWellFormed(), 'must be well-formed text')

const principal = z.union(
  [z.literal('any'), z.strictObject({ type: z.enum(['user', 'agent']), id: line(256), tenant: line(256).optional() })],
  { error: 'must be "any", or a user or an agent by id' },
)

const overrideClaims = z
  .strictObject({
    v: z.literal(1),
    /** 128 random bits, base64url: two overrides that say the same are counted apart. */
    nonce: z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'must be 128 bits in base64url'),
    tools: z
      .array(z.string().refine(isToolPattern, 'must be a tool with its server, such as shop/restock, or shop/* or *'))
      .min(1, 'must name a tool')
      .max(32, 'may name 32 tools')
      .refine(isSorted, 'must be sorted, each tool once')
      .readonly(),
    environment: z.string().regex(ENVIRONMENT, 'must be the name of an environment, such as production'),
    principal,
    /** Wall clock, ms since the Unix epoch: good from this moment on … */
    notBefore: z.int().nonnegative(),
    /** … until just before this one. */
    expires: z.int().nonnegative(),
    /** How many calls it may let run, in one store. */
    most: z
      .int(`must be a whole number from 1 to ${MOST_USES}`)
      .min(1, `must be a whole number from 1 to ${MOST_USES}`)
      .max(MOST_USES, `must be a whole number from 1 to ${MOST_USES}`),
    /** For whoever reads the receipts. */
    reason: line(256),
    ticket: line(64),
  })
  .refine(({ notBefore, expires }) => expires > notBefore && expires - notBefore <= LONGEST_LIFE_MS, {
    path: ['expires'],
    message: 'must be at most 60 minutes after notBefore',
  })

export type OverrideClaims = z.infer<typeof overrideClaims>

/** What is wrong with an override, in words, and where. */
export interface OverrideFault {
  /** JSON Pointer. */
  readonly at: string
  readonly because: string
}

/** Checks the shape of a payload. */
export function checkClaims(value: unknown): { readonly claims: OverrideClaims } | { readonly fault: OverrideFault } {
  const parsed = overrideClaims.safeParse(value)
  if (parsed.success) return { claims: parsed.data }
  const [issue] = parsed.error.issues
  const at = (issue?.path ?? []).map((step) => `/${String(step)}`).join('')
  return { fault: { at, because: issue?.message ?? 'has an unknown shape' } }
}

/** How many trusted keys must have signed: two for anything wider than one tool and one principal. */
export function signaturesNeeded({ principal, tools }: Pick<OverrideClaims, 'principal' | 'tools'>): 1 | 2 {
  const isNarrow = tools.length === 1 && tools.every((tool) => !tool.endsWith('*')) && principal !== 'any'
  return isNarrow ? 1 : 2
}

function isSorted(tools: readonly string[]): boolean {
  return tools.every((tool, n) => n === 0 || (tools[n - 1] ?? '') < tool)
}
