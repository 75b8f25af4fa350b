/** What a call weighs, and why. */

/** The harm that a wrong call does, least first. */
export const MATERIALITIES = ['low', 'medium', 'high'] as const
export type Materiality = (typeof MATERIALITIES)[number]

/** What kind of thing a call touches. */
export const SURFACES = [
  'read',
  'internal-write',
  'communication',
  'financial',
  'infrastructure',
  'code-execution',
  'data-egress',
  'credentials',
  'identity',
  'actuation',
  'unknown',
] as const
export type Surface = (typeof SURFACES)[number]

/** What the operator says that a tool lets a conversation read: data that is not for everybody, or a stranger's words. */
export const READ_LABELS = ['private', 'untrusted'] as const
export type ReadLabel = (typeof READ_LABELS)[number]

export type EvidenceSource =
  | 'operator'
  | 'definition'
  | 'arguments'
  | 'schema'
  | 'name'
  | 'description'
  | 'annotations'
  | 'default'

/** One reason for a tier, with the words that it rests on. */
export interface Evidence {
  readonly source: EvidenceSource
  readonly argues: Materiality
  readonly surface?: Surface
  /** Where: a pointer, a name token, `holdpoint.yaml:4`. Never an argument's value. */
  readonly at: string
  readonly because: string
}

export interface Classification {
  readonly materiality: Materiality
  /** The tool's own, which sums are kept by: the arguments of a call change it only where it is `read` or `unknown`. */
  readonly surface: Surface
  /** `surface`, and whatever else the arguments touch. */
  readonly surfaces: readonly Surface[]
  readonly evidence: readonly Evidence[]
}
