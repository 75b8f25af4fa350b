/** Tools, and what is known of them. */
import type { Json, JsonSchema } from './json.ts'
import type { Materiality, ReadLabel, Surface } from './materiality.ts'

/** MCP tool annotations. UNTRUSTED: they can only raise materiality (I8). */
export interface ToolAnnotations {
  readonly title?: string
  readonly readOnlyHint?: boolean
  readonly destructiveHint?: boolean
  readonly idempotentHint?: boolean
  readonly openWorldHint?: boolean
}

/** A tool as its host lists it. */
export interface ToolDefinition {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly inputSchema?: JsonSchema
  readonly outputSchema?: JsonSchema
  readonly annotations?: ToolAnnotations
  /** `own` tools are the operator's code; `third-party` definitions come over a wire. */
  readonly origin: 'own' | 'third-party'
  /** `metadata.holdpoint` on a static own tool: counts as the operator's word. */
  readonly declared?: { readonly materiality?: Materiality; readonly surface?: Surface }
  /** A description that is computed at run time is left out of the definition digest (it may hold dates). */
  readonly dynamicDescription?: boolean
}

/** Why a third party's tool may not be called: it is not as it was pinned, or nothing was pinned of it. */
export type Quarantine = 'tool_changed' | 'tool_unknown'

/** What the operator said about a tool in `holdpoint.yaml` or code. The only word that may lower materiality. */
export interface OperatorWord {
  readonly materiality?: Materiality
  readonly surface?: Surface
  /** What a call of it brings into its conversation; absent where it brings nothing of note. */
  readonly reads?: readonly ReadLabel[]
  /** `file:line`, or `code`. */
  readonly source: string
}

/**
 * What the operator calls their own, each name with everything below it: mail domains, and hosts of addresses. Written as
 * URLs write them: lower case, punycode, no dot at the end. What is left out is not judged.
 */
export interface OwnPlaces {
  readonly domains?: readonly string[] | undefined
  readonly hosts?: readonly string[] | undefined
}

/** What the gate knows of a tool: its definition, digest, schema check, and what the operator said. */
export interface Contract {
  readonly server: string
  readonly tool: string
  /** `server/tool`. */
  readonly id: string
  readonly definition: ToolDefinition
  readonly definitionDigest: string
  readonly operator?: OperatorWord
  /** Where a call of it stays in the house. */
  readonly own?: OwnPlaces
  /** Checks arguments against the input schema. `undefined` when they conform. */
  check(input: Json): SchemaMiss | undefined
}

/** The first place where arguments miss the tool's schema. */
export interface SchemaMiss {
  /** JSON Pointer (RFC 6901) into the arguments. */
  readonly path: string
  readonly requires: string
}
