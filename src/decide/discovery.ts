import type { Json, JsonObject } from '../types.ts'
import { WrongAnswer } from './absent.ts'
import type { PolicyService } from './service.ts'
import { listIn, objectIn, optional, textIn } from './shape.ts'

/** Where an AuthZEN service is asked, below its origin, and which obligations it may issue. */
export interface Endpoints {
  readonly evaluation: string
  /** Absent where it answers one question at a time. */
  readonly evaluations: string | undefined
  /** Absent where nothing is known of them. */
  readonly obligations: readonly string[] | undefined
}

/** The endpoints of a service that is not asked about them: AuthZEN 1.0, HTTPS binding. */
export function usualEndpoints(prefix: string): Endpoints {
  return {
    evaluation: `${prefix}/access/v1/evaluation`,
    evaluations: `${prefix}/access/v1/evaluations`,
    obligations: undefined,
  }
}

/**
 * Reads the metadata of a service when it is first asked, and keeps them (AuthZEN 1.0, Policy Decision Point Metadata).
 *
 * @param base the service's address, which the metadata must name as their own: else they are somebody else's
 */
export function createDiscovery(base: URL, service: PolicyService): (signal: AbortSignal) => Promise<Endpoints> {
  const prefix = base.pathname.replace(/\/+$/, '')
  let known: Endpoints | undefined
  return async (signal) => {
    if (known !== undefined) return known
    const { json } = await service.ask({ path: `/.well-known/authzen-configuration${prefix}` }, signal)
    known = readMetadata(json, base)
    return known
  }
}

/** @throws WrongAnswer */
export function readMetadata(json: Json, base: URL): Endpoints {
  const metadata = objectIn(json, 'the metadata')
  const named = addressIn(metadata, 'policy_decision_point')
  if (named?.href.replace(/\/+$/, '') !== base.href.replace(/\/+$/, '')) {
    throw misconfigured('its metadata are those of another policy decision point')
  }
  const evaluation = endpointIn(metadata, 'access_evaluation_endpoint', base)
  if (evaluation === undefined) throw misconfigured('its metadata name no access_evaluation_endpoint')
  return {
    evaluation,
    evaluations: endpointIn(metadata, 'access_evaluations_endpoint', base),
    obligations: optional(metadata['supported_obligations'] ?? [], (list) =>
      listIn(list, '"supported_obligations"').map((type) => textIn(type, 'an obligation type')),
    ),
  }
}

/** The path of an endpoint. It has the origin that the operator named: questions and credentials go nowhere else. */
function endpointIn(metadata: JsonObject, name: string, base: URL): string | undefined {
  const address = addressIn(metadata, name)
  if (address === undefined) return undefined
  if (address.origin === base.origin) return `${address.pathname}${address.search}`
  throw misconfigured(`its metadata name an ${name} of another origin`)
}

function addressIn(metadata: JsonObject, name: string): URL | undefined {
  const text = optional(metadata[name], (json) => textIn(json, name))
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined
}

function misconfigured(found: string): WrongAnswer {
  return new WrongAnswer('misconfigured', `${found}: this looks like our configuration, its address`)
}
