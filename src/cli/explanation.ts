/** Shows a decision to a person: every policy that spoke, every condition with what it required, and what would pass. */

import { roleIn } from '../bytes/requirement.ts'
import { visible } from '../bytes/visible.ts'
import type { ArgumentChange } from '../policy/change.ts'
import type { DecisionClaims } from '../receipt/claims.ts'
import { REFUSAL_CODES } from '../refusal/codes.ts'
import type { Explanation, RefusalCode } from '../types.ts'
import { toolOf } from './receipts.ts'
import type { Terminal } from './terminal.ts'
import { wrap } from './terminal.ts'
import { dateOf } from './when.ts'

/** A decision with everything that is known of it. */
export interface Explained {
  readonly receipt: string | undefined
  readonly claims: DecisionClaims
  /** Canonical text of the arguments, where they were kept. */
  readonly argumentsText: string | undefined
  /** Absent where no policy was asked, or where the request was not kept. */
  readonly explanation: Explanation | undefined
  /** The fewest changes of arguments with which the policies would have permitted the call, where some were found. */
  readonly change: readonly ArgumentChange[] | undefined
  /** What the policies that determined the decision say in their own `@refusal`. */
  readonly sentences: readonly string[]
  /** What the reader should know about how this was worked out. */
  readonly notes: readonly string[]
}

type Spoken = Explanation['policies'][number]
type Condition = Spoken['conditions'][number]

const INDENT = 2
const LABEL = 12
const LONGEST_ARGUMENTS = 2_000

/** What would let the same call pass, in words. */
export function wouldPass({ claims, explanation }: Explained): readonly string[] {
  if (claims.code === undefined) return []
  if (claims.code === 'denied_by_policy' || claims.code === 'no_permit') {
    const { determining } = claims.policy
    return (explanation?.constraints ?? [])
      .filter(({ policy }) => determining.length === 0 || determining.includes(policy))
      .map(({ path, requires }) => `${nameOf(path)} ${requires}`)
  }
  switch (factsOf(claims.code)?.remedy) {
    case 'request_approval':
      return [`the same call, once ${whoIn(claims, explanation)} has said yes to it`]
    case 'retry_later':
      return ['the same call, later: nothing is wrong with the call itself']
    case 'operator':
      return ['nothing that the caller can do: an operator has to look']
    default:
      return []
  }
}

/** Whose yes the deciding policy waits for. */
function whoIn({ policy }: DecisionClaims, explanation: Explanation | undefined): string {
  const waiting = explanation?.policies.filter(({ id }) => policy.determining.includes(id)) ?? []
  const [role] = waiting.flatMap(({ requires }) => roleIn(requires ?? '') ?? [])
  return role === undefined ? 'a person' : `somebody in the role ${role}`
}

/** Prints a decision. Policies that spoke come first, with their conditions; those that had nothing to say are named. */
export function tellDecision(explained: Explained, terminal: Terminal): void {
  const { out, style } = terminal
  const { claims } = explained
  const verdict = claims.code === undefined ? style('green', 'permitted') : style('red', `refused: ${claims.code}`)
  const held = claims.enforced ? '' : ' (not enforced)'
  out(`${style('bold', visible(toolOf(claims)))}  ${verdict}${held}  ${claims.materiality}`)
  const line = (label: string, text: string): void =>
    out(`${' '.repeat(INDENT)}${label.padEnd(LABEL)}${wrap(text, terminal.width - INDENT - LABEL, INDENT + LABEL)}`)

  for (const sentence of sentencesOf(explained)) line('because', visible(sentence))
  if (claims.fault !== undefined) line('fault', claims.fault)
  if (claims.override !== undefined) {
    const { id, reason, ticket } = claims.override
    line('override', visible(`${id}: ${reason} (${ticket})`))
  }
  if (explained.argumentsText !== undefined) line('arguments', visible(shortened(explained.argumentsText)))
  for (const { argues, because, at } of claims.evidence) line(argues, visible(`${because} (${at})`))
  tellPolicies(explained, terminal)
  const passes = wouldPass(explained)
  if (passes.length > 0 || explained.change !== undefined) out('')
  for (const [index, text] of passes.entries()) line(index === 0 ? 'would pass' : '', visible(text))
  if (explained.change !== undefined)
    line('would run', visible(`with ${explained.change.map(changeText).join(', and ')}`))
  out('')
  const through = claims.agent === undefined ? '' : ` through agent ${claims.agent}`
  line('asked by', visible(`${claims.principal.type} ${claims.principal.id}${through}`))
  if (explained.receipt !== undefined) line('receipt', `${explained.receipt}, ${dateOf(claims.ts)}`)
  for (const note of explained.notes) line('note', visible(note))
}

function tellPolicies({ claims, explanation }: Explained, terminal: Terminal): void {
  const { out, style } = terminal
  const spoke = (policy: Spoken): boolean => policy.applied || claims.policy.errors.includes(policy.id)
  // A forbid that did not apply stood in nobody's way; a permit that did not is what the call lacked.
  const told = (policy: Spoken): boolean =>
    spoke(policy) || (policy.effect === 'permit' && isPolicies(claims.code) && !isForOthers(policy))
  const policies = explanation?.policies ?? []
  const listed = [...policies.filter(spoke), ...policies.filter((policy) => told(policy) && !spoke(policy))]
  for (const policy of listed) {
    out('')
    out(`  ${style('bold', visible(policy.id))}  ${voiceOf(policy, claims)}  ${style('dim', visible(policy.at))}`)
    for (const condition of policy.conditions) {
      const met = metBy(condition, policy)
      // Whether an argument is there at all matters only when it is not.
      if (met === true && condition.requires?.startsWith('given') === true) continue
      const mark = { true: style('green', 'yes'), false: style('red', 'no '), error: style('red', 'err') }
      out(`    ${mark[`${met}`]}  ${wrap(visible(saidOf(condition)), terminal.width - 9, 9)}`)
    }
  }
  const silent = policies.filter((policy) => !told(policy)).map(({ id }) => id)
  if (silent.length === 0 || (claims.code !== undefined && !isPolicies(claims.code))) return
  out('')
  out(`  ${style('dim', wrap(`had nothing to say: ${visible(silent.join(', '))}`, terminal.width - 2, 2))}`)
}

