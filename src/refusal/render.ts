import type { Constraint, Refusal } from '../types.ts'

/**
 * The refusal as text for a model: that the tool did not run, why, whether trying again can help, and the reference.
 *
 * The last line is JSON, so that a program that reads the conversation finds the same facts. No signature, no arguments
 * beyond the constraint's own value, no way to unblock (I9).
 */
export function renderForModel(refusal: Refusal): string {
  const facts = {
    holdpoint: refusal.holdpoint,
    code: refusal.code,
    retryable: refusal.retryable,
    ...(refusal.remedy.kind === 'request_approval' ? { ref: refusal.remedy.ref } : {}),
    ...(refusal.receipt === undefined ? {} : { receipt: refusal.receipt }),
  }
  return [
    `holdpoint refused this call. ${refusal.tool} did not run.`,
    [refusal.message, ...refusal.constraints.map(constraintText)].join(' '),
    nextStep(refusal),
    JSON.stringify(facts),
  ].join('\n')
}

/**
 * The refusal in a line, with code and reference, for hosts that show a reason to model and person alike. It says itself that the call
 * did not run: some chats name any call with a result as one that was used.
 */
export function renderAsReason(refusal: Refusal): string {
  const pointers = [
    refusal.code,
    refusal.remedy.kind === 'request_approval' ? `reference ${refusal.remedy.ref}` : undefined,
    refusal.receipt === undefined ? undefined : `receipt ${refusal.receipt}`,
  ].filter((part) => part !== undefined)
  const why = [refusal.message, ...refusal.constraints.map(constraintText)].join(' ')
  return `It did not run. ${why} ${nextStep(refusal)} (${pointers.join(', ')})`
}

/** `(amount: at most 500, was 900)`. */
export function constraintText(constraint: Constraint): string {
  const name = constraint.path.slice(1).replaceAll('/', '.') || 'arguments'
  const was = constraint.actual === undefined ? '' : `, was ${constraint.actual}`
  return `(${name}: ${constraint.requires}${was})`
}

function nextStep(refusal: Refusal): string {
  switch (refusal.remedy.kind) {
    case 'request_approval':
      return refusal.code === 'approval_pending'
        ? `Wait for the answer before making the same call again; the reference is ${refusal.remedy.ref}.`
        : `The same call will not pass without that approval. Tell the user; the reference is ${refusal.remedy.ref}.`
    case 'change_arguments':
      return 'The same call will not pass again. Change the arguments or do without it.'
    case 'retry_later':
      return 'Nothing is wrong with the call itself; it may be tried again later.'
    case 'operator':
      return 'Trying again will not help until an operator has looked. Tell the user.'
    case 'none':
      return refusal.retryable ? 'It may be made again.' : 'Do not make it again.'
  }
}
