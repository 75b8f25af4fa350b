/** Shows a decision to a person: every policy that spoke, every condition with what it required, and what would pass. */

import type { DecisionClaims } from '../receipt/claims.ts'
import { REFUSAL_CODES } from '../refusal/codes.ts'
import type { Explanation, RefusalCode } from '../types.ts'
import { toolOf } from './receipts.ts'
import type { Terminal } from './terminal.ts'
import { wrap } from './terminal.ts'
import { visible } from './visible.ts'

/** A decision with everything that is known of it. */
export interface Explained {
  readonly receipt: string | undefined
  readonly claims: DecisionClaims
  /** Canonical text of the arguments, where they were kept. */
  readonly argumentsText: string | undefined
  /** Absent where no policy was asked, or where the request was not kept. */
  readonly explanation: Explanation | undefined
  /** What the reader should know about how this was worked out. */
  readonly notes: readonly string[]
}

const INDENT = 2
const LABEL = 12

/** What would let the same call pass, in words. */
export function wouldPass({ claims, explanation }: Explained): readonly string[] {
  if (claims.code === undefined) return []
  const needed = (explanation?.constraints ?? []).map(
    ({ path, requires }) => `${path.slice(1).replaceAll('/', '.') || 'arguments'} ${requires}`,
  )
  if (needed.length > 0) return needed
  switch (factsOf(claims.code)?.remedy) {
    case 'request_approval':
      return ['the same call, once a person has said yes to it']
    case 'retry_later':
      return ['the same call, later: nothing is wrong with the call itself']
    case 'operator':
      return ['nothing that the caller can do: an operator has to look']
    default:
      return []
  }
}

/** Prints a decision. */
export function tellDecision(explained: Explained, terminal: Terminal): void {
  const { out, style } = terminal
  const { claims } = explained
  const permitted = claims.code === undefined
  const verdict = permitted ? style('green', 'permitted') : style('red', `refused: ${claims.code}`)
  out(
    `${style('bold', visible(toolOf(claims)))}  ${verdict}${claims.enforced ? '' : ' (not enforced)'}  ${claims.materiality}`,
  )
  const line = (label: string, text: string): void =>
    out(`${' '.repeat(INDENT)}${label.padEnd(LABEL)}${wrap(text, terminal.width - INDENT - LABEL, INDENT + LABEL)}`)

  const sentence =
    claims.code === undefined ? undefined : factsOf(claims.code)?.sentence.replace('{tool}', toolOf(claims))
  if (sentence !== undefined) line('meaning', sentence)
  if (claims.fault !== undefined) line('fault', claims.fault)
  if (explained.argumentsText !== undefined) line('arguments', visible(explained.argumentsText))
  for (const { argues, because, at } of claims.evidence) line(argues, visible(`${because} (${at})`))
  for (const policy of explained.explanation?.policies ?? []) {
    out('')
    const spoke = policy.applied ? (policy.effect === 'permit' ? 'permits' : 'forbids') : 'does not apply'
    out(`  ${style('bold', visible(policy.id))}  ${spoke}  ${style('dim', visible(policy.at))}`)
    for (const condition of policy.conditions) {
      const mark =
        condition.holds === true ? style('green', 'yes') : style('red', condition.holds === false ? 'no ' : 'err')
      const was = condition.actual === undefined ? '' : `, was ${condition.actual}`
      const said =
        condition.requires === undefined ? condition.text : `${nameOf(condition.path)}${condition.requires}${was}`
      out(`    ${mark}  ${wrap(visible(said), terminal.width - 9, 9)}`)
    }
  }
  const passes = wouldPass(explained)
  if (passes.length > 0) out('')
  for (const [index, text] of passes.entries()) line(index === 0 ? 'would pass' : '', visible(text))
  out('')
  const who = `${claims.principal.type} ${claims.principal.id}${claims.agent === undefined ? '' : ` through agent ${claims.agent}`}`
  line('asked by', visible(who))
  if (explained.receipt !== undefined) line('receipt', `${explained.receipt}, ${new Date(claims.ts).toISOString()}`)
  for (const note of explained.notes) line('note', visible(note))
}

/** The same as data. */
export function decisionAsJson(explained: Explained) {
  const { claims, explanation } = explained
  return {
    tool: toolOf(claims),
    decision: claims.code === undefined ? 'permit' : 'refused',
    ...(claims.code === undefined ? {} : { code: claims.code }),
    ...(claims.fault === undefined ? {} : { fault: claims.fault }),
    enforced: claims.enforced,
    materiality: claims.materiality,
    surface: claims.surface,
    evidence: claims.evidence,
    determining: claims.policy.determining,
    errors: claims.policy.errors,
    policies: explanation?.policies ?? [],
    constraints: explanation?.constraints ?? [],
    wouldPass: wouldPass(explained),
    principal: claims.principal,
    ...(explained.argumentsText === undefined ? {} : { arguments: JSON.parse(explained.argumentsText) }),
    ...(explained.receipt === undefined ? {} : { receipt: explained.receipt, at: claims.ts }),
    notes: explained.notes,
  }
}

function nameOf(path: string | undefined): string {
  return path === undefined ? '' : `${path.slice(1).replaceAll('/', '.') || 'arguments'}: `
}

function factsOf(code: string): (typeof REFUSAL_CODES)[RefusalCode] | undefined {
  return Object.hasOwn(REFUSAL_CODES, code) ? REFUSAL_CODES[code as RefusalCode] : undefined
}
