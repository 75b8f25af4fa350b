import type { Wanted } from './consent.ts'
import type { Budget } from './decide/budget.ts'
import type { Admission, AdmitOptions, ApprovalRecord } from './types.ts'

/** What one decision of a call leads to. */
export type Step =
  | { readonly next: 'leave'; readonly admission: Admission }
  /** `spent`: the yes that it came with counts no more. */
  | { readonly next: 'again'; readonly spent: boolean }
  /** A permit obliged to other arguments: they are decided anew. */
  | { readonly next: 'amended' }
  | ({ readonly next: 'consent' } & Wanted)
  /** No policy point answered, and the host would rather wait than be refused. */
  | { readonly next: 'hold' }

/** What one decision is taken under. */
export interface Round {
  readonly options: AdmitOptions
  readonly budget: Budget
  readonly consent: ApprovalRecord | undefined
}

export function leave(admission: Admission): Step {
  return { next: 'leave', admission }
}
