import { MATERIALITIES, SURFACES } from '../types.ts'

/** Every action group that a policy may name: the tiers, and `surface-…` for each surface. */
export const ACTION_GROUPS: ReadonlySet<string> = new Set([
  ...MATERIALITIES,
  ...SURFACES.map((surface) => `surface-${surface}`),
])

/** Every entity type that a policy may name. Another type never matches anything, so a rule about it would not hold. */
export const ENTITY_TYPES: ReadonlySet<string> = new Set(['User', 'Agent', 'Role', 'Server', 'Action'])

/** Every member of `context`. Another one is a typing mistake. */
export const CONTEXT_MEMBERS: ReadonlySet<string> = new Set([
  'arguments',
  'derived',
  'lengths',
  'environment',
  'agent',
  'session',
  'approval',
])

/** The annotations that mean something here. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  'id',
  'requires',
  'quorum',
  'refusal',
  'obligation',
  'disclose',
])

/** Who may see the value that broke a rule: the model (and everybody), only people, or nobody. */
export type Disclosure = 'model' | 'person' | 'none'
