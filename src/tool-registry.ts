import { nearest } from './bytes/nearest.ts'
import { Contracts } from './call/contract.ts'
import type { PolicyPanel } from './decide/panel.ts'
import { HoldpointError } from './errors.ts'
import { classify } from './materiality/classify.ts'
import type { Contract, EventSink, OperatorWord, OwnPlaces, PolicyMisfit, Quarantine, ToolDefinition } from './types.ts'

/** Hosts offer each agent a choice of a server's tools: so many choices are remembered. */
const MOST_LISTINGS = 16

/** What was validated of one server by these policies: its definitions, and what did not fit in each of its listings. */
interface Validated {
  readonly policyDigest: string
  readonly lines: ReadonlySet<string>
  readonly misfits: ReadonlyMap<string, readonly PolicyMisfit[]>
}

/** The tools that a gate knows, with the operator's words on them, and which of them the policies do not fit. */
export class ToolRegistry {
  readonly #contracts: Contracts
  /** By contract: a host may hold on to a definition that did not fit, whatever is listed after it. */
  readonly #misfits = new WeakSet<Contract>()
  readonly #validated = new Map<string, Validated>()
  readonly #configured: string
  readonly #words: ReadonlyMap<string, OperatorWord>
  readonly #panel: Pick<PolicyPanel, 'register' | 'policyDigest'>
  readonly #emit: EventSink
  #runsCode = false
  /** Whole names that the operator was told are no tools. */
  readonly #warned = new Set<string>()

  /** `configured` is the server that tools without one belong to; `words` are by whole name, `shop/refund`. */
  constructor(parts: {
    readonly configured: string
    readonly words: ReadonlyMap<string, OperatorWord>
    readonly own: OwnPlaces | undefined
    readonly panel: Pick<PolicyPanel, 'register' | 'policyDigest'>
    readonly emit: EventSink
  }) {
    this.#contracts = new Contracts(parts.own)
    this.#configured = parts.configured
    this.#words = parts.words
    this.#panel = parts.panel
    this.#emit = parts.emit
  }

  /**
   * Learns a server's tools and validates the policies against them. Hosts do this on every request, so what is known is
   * not validated again by the same policies.
   *
   * @returns what does not fit: then the medium and high calls of this listing are refused
   * @throws HoldpointError ERR_TOOL
   */
  register(tools: readonly ToolDefinition[], server: string): readonly PolicyMisfit[] {
    if (server === this.#configured) this.#refuseTwoReadings(server, tools)
    const contracts = this.#contracts.register(server, tools, this.#wordsOn(server))
    this.#warnOfLostWords(server)
    const misfits = this.#misfitsOf(server, contracts)
    // INVARIANT I4: each time, also where all is known: a description that changes makes a new contract of an old definition.
    for (const contract of contracts) {
      this.#runsCode ||= mayRunCode(contract)
      if (misfits.length === 0) this.#misfits.delete(contract)
      else this.#misfits.add(contract)
    }
    return misfits
  }

  /** Learns one whole listing of a third party's server. Nothing is held against a pin yet: it registers as any other. */
  registerPinned(tools: readonly ToolDefinition[], server: string): readonly PolicyMisfit[] {
    return this.register(tools, server)
  }

  /** See `Gate.quarantined`. */
  quarantined(_server: string): ReadonlyMap<string, Quarantine> {
    return new Map()
  }

  /** See {@link Contracts.find}. */
  find(server: string, tool: string, definition?: ToolDefinition): Contract | undefined {
    return this.#contracts.find(server, tool, definition)
  }

  /** The newest contract of each tool, in the order of first registration. */
  all(): readonly Contract[] {
    return this.#contracts.all()
  }

  /** Has any tool that ever stood behind this gate run code? An old definition can be called long after it was replaced. */
  get runsCode(): boolean {
    return this.#runsCode
  }

  /** Did the policies not fit the listing that this contract came with? */
  isMisfit(contract: Contract): boolean {
    return this.#misfits.has(contract)
  }

  /** A word of the operator's on a tool that is not there, such as a misspelt one, protects nothing: said once for each. */
  #warnOfLostWords(server: string): void {
    const names = new Set<string>()
    for (const contract of this.#contracts.all()) if (contract.server === server) names.add(contract.tool)
    for (const [name, { source }] of this.#wordsOn(server)) {
      const id = `${server}/${name}`
      if (names.has(name) || this.#warned.has(id)) continue
      this.#warned.add(id)
      const meant = nearest(name, names)
      const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
      const message = `${source}: what is said of "${name}" holds for no tool: ${server} has none of that name so far${hint}`
      this.#emit({ event: 'programmer-warned', code: 'tool_unknown', message })
    }
  }

  #misfitsOf(server: string, contracts: readonly Contract[]): readonly PolicyMisfit[] {
    const lines = contracts.map(lineOf)
    const listing = lines.join('\n')
    const { policyDigest } = this.#panel
    const before = this.#validated.get(server)
    const isKnown = before?.policyDigest === policyDigest && lines.every((line) => before.lines.has(line))
    const found = isKnown ? before.misfits.get(listing) : undefined
    if (found !== undefined) return found
    const definitions = contracts.map(({ definition }) => definition)
    const misfits = this.#panel.register(server, definitions)
    const ofServer = this.#contracts.all().filter((contract) => contract.server === server)
    // A new definition may change what was found about others.
    const kept = isKnown && before.misfits.size < MOST_LISTINGS ? before.misfits : []
    this.#validated.set(server, {
      policyDigest,
      lines: new Set(ofServer.map(lineOf)),
      misfits: new Map([...kept, [listing, misfits]]),
    })
    if (misfits.length > 0) this.#emit({ event: 'policy-misfitted', server, misfits })
    return misfits
  }

  /** The operator's words on one server's tools, by the tool's name there. */
  #wordsOn(server: string): ReadonlyMap<string, OperatorWord> {
    const own = new Map<string, OperatorWord>()
    for (const [id, word] of this.#words) {
      if (id.startsWith(`${server}/`)) own.set(id.slice(server.length + 1), word)
    }
    return own
  }

  /** `files/read_note` in the configuration is the tool `read_note` of the server `files`, and never one of our own of that name. */
  #refuseTwoReadings(server: string, tools: readonly ToolDefinition[]): void {
    const words = this.#words
    const twice = tools.find(({ name }) => name.includes('/') && words.has(name) && !words.has(`${server}/${name}`))
    if (twice === undefined) return
    const { name } = twice
    const at = words.get(name)?.source ?? name
    const other = name.slice(0, name.indexOf('/'))
    throw new HoldpointError(
      'ERR_TOOL',
      `${at}: "${name}" names a tool of the server "${other}", and ${server} has a tool of that whole name: write "${server}/${name}" for that one`,
      { at },
    )
  }
}

function lineOf({ tool, definitionDigest }: Contract): string {
  return `${tool} ${definitionDigest}`
}

/** By any evidence, not by the strongest alone: a terminal that is written to runs what is written. */
function mayRunCode(contract: Contract): boolean {
  const { surface, evidence } = classify(contract, {})
  return surface === 'code-execution' || evidence.some((piece) => piece.surface === 'code-execution')
}
