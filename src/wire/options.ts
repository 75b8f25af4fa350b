import { canonicalText } from '../bytes/canonical.ts'
import { sha256 } from '../bytes/digest.ts'
import { isToolPattern } from '../bytes/names.ts'
import type { RemoteTerms } from '../decide/remote.ts'
import { HoldpointError } from '../errors.ts'

/** A secret, or what gives the newest one each time that a question is asked. It stands in no error, receipt or log. */
export type Secret = string | (() => string | Promise<string>)

/** What all kinds of policy services are told. */
export interface PolicyServiceOptions {
  /** `https://pdp.example.com`. Plain HTTP is for this machine, unless `plainHttp` says otherwise. */
  readonly url: string
  /** Its name in receipts, refusals and metrics. Default: the kind of service. */
  readonly name?: string
  /** The tools that it answers for: `shop/refund`, `shop/*` or `*`. Default: all. */
  readonly tools?: readonly string[]
  /** Sent as `Authorization: Bearer …` (RFC 6750). */
  readonly bearer?: Secret
  /** Further headers, such as `x-api-key`. */
  readonly headers?: Readonly<Record<string, Secret>>
  /** Certificates that are believed instead of the platform's, PEM. */
  readonly ca?: string
  /** Plain HTTP to another machine: whoever is on the way can permit everything. For networks that encrypt by themselves. */
  readonly plainHttp?: 'allowed'
  /**
   * `required`: every answer must say which request it is for, and connections are kept. `none`: the service does not say it, so each
   * request has a connection of its own.
   */
  readonly echo?: 'required' | 'none'
  /** `off` takes a rule that errs for whatever the service makes of it. Default `required`: medium and high need the proof. */
  readonly canary?: 'required' | 'off'
  /** SHA-256 of the policies that answer, base64url, where you know it. Default: a digest of kind and address. */
  readonly policyDigest?: string
  /** Does the policy read `context.session`? `conversation`: neither `hour` nor `day`. Default true. */
  readonly readsSession?: boolean | 'conversation'
}

/** Options that were checked. */
export interface ServiceTerms {
  readonly url: URL
  readonly remote: RemoteTerms
  readonly echo: 'required' | 'none'
  readonly ca: string | undefined
  readonly bearer: Secret | undefined
  readonly headers: ReadonlyMap<string, Secret>
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/
const DIGEST = /^[A-Za-z0-9_-]{43}$/
const HEADER = /^[a-z0-9-]{1,64}$/
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/
/** Headers that are the wire's own. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
])

/** Refuses options that cannot be meant. */
type Refuse = (option: string, message: string) => HoldpointError

/**
 * Checks what is common to all kinds of policy services.
 *
 * @param kind `authzen`, `opa` or `cerbos`; the function that the operator called
 * @throws HoldpointError ERR_CONFIG
 */
export function checkOptions(
  kind: string,
  options: PolicyServiceOptions,
  echo: 'required' | 'none',
  known: readonly string[] = [],
): ServiceTerms {
  const refuse: Refuse = (option, message) => unusable(kind, option, message)
  if (typeof options !== 'object' || options === null) throw refuse('', `needs options such as {url: "https://…"}`)
  const stranger = Object.keys(options).find((name) => !KNOWN.has(name) && !known.includes(name))
  if (stranger !== undefined) throw refuse(stranger, 'is not an option')
  const url = checkUrl(options, refuse)
  return {
    url,
    remote: {
      id: matching(options.name, NAME, 'name', 'must be lower-case letters, digits, ".", "_" and "-"', refuse) ?? kind,
      tools: checkTools(options.tools, refuse),
      policyDigest:
        matching(options.policyDigest, DIGEST, 'policyDigest', 'must be a SHA-256 digest in base64url', refuse) ??
        sha256(`holdpoint policy service\n${canonicalText({ kind, url: url.href })}`),
      readsSession: oneOf(options.readsSession, [true, false, 'conversation'], 'readsSession', refuse) ?? true,
      canary: oneOf(options.canary, ['required', 'off'], 'canary', refuse) ?? 'required',
    },
    echo: oneOf(options.echo, ['required', 'none'], 'echo', refuse) ?? echo,
    ca: checkCa(options.ca, refuse),
    bearer: checkSecret(options.bearer, 'bearer', refuse),
    headers: checkHeaders(options, refuse),
  }
}

const KNOWN: ReadonlySet<string> = new Set([
  'url',
  'name',
  'tools',
  'bearer',
  'headers',
  'ca',
  'plainHttp',
  'echo',
  'canary',
  'policyDigest',
  'readsSession',
])

/** The error for an option, with what to do about it. */
export function unusable(kind: string, option: string, message: string): HoldpointError {
  const at = `${kind}() options`
  const because = `${option === '' ? '' : `"${option}" `}${message}`
  return new HoldpointError('ERR_CONFIG', `${at}: ${because}`, { at, because })
}

function checkUrl(options: PolicyServiceOptions, refuse: Refuse): URL {
  const given: unknown = options.url
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw refuse('url', 'must be an address such as https://pdp.example.com')
  }
  if (url.username !== '' || url.password !== '')
    throw refuse('url', 'must hold no password: use "bearer" or "headers"')
  if (url.search !== '' || url.hash !== '') throw refuse('url', 'must have neither a query nor a fragment')
  const plainHttp = oneOf(options.plainHttp, ['allowed'], 'plainHttp', refuse)
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && plainHttp === undefined) {
    const advice = 'use https, or say plainHttp: "allowed" where the network encrypts by itself'
    throw refuse(
      'url',
      `is plain HTTP to another machine, where whoever is on the way can permit everything: ${advice}`,
    )
  }
  return url
}

