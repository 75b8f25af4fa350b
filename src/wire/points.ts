import { createAuthzenPoint } from '../decide/authzen.ts'
import { createCerbosPoint } from '../decide/cerbos.ts'
import { createDiscovery, usualEndpoints } from '../decide/discovery.ts'
import { createOpaPoint } from '../decide/opa.ts'
import type { PolicyDecisionPoint } from '../types.ts'
import { checkOptions, type PolicyServiceOptions, unusable } from './options.ts'
import { createService } from './service.ts'

/** What is peculiar to AuthZEN services. */
export interface AuthzenOptions extends PolicyServiceOptions {
  /** Asks the service's metadata for its endpoints, which must be on the same origin. Default: those of the specification. */
  readonly discover?: boolean
  /**
   * Asks questions that come in the same turn together (`/access/v1/evaluations`), 50 at most or `most`. Calls of one session are
   * decided one after the other, unless `readsSession` is false.
   */
  readonly batch?: boolean | { readonly most: number }
  /** The types of obligations that can be fulfilled here, told to the service: `['notification']`. */
  readonly obligations?: readonly string[]
}

const MOST_QUESTIONS = 50

/**
 * A policy decision point that speaks the AuthZEN Authorization API 1.0. `url` is its base: `/access/v1/evaluation` is below it.
 *
 * @throws HoldpointError ERR_CONFIG
 * @example
 * const gate = createGate({ policy: authzen({ url: 'https://pdp.example.com', bearer: () => tokens.current() }) })
 */
export function authzen(options: AuthzenOptions): PolicyDecisionPoint {
  const terms = checkOptions('authzen', options, 'required', ['discover', 'batch', 'obligations'])
  const { url, remote } = terms
  const service = createService(terms)
  const usual = usualEndpoints(prefixOf(url))
  const isFlag = (value: unknown): boolean => value === undefined || typeof value === 'boolean'
  if (!isFlag(options.discover)) throw unusable('authzen', 'discover', 'must be true or false')
  const place = {
    endpoints: options.discover === true ? createDiscovery(url, service) : async () => usual,
    most: mostIn(options.batch),
    obligations: typesIn(options.obligations),
  }
  return createAuthzenPoint(remote, place, service)
}

function mostIn(batch: AuthzenOptions['batch']): number | undefined {
  if (batch === undefined || batch === false) return undefined
  const most = batch === true ? MOST_QUESTIONS : batch?.most
  if (Number.isSafeInteger(most) && most >= 1 && most <= 1_000) return most
  throw unusable('authzen', 'batch', 'must be true, false or a mapping such as {most: 50}')
}

function typesIn(types: AuthzenOptions['obligations']): readonly string[] | undefined {
  if (types === undefined) return undefined
  if (Array.isArray(types) && types.every((type) => typeof type === 'string' && type !== '')) return [...types]
  throw unusable('authzen', 'obligations', 'must be a list of types, such as ["notification"]')
}

/**
 * A policy decision point that asks a rule of OPA's data API. `url` is the rule's: `https://opa.example.com/v1/data/shop/decision`.
 *
 * OPA does not say which request it answers, so each question has a connection of its own; with `echo: 'required'` a proxy in
 * front of it must hand `X-Request-ID` back.
 *
 * @throws HoldpointError ERR_CONFIG
 */
export function opa(options: PolicyServiceOptions): PolicyDecisionPoint {
  const terms = checkOptions('opa', options, 'none')
  const { pathname } = terms.url
  if (/\/v0\//.test(pathname)) {
    const why = 'the v0 API ignores strict-builtin-errors, so that a deny rule that errs comes back as a permit'
    throw unusable('opa', 'url', `must be a rule of the v1 API: ${why}`)
  }
  const [, prefix, rule] = /^(.*?)\/v1\/data\/([A-Za-z0-9_/]*[A-Za-z0-9_])\/?$/.exec(pathname) ?? []
  if (prefix === undefined || rule === undefined) {
    throw unusable('opa', 'url', 'must be a rule, such as https://opa.example.com/v1/data/shop/decision')
  }
  return createOpaPoint(terms.remote, { prefix, rule }, createService(terms))
}

/**
 * A policy decision point that asks Cerbos, by its AuthZEN endpoint. `url` is where Cerbos listens for HTTP.
 *
 * Cerbos echoes no `X-Request-ID`, but hands our id back inside its answer, so connections are kept all the same.
 *
 * @throws HoldpointError ERR_CONFIG
 */
export function cerbos(options: PolicyServiceOptions): PolicyDecisionPoint {
  const terms = checkOptions('cerbos', options, 'none')
  const isBound = true
  return createCerbosPoint(terms.remote, prefixOf(terms.url), createService(terms, isBound))
}

/** The path that everything is below: `''`, or `/tenants/1`. */
function prefixOf(url: URL): string {
  return url.pathname.replace(/\/+$/, '')
}
