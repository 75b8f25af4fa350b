import type { PolicyPanel } from './decide/panel.ts'
import type { Contract, EventSink, PolicyMisfit } from './types.ts'

/** Hosts offer each agent a choice of a server's tools: so many choices are remembered. */
const MOST_LISTINGS = 16

/** A tool as policies are validated against it. */
export type Validable = Pick<Contract, 'tool' | 'definition' | 'definitionDigest'>

/** What was validated of one server by these policies: its definitions, and what did not fit in each of its listings. */
interface Validated {
  readonly policyDigest: string
  /** The digest of each tool's newest definition. */
  readonly told: ReadonlyMap<string, string>
  readonly misfits: ReadonlyMap<string, readonly PolicyMisfit[]>
}

/** Whether the policies fit the tools that they are about. */
export class Validation {
  readonly #panel: Pick<PolicyPanel, 'register' | 'policyDigest'>
  readonly #emit: EventSink
  readonly #validated = new Map<string, Validated>()

  constructor(panel: Pick<PolicyPanel, 'register' | 'policyDigest'>, emit: EventSink) {
    this.#panel = panel
    this.#emit = emit
  }

  /** What does not fit, of these tools of one server. What is known is not validated again by the same policies. */
  misfitsOf(server: string, tools: readonly Validable[]): readonly PolicyMisfit[] {
    const listing = tools.map(({ tool, definitionDigest }) => `${tool} ${definitionDigest}`).join('\n')
    const { policyDigest } = this.#panel
    const before = this.#validated.get(server)
    const isKnown =
      before?.policyDigest === policyDigest &&
      tools.every(({ tool, definitionDigest }) => before.told.get(tool) === definitionDigest)
    const found = isKnown ? before.misfits.get(listing) : undefined
    if (found !== undefined) return found
    const definitions = tools.map(({ definition }) => definition)
    const misfits = this.#panel.register(server, definitions)
    // A new definition may change what was found about others.
    const kept = isKnown && before.misfits.size < MOST_LISTINGS ? before.misfits : []
    const told = tools.map(({ tool, definitionDigest }) => [tool, definitionDigest] as const)
    this.#validated.set(server, {
      policyDigest,
      told: new Map([...(before?.told ?? []), ...told]),
      misfits: new Map([...kept, [listing, misfits]]),
    })
    if (misfits.length > 0) this.#emit({ event: 'policy-misfitted', server, misfits })
    return misfits
  }
}