function checkTools(tools: readonly string[] | undefined, refuse: Refuse): readonly string[] | undefined {
  if (tools === undefined) return undefined
  const isList = Array.isArray(tools) && tools.length > 0
  if (isList && tools.every(isToolPattern)) return [...tools]
  throw refuse('tools', 'must be a list such as ["shop/*", "files/write_file"], or ["*"]')
}

function checkCa(ca: string | undefined, refuse: Refuse): string | undefined {
  if (ca === undefined || (typeof ca === 'string' && ca.includes('-----BEGIN CERTIFICATE-----'))) return ca
  throw refuse('ca', 'must be certificates in PEM: read the file and pass its text')
}

function checkHeaders(options: PolicyServiceOptions, refuse: Refuse): ReadonlyMap<string, Secret> {
  const headers = new Map<string, Secret>()
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    const lower = name.toLowerCase()
    const isTaken = OWN_HEADERS.has(lower) || (lower === 'authorization' && options.bearer !== undefined)
    if (!HEADER.test(lower) || isTaken || headers.has(lower)) throw refuse(`headers.${name}`, 'cannot be set')
    const secret = checkSecret(value, `headers.${name}`, refuse)
    if (secret !== undefined) headers.set(lower, secret)
  }
  return headers
}

function checkSecret(secret: Secret | undefined, option: string, refuse: Refuse): Secret | undefined {
  if (secret === undefined || typeof secret === 'function') return secret
  if (isHeaderText(secret)) return secret
  throw refuse(option, 'must be a text of visible ASCII characters, or a function that gives one')
}

/** May this be the value of a header? */
export function isHeaderText(text: unknown): text is string {
  return typeof text === 'string' && /^[!-~](?:[ -~]{0,8190}[!-~])?$/.test(text)
}

function matching(
  text: string | undefined,
  pattern: RegExp,
  option: string,
  rule: string,
  refuse: Refuse,
): string | undefined {
  if (text === undefined || (typeof text === 'string' && pattern.test(text))) return text
  throw refuse(option, rule)
}

/** One of a few values. */
export function oneOf<T extends string | boolean>(
  value: T | undefined,
  allowed: readonly T[],
  option: string,
  refuse: Refuse,
): T | undefined {
  if (value === undefined || allowed.includes(value)) return value
  throw refuse(option, `must be ${allowed.map((one) => JSON.stringify(one)).join(' or ')}`)
}
