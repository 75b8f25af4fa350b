import { hostOf } from '../bytes/host.ts'
import { namedBy } from '../bytes/words.ts'
import type { JsonObject } from '../types.ts'
import { domainsOf } from './derived-url.ts'

const namesAddress = namedBy(
  new Set(
    'email emails mail to cc bcc from sender recipient recipients attendee attendees invitee invitees participant participants addressee addressees'.split(
      ' ',
    ),
  ),
)

/**
 * One unquoted mailbox and nothing else: no display name, no list, no comment, no second `@`. RFC 5321 allows `/`, `?` and `#`
 * in front of the `@`; nobody's address has them, and a reader of URLs finds its host in front of them.
 */
const MAILBOX = /^[A-Za-z0-9.!$&'*+=^_`{|}~-]{1,64}@([^@\s,;<>()"[\]\p{Cc}]{1,253})$/u

/** By its key, or because it is one mailbox. */
export function looksLikeAddress(text: string, key: string): boolean {
  return namesAddress(key) || (text.length <= 320 && MAILBOX.test(text))
}

/** The mail domain with its parents; empty for what is not exactly one plain mailbox. */
export function addressFacts(text: string): JsonObject {
  const name = text.length <= 320 ? MAILBOX.exec(text)?.[1] : undefined
  const domain = name === undefined ? undefined : hostOf(name)
  return domain === undefined ? { domain: '', domains: [] } : { domain, domains: domainsOf(domain) }
}
