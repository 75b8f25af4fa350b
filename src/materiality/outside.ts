import { hostOf } from '../bytes/host.ts'

/**
 * Does this text hold a mail address outside of these domains? Lists, display names and angle brackets are taken apart;
 * whatever holds an `@` and is not one plain mailbox below a domain is outside.
 *
 * UNTRUSTED: what a model wrote; read in time linear in it.
 */
export function hasOutsideAddress(text: string, domains: readonly string[]): boolean {
  if (!AT.test(text)) return false
  return text.split(BETWEEN).some((piece) => AT.test(piece) && !isOwnAddress(piece, domains))
}

/** Also the two letters that mail programs may take for it. */
const AT = /[@\uff20\ufe6b]/u
const BETWEEN = /[\s,;:<>()"'[\]]+/u
/** No `%` and no `!`, which old relays read as a further way: `eve%elsewhere.example@example.com`. */
const MAILBOX = /^[A-Za-z0-9.#$&*+/=?^_`{|}~-]{1,64}@(?<host>[^@\uff20\ufe6b]{1,253})$/u

function isOwnAddress(piece: string, domains: readonly string[]): boolean {
  const host = MAILBOX.exec(piece)?.groups?.['host']
  return host !== undefined && isBelow(host, domains)
}

/**
 * Does this text hold the address of a host outside of these? Wherever in it: what is written into a message is followed
 * too. An address with a user, a backslash or a host that cannot be read is outside, since its readers differ.
 *
 * UNTRUSTED: what a model wrote; read in time linear in it.
 */
export function hasOutsideUrl(text: string, hosts: readonly string[]): boolean {
  if (hasOutsideStart(text.trim(), hosts)) return true
  AUTHORITY.lastIndex = 0
  for (let match = AUTHORITY.exec(text); match !== null; match = AUTHORITY.exec(text)) {
    const scheme = SCHEME.exec(text.slice(Math.max(0, match.index - LONGEST_SCHEME), match.index))?.[0].toLowerCase()
    const { slashes, authority = '', next = '' } = match.groups ?? {}
    // `file:///` is this machine; with one slash more it is a share elsewhere.
    if (scheme === undefined || (scheme === 'file' && slashes === '///')) continue
    if (next === '\\' || !isOwnAuthority(authority, hosts)) return true
  }
  return false
}

/** Addresses that readers of URLs take for one although it is written otherwise: `//host`, `https:host`, with tabs in it. */
function hasOutsideStart(text: string, hosts: readonly string[]): boolean {
  if (!OPENS.test(text)) return false
  const url = URL.parse(text, 'https://relative.invalid/')
  return url !== null && url.host !== '' && (url.username !== '' || !isBelow(url.hostname, hosts))
}

const OPENS = /^(?:[/\\]{2}|(?:https?|wss?|ftp):)/i
const AUTHORITY = /:(?<slashes>[/\\]{2,})(?<authority>[^/\\?#\s"'<>`]*)(?<next>\\?)/gu
const SCHEME = /[a-z][a-z0-9+.-]*$/i
const LONGEST_SCHEME = 64
/** What ends a sentence around an address, and is no part of it. */
const TRAILING = /[.,;!)\]}*_]+$/

function isOwnAuthority(authority: string, hosts: readonly string[]): boolean {
  if (authority.length > LONGEST_AUTHORITY) return false
  return isBelow(authority.replace(TRAILING, '').replace(/:\d{0,5}$/, ''), hosts)
}

const LONGEST_AUTHORITY = 512

/** Is this host one of these, or below one? */
function isBelow(written: string, places: readonly string[]): boolean {
  const host = hostOf(written)
  return host !== undefined && places.some((place) => host === place || host.endsWith(`.${place}`))
}
