import { isToolPattern } from './bytes/names.ts'
import { lineOf } from './bytes/place.ts'
import { type LoadedConfig, onlyServicesDecide } from './config/read.ts'
import { type PanelTerms, PolicyPanel } from './decide/panel.ts'
import { HoldpointError } from './errors.ts'
import { createCedarPoint } from './policy/cedar.ts'
import { createFunctionPoint, type PolicyFunction } from './policy/function.ts'
import { withShortForm } from './policy/short-form.ts'
import type { PolicyDecisionPoint } from './types.ts'
import type { PolicyServiceOptions } from './wire/options.ts'
import { authzen, cerbos, opa } from './wire/points.ts'

/** Who decides, as code says it: one point or function, or several that must all permit. */
export type PolicyOption = PolicyDecisionPoint | PolicyFunction | readonly (PolicyDecisionPoint | PolicyFunction)[]

const AT = 'createGate options'

/**
 * The policy decision points of a gate: those of the code, or the policies of the configuration.
 *
 * @throws HoldpointError ERR_CONFIG, ERR_POLICY
 */
export function createPanel(policy: PolicyOption | undefined, loaded: LoadedConfig, terms: PanelTerms): PolicyPanel {
  if (policy === undefined) return new PolicyPanel(named([...embedded(loaded), ...services(loaded)]), terms)
  if (loaded.options.points !== undefined)
    throw unusable('"points" names policy services, and "policy" in code replaces them: put them into its list')
  const [rule] = loaded.shortRules
  if (rule !== undefined) {
    const both = `"tools.${rule.name}" holds a policy, and so does "policy" in code: a rule that nobody asks would not hold; keep one`
    throw new HoldpointError('ERR_CONFIG', `${rule.at}: ${both}`, { at: lineOf(rule.at) })
  }
  const points = (isList(policy) ? policy : [policy]).map((each) =>
    typeof each === 'function' ? createFunctionPoint(each, { server: loaded.server }) : checked(each),
  )
  if (points.length === 0) throw unusable('"policy" is an empty list: nobody would permit anything')
  return new PolicyPanel(named(points), terms)
}

/** The policies of the configuration, where it has any. */
function embedded(loaded: LoadedConfig): readonly PolicyDecisionPoint[] {
  return onlyServicesDecide(loaded) ? [] : [createCedarPoint(withShortForm(loaded.policyFiles, loaded.shortRules))]
}

/** A service of `points`, as the configuration names it. */
type NamedService = NonNullable<LoadedConfig['options']['points']>[number]

function services({ options, pointsAt }: LoadedConfig): readonly PolicyDecisionPoint[] {
  return (options.points ?? []).map((written, index) => {
    try {
      return service(written)
    } catch (error) {
      if (!(error instanceof HoldpointError) || error.because === undefined) throw error
      const at = pointsAt[index] ?? AT
      throw new HoldpointError(error.code, `${at}: ${error.because}`, { at: lineOf(at), cause: error })
    }
  })
}

function service({ authzen: base, opa: rule, cerbos: server, bearer, headers, ...others }: NamedService) {
  const secrets = Object.entries(headers ?? {}).map(([name, { env }]) => [name, fromEnvironment(env)] as const)
  const terms = {
    ...(others as Omit<PolicyServiceOptions, 'url'>),
    ...(bearer === undefined ? {} : { bearer: fromEnvironment(bearer.env) }),
    ...(headers === undefined ? {} : { headers: Object.fromEntries(secrets) }),
  }
  if (base !== undefined) return authzen({ ...terms, url: base })
  if (rule !== undefined) return opa({ ...terms, url: rule })
  return cerbos({ ...terms, url: server ?? '' })
}

/** Looked up each time, so that a token that was renewed in this process is the one that is sent. */
function fromEnvironment(name: string): () => string {
  const read = (): string => {
    const value = process.env[name]
    if (value !== undefined && value !== '') return value
    throw unusable(`the environment variable ${name}, which "points" names, is not set`)
  }
  read()
  return read
}

function named(points: readonly PolicyDecisionPoint[]): readonly PolicyDecisionPoint[] {
  const ids = points.map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) throw unusable(`two policy points are named "${twice}": give one of them another name`)
  return points
}

function isList(policy: PolicyOption): policy is readonly (PolicyDecisionPoint | PolicyFunction)[] {
  return Array.isArray(policy)
}

/** UNTRUSTED: plain JavaScript may hand over anything. */
function checked(point: PolicyDecisionPoint): PolicyDecisionPoint {
  if (typeof point?.evaluate !== 'function' || typeof point.register !== 'function')
    throw unusable('"policy" must be a policy decision point or a function, or a list of them')
  // Receipts commit to it: with anything else in its place they would not verify.
  if (!/^[A-Za-z0-9_-]{43}$/.test(point.policyDigest))
    throw unusable('"policy.policyDigest" must be a SHA-256 digest in base64url')
  for (const tool of point.tools ?? []) {
    if (!isToolPattern(tool))
      throw unusable(`"${tool}" is no tool that a point can answer for: write shop/refund, shop/* or *`)
  }
  return point
}

function unusable(message: string): HoldpointError {
  return new HoldpointError('ERR_CONFIG', `${AT}: ${message}`, { at: AT, because: message })
}
