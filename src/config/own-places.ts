/** The operator's own mail domains and hosts: `own: { domains: [example.com], hosts: [api.example.com] }`. */
import { z } from 'zod'
import { hostOf } from '../bytes/host.ts'

const NAME_RULE = 'must be a name such as example.com, which stands for itself and everything below it'
const LIST_RULE = 'must be a list of names such as [example.com] that is not empty'
const MAPPING_RULE = 'must be a mapping such as {domains: [example.com], hosts: [api.example.com]}'

/** A name of at least two labels, or `localhost`: `com` alone would be half the world. Kept as URLs write it. */
const place = z.string({ error: NAME_RULE }).transform((written, context) => {
  const host = hostOf(written)
  const isWide = host !== undefined && !host.includes('.') && host !== 'localhost'
  if (host !== undefined && !isWide && PLAIN.test(host)) return host
  context.addIssue({ code: 'custom', message: NAME_RULE })
  return z.NEVER
})

/** No `*.`, no empty label. */
const PLAIN = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/

const places = z.array(place, { error: LIST_RULE }).min(1, LIST_RULE).readonly()

export const ownPlaces = z.strictObject(
  { domains: places.optional(), hosts: places.optional() },
  { error: MAPPING_RULE },
)
