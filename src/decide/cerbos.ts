import type { Decision, EvaluationRequest, Json, JsonObject, PolicyDecisionPoint } from '../types.ts'
import { createRemotePoint, type RemoteTerms } from './remote.ts'
import { type PolicyService, wireText } from './service.ts'
import { deny, listIn, misshapen, nameIn, noPermit, objectIn, permit, sentenceIn, verdictIn } from './shape.ts'

/** The kind of resource that policies/canary.cerbos.yaml is about. */
const CANARY_KIND = 'holdpoint_canary'

/**
 * A policy decision point that asks Cerbos, by its AuthZEN endpoint.
 *
 * Cerbos reads the attributes of principal and resource, and of the context only its own `cerbos.` settings. So the context
 * travels as an attribute of the resource (`R.attr.context.arguments.amount`), and the principal's roles as `cerbos.roles`.
 * It echoes no `X-Request-ID`, but does hand back `cerbos.requestId` among what it tells of its decision: that binds the answer.
 */
export function createCerbosPoint(terms: RemoteTerms, prefix: string, service: PolicyService): PolicyDecisionPoint {
  const ask = async (request: EvaluationRequest, kind: string, signal: AbortSignal): Promise<Decision> => {
    const write = (requestId: string): string => wireText(cerbosRequest(request, kind, requestId))
    const { json, requestId } = await service.ask({ path: `${prefix}/access/v1/evaluation`, write }, signal)
    return readCerbos(json, { kind, id: request.resource.id, action: request.action.name, requestId })
  }
  return createRemotePoint(terms, {
    decide: (request, signal) => ask(request, request.resource.type, signal),
    decideCanary: (request, signal) => ask(request, CANARY_KIND, signal),
    setting: 'Cerbos drops a deny rule that errs: set "engine.strictEvaluation: true" in its configuration',
    missing: `Cerbos has no policy for "${CANARY_KIND}": load policies/canary.cerbos.yaml, which comes with holdpoint`,
  })
}

/** What Cerbos is sent. A principal with no role has its type as the only one, as Cerbos itself would have it. */
function cerbosRequest(request: EvaluationRequest, kind: string, requestId: string): unknown {
  const { subject, action, resource, context } = request
  const { roles } = subject.properties
  const isRoled = Array.isArray(roles) && roles.length > 0
  return {
    subject: {
      ...subject,
      properties: { ...subject.properties, 'cerbos.roles': isRoled ? roles : [subject.type] },
    },
    action,
    resource: { type: kind, id: resource.id, properties: { ...resource.properties, context } },
    context: { 'cerbos.includeMeta': true, 'cerbos.requestId': requestId },
  }
}

/** What an answer must be about. */
interface Asked {
  readonly kind: string
  readonly id: string
  readonly action: string
  readonly requestId: string
}

/**
 * The decision is read twice, once as AuthZEN's and once as Cerbos tells it, and both must say the same about the same request.
 *
 * @throws WrongAnswer
 */
export function readCerbos(json: Json, asked: Asked): Decision {
  const { decision, context } = objectIn(json, 'the reply of Cerbos', ['decision', 'context'])
  const isPermit = verdictIn(decision)
  const told = objectIn(objectIn(context, '"context"')['cerbos.response'], '"cerbos.response"')
  // INVARIANT I4: the id was random, so no other request's answer can carry it.
  if (told['requestId'] !== asked.requestId) throw misshapen('the reply does not carry the id of its request')
  const result = onlyResult(told)
  const resource = objectIn(result['resource'], 'the resource of the result')
  if (resource['id'] !== asked.id || resource['kind'] !== asked.kind)
    throw misshapen('the reply is about another resource')
  const effect = objectIn(result['actions'], 'the actions of the result')[asked.action]
  if (effect !== (isPermit ? 'EFFECT_ALLOW' : 'EFFECT_DENY')) throw misshapen('the reply contradicts itself')
  const policy = matchedPolicy(result, asked.action)
  if (policy === 'NO_MATCH') {
    if (isPermit) throw misshapen('a permit of no policy is none')
    return noPermit()
  }
  return isPermit ? permit([policy]) : deny([policy], outputIn(result))
}

function onlyResult(told: JsonObject): JsonObject {
  const [result, ...more] = listIn(told['results'], '"results"')
  if (more.length > 0) throw misshapen('the reply holds more than one result')
  return objectIn(result, 'the result')
}

function matchedPolicy(result: JsonObject, action: string): string {
  const actions = objectIn(objectIn(result['meta'], '"meta"')['actions'], 'the actions of "meta"')
  return nameIn(objectIn(actions[action], 'what is told of the action')['matchedPolicy'], '"matchedPolicy"')
}

/** The first output that is a text: what the policy says to whoever reads the refusal. */
function outputIn(result: JsonObject): string | undefined {
  const { outputs } = result
  if (outputs === undefined) return undefined
  const texts = listIn(outputs, '"outputs"').map((output) => objectIn(output, 'an output')['val'])
  return texts
    .map((text) => (typeof text === 'string' ? sentenceIn(text) : undefined))
    .find((text) => text !== undefined)
}
