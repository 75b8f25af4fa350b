import { shown } from '../bytes/shown.ts'
import type { Decision, EvaluationRequest, Json, PolicyDecisionPoint } from '../types.ts'
import { createRemotePoint, type RemoteTerms } from './remote.ts'
import { type PolicyService, wireText } from './service.ts'
import {
  deny,
  listIn,
  misshapen,
  nameIn,
  noPermit,
  objectIn,
  obligationsIn,
  optional,
  permit,
  policyError,
  requestable,
  requirementIn,
  sentenceIn,
  textIn,
  verdictIn,
} from './shape.ts'

/** Without the first, a rule whose builtin errs is dropped: a deny rule too. Only the v1 API obeys it. */
const QUERY = 'strict-builtin-errors=true&provenance=true'

/** Where a rule is read in OPA's data API: `/v1/data/shop/decision`, perhaps below a prefix. */
export interface OpaPlace {
  readonly prefix: string
  /** `shop/decision`. */
  readonly rule: string
}

/**
 * A policy decision point that asks OPA's data API (v1). The request is the rule's `input`.
 *
 * The rule's value is `true`, `false`, or `{decision, reason?, requires?, obligations?, policies?}`. A rule that is undefined
 * is silence. OPA does not say which request it answers.
 */
export function createOpaPoint(terms: RemoteTerms, place: OpaPlace, service: PolicyService): PolicyDecisionPoint {
  const ask = async (rule: string, request: EvaluationRequest, signal: AbortSignal): Promise<Decision> => {
    const path = `${place.prefix}/v1/data/${rule}?${QUERY}`
    const write = (): string => wireText({ input: request })
    const { status, json } = await service.ask({ path, write, hearsErrors: true }, signal)
    return status === 500 ? readOpaErrors(json) : readOpa(json, rule)
  }
  return createRemotePoint(terms, {
    decide: (request, signal) => ask(place.rule, request, signal),
    decideCanary: (request, signal) => ask('holdpoint/canary/decision', request, signal),
    setting:
      'OPA drops a deny rule that errs: something on the way takes the parameter strict-builtin-errors=true away',
    missing: 'OPA does not know the package holdpoint.canary: load policies/canary.rego, which comes with holdpoint',
  })
}

/** @throws WrongAnswer */
export function readOpa(json: Json, rule: string): Decision {
  const reply = objectIn(json, 'the reply of OPA', ['result', 'decision_id', 'provenance'])
  const revisions = revisionsIn(reply['provenance'])
  const { result } = reply
  if (result === undefined) return noPermit()
  if (typeof result === 'boolean') {
    const grounds = [rule, ...revisions]
    return result === true ? permit(grounds) : deny(grounds)
  }
  const members = ['decision', 'reason', 'requires', 'obligations', 'policies']
  const { decision, reason, requires, obligations, policies } = objectIn(result, 'the result of the rule', members)
  const named = optional(policies, (list) => listIn(list, '"policies"').map((id) => nameIn(id, 'a policy')))
  const grounds = [...(named ?? [rule]), ...revisions]
  const asked = optional(requires, requirementIn)
  const sentence = optional(reason, sentenceIn)
  if (verdictIn(decision) === false) {
    return asked === undefined ? deny(grounds, sentence) : requestable(grounds, asked, sentence)
  }
  if (asked !== undefined) throw misshapen('a permit that requires something first is none')
  return permit(grounds, optional(obligations, obligationsIn))
}

/**
 * OPA's 500: its rules could not be evaluated. Codes and places are told; the messages are not, because they quote arguments.
 *
 * @throws WrongAnswer
 */
function readOpaErrors(json: Json): Decision {
  const { errors } = objectIn(json, 'the reply of OPA')
  const told = listIn(errors ?? [], '"errors"').map((error) => {
    const { code, location } = objectIn(error, 'an error')
    return `${shown(textIn(code, 'the code of an error'), 64)}${optional(location, placeIn) ?? ''}`
  })
  if (told.length === 0) throw misshapen('the policy service answered 500')
  return policyError(`OPA could not evaluate its rules for this call: ${told.slice(0, 3).join(', ')}`)
}

/** ` at shop.rego:6`, as OPA says it. */
function placeIn(json: Json): string {
  const { file, row } = objectIn(json, 'a location')
  return typeof file === 'string' && typeof row === 'number' ? ` at ${shown(file, 128)}:${row}` : ''
}

/** The revisions of the bundles that answered: `bundle shop@v7`. */
function revisionsIn(provenance: Json | undefined): readonly string[] {
  const bundles = optional(provenance, (json) => objectIn(json, '"provenance"')['bundles'])
  if (bundles === undefined) return []
  return Object.entries(objectIn(bundles, '"bundles"')).map(([name, bundle]) => {
    const { revision } = objectIn(bundle, 'a bundle')
    return nameIn(`bundle ${name}@${typeof revision === 'string' ? revision : ''}`, 'a bundle')
  })
}