/** `amount 500 in place of 900` */
function changeText({ path, from, to }: ArgumentChange): string {
  const before = from === undefined ? 'which was not given' : `in place of ${shortened(JSON.stringify(from))}`
  return `${nameOf(path)} ${shortened(JSON.stringify(to))} ${before}`
}

/** A permit for calls with other arguments than these. */
function isForOthers({ conditions }: Spoken): boolean {
  return conditions.some(({ holds, actual }) => holds === false && actual === 'nothing')
}

/** A requirement is met when its condition holds; in the `when` of a forbid and the `unless` of a permit, when it does not. */
function metBy({ text, holds, path }: Condition, { effect }: Spoken): Condition['holds'] {
  if (path === undefined || holds === 'error') return holds
  const wanted = (effect === 'permit') === !text.startsWith('unless ')
  return holds === wanted
}

const TIER = /^(?:when )?action in (?:Action::"(low|medium|high)"|\[((?:Action::"(?:low|medium|high)"(?:, )?)+)\])$/
const SURFACE = /^(?:when )?action in Action::"surface-([\w-]+)"$/

/** A requirement on an argument, a tier or a surface in words; any other condition as it is written. */
function saidOf({ text, path, requires, actual }: Condition): string {
  const [, tier, tiers] = TIER.exec(text) ?? []
  if (tier !== undefined) return `materiality: ${tier}`
  if (tiers !== undefined) return `materiality: ${tiers.replaceAll(/Action::"(\w+)"/g, '$1').replaceAll(', ', ' or ')}`
  const [, surface] = SURFACE.exec(text) ?? []
  if (surface !== undefined) return `surface: ${surface}`
  if (path === undefined || requires === undefined) return text
  if (actual === 'nothing') return `${nameOf(path)}: ${requires}, was not given`
  return `${nameOf(path)}: ${requires}${actual === undefined ? '' : `, was ${actual}`}`
}

function voiceOf(policy: Spoken, claims: DecisionClaims): string {
  if (claims.policy.errors.includes(policy.id)) return 'could not be evaluated'
  if (!policy.applied) return policy.effect === 'permit' ? 'does not permit' : 'does not forbid'
  const waits =
    policy.requires !== undefined && !(claims.code === undefined && claims.policy.determining.includes(policy.id))
  if (policy.effect === 'forbid') return waits ? 'forbids, until a person says yes' : 'forbids'
  return waits ? 'permits, once a person says yes' : 'permits'
}

function sentencesOf({ claims, sentences }: Explained): readonly string[] {
  if (claims.code === undefined) return []
  if (sentences.length > 0) return sentences
  const general = factsOf(claims.code)?.sentence
  return general === undefined ? [] : [general.replace('{tool}', toolOf(claims))]
}

function shortened(text: string): string {
  if (text.length <= LONGEST_ARGUMENTS) return text
  return `${text.slice(0, LONGEST_ARGUMENTS)} … and ${text.length - LONGEST_ARGUMENTS} more characters (--json has them all)`
}

/** The same as data. */
export function decisionAsJson(explained: Explained) {
  const { claims, explanation } = explained
  return {
    tool: toolOf(claims),
    outcome: claims.code === undefined ? 'permitted' : 'refused',
    decision: claims.decision,
    ...(claims.code === undefined ? {} : { code: claims.code }),
    ...(claims.fault === undefined ? {} : { fault: claims.fault }),
    because: sentencesOf(explained),
    enforced: claims.enforced,
    materiality: claims.materiality,
    surface: claims.surface,
    evidence: claims.evidence,
    determining: claims.policy.determining,
    errors: claims.policy.errors,
    policies: explanation?.policies ?? [],
    constraints: explanation?.constraints ?? [],
    wouldPass: wouldPass(explained),
    ...(explained.change === undefined ? {} : { smallestChange: explained.change }),
    principal: claims.principal,
    ...(explained.argumentsText === undefined ? {} : { arguments: JSON.parse(explained.argumentsText) }),
    ...(explained.receipt === undefined ? {} : { receipt: explained.receipt, at: claims.ts }),
    notes: explained.notes,
  }
}

function nameOf(path: string): string {
  return path.slice(1).replaceAll('/', '.') || 'arguments'
}

/** Did the policies decide this, alone or with a person? A replay, an outage or bad input is refused whatever they say. */
export function isPolicies(code: string | undefined): boolean {
  const cause = code === undefined ? undefined : factsOf(code)?.cause
  return cause === 'policy' || cause === 'human'
}

function factsOf(code: string): (typeof REFUSAL_CODES)[RefusalCode] | undefined {
  return Object.hasOwn(REFUSAL_CODES, code) ? REFUSAL_CODES[code as RefusalCode] : undefined
}
