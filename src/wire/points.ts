import { createAuthzenPoint } from '../decide/authzen.ts'
import { createCerbosPoint } from '../decide/cerbos.ts'
import { createOpaPoint } from '../decide/opa.ts'
import type { PolicyDecisionPoint } from '../types.ts'
import { checkOptions, type PolicyServiceOptions, unusable } from './options.ts'
import { createService } from './service.ts'

/**
 * A policy decision point that speaks the AuthZEN Authorization API 1.0. `url` is its base: `/access/v1/evaluation` is below it.
 *
 * @throws HoldpointError ERR_CONFIG
 * @example
 * const gate = createGate({ policy: authzen({ url: 'https://pdp.example.com', bearer: () => tokens.current() }) })
 */
export function authzen(options: PolicyServiceOptions): PolicyDecisionPoint {
  const terms = checkOptions('authzen', options, 'required')
  return createAuthzenPoint(terms.remote, prefixOf(terms.url), createService(terms))
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
