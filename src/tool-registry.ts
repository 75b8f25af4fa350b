import { nearest } from './bytes/nearest.ts'
import { Contracts, checkServer } from './call/contract.ts'
import { Pins, quarantineOf } from './call/pins.ts'
import type { PolicyPanel } from './decide/panel.ts'
import { HoldpointError } from './errors.ts'
import { classify } from './materiality/classify.ts'
import type {
  Clock,
  Contract,
  EventSink,
  OperatorWord,
  OwnPlaces,
  PinRecord,
  PinShelf,
  PolicyMisfit,
  Quarantine,
  ToolDefinition,
} from './types.ts'
import { type Validable, Validation } from './validation.ts'

/** UNTRUSTED: a server could list other unusable names for ever. */
const MOST_WARNINGS = 1_000

/** The newest whole listing of a third party's server. */
interface Listed {
  readonly contracts: readonly Contract[]
  /** Names that could not be registered. */
  readonly leftOut: readonly string[]
  /** The pins that it was held against; absent when they could not be relied on. */
  readonly heldAgainst: PinRecord | undefined
}

/** The tools that a gate knows, with the operator's words on them, and which of them the policies do not fit. */
export class ToolRegistry {
  readonly #contracts: Contracts
  readonly #pins: Pins
  readonly #listed = new Map<string, Listed>()
  /** What was said of each quarantined tool, by whole name. */
  readonly #announced = new Map<string, string>()
  /** By contract: a host may hold on to a definition that did not fit, whatever is listed after it. */
  readonly #misfits = new WeakSet<Contract>()
  readonly #configured: string
  readonly #words: ReadonlyMap<string, OperatorWord>
  readonly #validation: Validation
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
    readonly pins: PinShelf
    readonly clock: Clock
  }) {
    this.#contracts = new Contracts(parts.own)
    this.#configured = parts.configured
    this.#words = parts.words
    this.#validation = new Validation(parts.panel, parts.emit)
    this.#emit = parts.emit
    const warn = (message: string): void => parts.emit({ event: 'programmer-warned', code: 'pins', message })
    this.#pins = new Pins({ shelf: parts.pins, clock: parts.clock, warn })
  }

  /**
   * Learns a server's tools and validates the policies against them. Hosts do this on every request, so what is known is
   * not validated again by the same policies.
   *
   * @returns what does not fit: then the medium and high calls of this listing are refused
   * @throws HoldpointError ERR_TOOL
   */
  register(tools: readonly ToolDefinition[], server: string): readonly PolicyMisfit[] {
    for (const { name } of tools) {
      const found = this.#twoReadings(server, name)
      if (found !== undefined) throw found
    }
    const contracts = this.#contracts.register(server, tools, this.#wordsOn(server))
    this.#warnOfLostWords(server)
    const misfits = this.#validation.misfitsOf(server, contracts)
    // INVARIANT I4: each time, also where all is known: a description that changes makes a new contract of an old definition.
    for (const contract of contracts) {
      this.#runsCode ||= mayRunCode(contract)
      this.#mark(contract, misfits.length > 0)
    }
    return misfits
  }

  /**
   * Learns all the tools that a third party's server lists now, and holds them against its pins; the first listing is pinned.
   *
   * @returns what does not fit, of the tools that may be called
   * @throws HoldpointError ERR_PINS when the pins cannot be relied on: nothing was learned then; ERR_TOOL for the server's name
   */
  registerPinned(tools: readonly ToolDefinition[], server: string): readonly PolicyMisfit[] {
    checkServer(server)
    try {
      return this.#learnPinned(tools, server)
    } catch (cause) {
      // What nothing could be held against is all left out: nobody is shown it as if it might be called.
      const leftOut = tools.map(({ name }) => name)
      this.#listed.set(server, { contracts: [], leftOut, heldAgainst: this.#pins.current(server) })
      throw cause
    }
  }

  #learnPinned(tools: readonly ToolDefinition[], server: string): readonly PolicyMisfit[] {
    const pinned = this.#pins.open(server)
    // Of two names that differ only in case the pinned one counts, in whatever order they are listed.
    const inOrder = tools.toSorted((one, other) => rankIn(pinned, one) - rankIn(pinned, other))
    const readable = inOrder.filter(({ name }) => this.#twoReadings(server, name) === undefined)
    const { learned, refused } = this.#contracts.registerEach(server, readable, this.#wordsOn(server))
    this.#pins.first(server, learned)
    this.#warnOfLostWords(server)
    for (const contract of learned) this.#runsCode ||= mayRunCode(contract)
    const names = new Set(learned.map(({ tool }) => tool))
    const leftOut = [...new Set(tools.map(({ name }) => name))].filter((name) => !names.has(name))
    for (const name of leftOut) this.#warnOfLeftOut(server, name, refused.get(name) ?? this.#twoReadings(server, name))
    return this.#hold(server, learned, leftOut)
  }

  /** See `Gate.quarantined`. */
  quarantined(server: string): ReadonlyMap<string, Quarantine> {
    const listed = this.#current(server)
    const found = new Map<string, Quarantine>()
    if (listed === undefined) return found
    const { contracts, leftOut, heldAgainst } = listed
    for (const { tool, definitionDigest } of contracts) {
      const kind = quarantineOf(heldAgainst, tool, definitionDigest)
      if (kind !== undefined) found.set(tool, kind)
    }
    for (const name of leftOut) found.set(name, leftOutAs(heldAgainst, name))
    return found
  }

  /**
   * Why this tool may not be called now: it is not as it was pinned. INVARIANT I4: asked at every call, because another process
   * may have accepted it meanwhile, or taken a pin away.
   */
  quarantineOf({ server, tool, definition, definitionDigest }: Contract): Quarantine | undefined {
    // What our own code says of such a server is no stranger's word: sampling, for one, which it never lists.
    if (definition.origin === 'own' || !this.#pins.holds(server)) return undefined
    const listed = this.#current(server)
    const record = listed === undefined ? this.#pins.current(server) : listed.heldAgainst
    if (listed?.leftOut.includes(tool) === true) return leftOutAs(record, tool)
    return quarantineOf(record, tool, definitionDigest)
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

  /** The newest listing, held against the pins of now. */
  #current(server: string): Listed | undefined {
    const listed = this.#listed.get(server)
    if (listed === undefined || listed.heldAgainst === this.#pins.current(server)) return listed
    this.#hold(server, listed.contracts, listed.leftOut)
    return this.#listed.get(server)
  }

  /** Holds a listing against the pins. Policies are validated against what is pinned, and not against what waits for a person. */
  #hold(server: string, contracts: readonly Contract[], leftOut: readonly string[]): readonly PolicyMisfit[] {
    const heldAgainst = this.#pins.current(server)
    this.#listed.set(server, { contracts, leftOut, heldAgainst })
    const isFine = ({ tool, definitionDigest }: Contract): boolean =>
      quarantineOf(heldAgainst, tool, definitionDigest) === undefined
    const differing = contracts.filter((contract) => !isFine(contract))
    const misfits = this.#validation.misfitsOf(
      server,
      contracts.flatMap((contract) => asPinned(contract, heldAgainst)),
    )
    for (const contract of contracts) this.#mark(contract, misfits.length > 0 || !isFine(contract))
    // Without pins to hold them against, nothing is to be said of single tools.
    if (heldAgainst === undefined) return misfits
    this.#pins.see(server, differing)
    this.#announce(server, heldAgainst, contracts)
    return misfits
  }

  /** Medium and high calls of a tool that the policies were not validated against are refused. */
  #mark(contract: Contract, isMisfit: boolean): void {
    if (isMisfit) this.#misfits.add(contract)
    else this.#misfits.delete(contract)
  }

  /** Says once of each change that a tool is quarantined. */
  #announce(server: string, record: PinRecord, contracts: readonly Contract[]): void {
    for (const { id, tool, definitionDigest } of contracts) {
      const kind = quarantineOf(record, tool, definitionDigest)
      if (kind === undefined) this.#announced.delete(id)
      else if (this.#announced.get(id) !== definitionDigest) {
        this.#announced.set(id, definitionDigest)
        this.#emit({ event: 'tool-quarantined', server, tool, kind })
      }
    }
  }

  /** UNTRUSTED: the name may be anything; what was found quotes it so that it does no harm. */
  #warnOfLeftOut(server: string, name: string, found: HoldpointError | undefined): void {
    const id = `${server}/${name}`
    if (found === undefined || this.#warned.has(id) || this.#warned.size >= MOST_WARNINGS) return
    this.#warned.add(id)
    const message = `${found.message}; it is left out, and its calls are refused`
    this.#emit({ event: 'programmer-warned', code: 'tool_left_out', message })
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

  /** The operator's words on one server's tools, by the tool's name there. */
  #wordsOn(server: string): ReadonlyMap<string, OperatorWord> {
    const own = new Map<string, OperatorWord>()
    for (const [id, word] of this.#words) {
      if (id.startsWith(`${server}/`)) own.set(id.slice(server.length + 1), word)
    }
    return own
  }

  /** `files/read_note` in the configuration is the tool `read_note` of the server `files`, and never one of our own of that name. */
  #twoReadings(server: string, name: string): HoldpointError | undefined {
    const words = this.#words
    if (server !== this.#configured || !name.includes('/') || !words.has(name) || words.has(`${server}/${name}`))
      return undefined
    const at = words.get(name)?.source ?? name
    const other = name.slice(0, name.indexOf('/'))
    return new HoldpointError(
      'ERR_TOOL',
      `${at}: "${name}" names a tool of the server "${other}", and ${server} has a tool of that whole name: write "${server}/${name}" for that one`,
      { at },
    )
  }
}

/** The tool as policies may know it: of one that has changed, what was pinned; of one that is new, nothing. */
function asPinned(contract: Contract, record: PinRecord | undefined): readonly Validable[] {
  const { tool, definitionDigest } = contract
  const pin = record?.tools.get(tool)
  if (pin === undefined) return []
  return [
    pin.digest === definitionDigest ? contract : { tool, definitionDigest: pin.digest, definition: pin.definition },
  ]
}

/** A name that cannot be registered now, and was pinned when it could be, is another tool's. */
function leftOutAs(record: PinRecord | undefined, name: string): Quarantine {
  return record?.tools.has(name) === true ? 'tool_changed' : 'tool_unknown'
}

function rankIn(record: PinRecord | undefined, { name }: ToolDefinition): number {
  return record?.tools.has(name) === true ? 0 : 1
}

/** By any evidence, not by the strongest alone: a terminal that is written to runs what is written. */
function mayRunCode(contract: Contract): boolean {
  const { surface, evidence } = classify(contract, {})
  return surface === 'code-execution' || evidence.some((piece) => piece.surface === 'code-execution')
}
