/** A Cedar type, in the form that its JSON schema takes. */
export type CedarType =
  | { readonly type: 'String' | 'Long' | 'Boolean' }
  | { readonly type: 'Extension'; readonly name: 'decimal' }
  /** A type that the schema declares once and names. */
  | { readonly type: 'TextFacts' | 'SessionFacts' }
  | { readonly type: 'Set'; readonly element: CedarType }
  | { readonly type: 'Record'; readonly attributes: Attributes }

/** Attributes of a record; required unless they say otherwise. */
export type Attributes = Record<string, CedarType & { readonly required?: boolean }>

export const STRING: CedarType = { type: 'String' }
export const LONG: CedarType = { type: 'Long' }
export const BOOLEAN: CedarType = { type: 'Boolean' }
export const DECIMAL: CedarType = { type: 'Extension', name: 'decimal' }

export function setOf(element: CedarType): CedarType {
  return { type: 'Set', element }
}

export function recordOf(attributes: Attributes): CedarType {
  return { type: 'Record', attributes }
}

export function optional(type: CedarType): CedarType & { readonly required: false } {
  return { ...type, required: false }
}
