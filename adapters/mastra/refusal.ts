import { type Refusal, renderForModel } from '../../src/index.ts'
import { isRefusal } from '../shared/refusal-shape.ts'

/**
 * A refusal as the result of a tool. Mastra's own shape for a call that did not run, so its callers see it for what it is: code mode
 * throws its message into the program, and so on. `message` is the whole text for the model.
 */
export interface RefusedResult extends Refusal {
  readonly error: true
  readonly validationErrors: { readonly errors: readonly string[]; readonly fields: Readonly<Record<string, never>> }
}

export function refusedResult(refusal: Refusal): RefusedResult {
  return {
    ...refusal,
    error: true,
    message: renderForModel(refusal),
    validationErrors: { errors: [refusal.message], fields: {} },
  }
}

/**
 * A refusal of a workflow's step. It is thrown: what a step returns is the next one's input, and a refusal is no result.
 */
export class StepRefused extends Error {
  override readonly name = 'StepRefused'
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(renderForModel(refusal))
    this.refusal = refusal
  }
}

const NOTE = 'holdpointNote'

/** A result with what the model has to know beside it. */
export function withNote(result: unknown, note: string | undefined): unknown {
  if (note === undefined) return result
  if (isPlain(result)) return { ...result, [NOTE]: note }
  return `${typeof result === 'string' ? result : (JSON.stringify(result) ?? '')}\n\n${note}`
}

/** The tool's own words to the model, but never of a refusal; and beside them what the model has to know. */
export function modelOutputFor(own: unknown): (output: unknown) => Promise<unknown> {
  return async (output) => {
    if (isRefusal(output)) return { type: 'error-text', value: output.message }
    if (typeof own !== 'function') return undefined
    const note: unknown = isPlain(output) ? output[NOTE] : undefined
    if (typeof note !== 'string') return await own(output)
    const { [NOTE]: _, ...rest } = output as Record<string, unknown>
    return besideNote(await own(rest), note)
  }
}

function besideNote(output: unknown, note: string): unknown {
  if (!isPlain(output)) return `${String(output)}\n\n${note}`
  const { type, value } = output
  if (type === 'text') return { type, value: `${String(value)}\n\n${note}` }
  if (type === 'content' && Array.isArray(value)) return { type, value: [...value, { type: 'text', text: note }] }
  return { type: 'text', value: `${JSON.stringify(value ?? output)}\n\n${note}` }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
