import { canonicalText } from '../bytes/canonical.ts'
import { definitionDigest } from '../bytes/definition-digest.ts'
import { isServerName, isToolName, SERVER_RULE } from '../bytes/names.ts'
import { HoldpointError } from '../errors.ts'
import {
  type Contract,
  type Json,
  MATERIALITIES,
  type OperatorWord,
  type OwnPlaces,
  type SchemaMiss,
  SURFACES,
  type ToolDefinition,
} from '../types.ts'
import { compileSchema, type SchemaCheck } from './schema-check.ts'
import { strangenessOf, twoMeanings } from './stranger.ts'

/** Most tools of one server that a gate ever learns: it forgets none, since a host may hold on to an older listing. */
const MOST_TOOLS = 1_000

/** Every tool that the gate knows, by our own name of its server and its name there. */
export class Contracts {
  /** By `server/tool`. A Map, since a model chooses the names that are looked up. */
  readonly #contracts = new Map<string, KnownContract>()
  /** The spelling in use of each id, by its lower case. */
  readonly #spellings = new Map<string, string>()
  /** How many tools there are of each server. */
  readonly #counts = new Map<string, number>()
  /** What was learned from each definition object, for hosts that hold on to an older one. */
  readonly #learned = new WeakMap<ToolDefinition, readonly Contract[]>()
  readonly #own: OwnPlaces | undefined

  /** @param own what the operator calls their own, of every tool. */
  constructor(own?: OwnPlaces) {
    this.#own = own
  }

  /**
   * Learns a server's tools; all of them, or none when one is refused. What is known already and unchanged stays the
   * same object; a changed definition replaces it under its new digest.
   *
   * @param words what the operator said, by tool name.
   * @throws HoldpointError `ERR_TOOL`: a name outside the rule, a case-fold twin, a definition without canonical form, a
   * tool of another origin under a name that is taken, more than 1,000 names of one server over time.
   */
  register(
    server: string,
    definitions: readonly ToolDefinition[],
    words: ReadonlyMap<string, OperatorWord>,
  ): readonly Contract[] {
    checkServer(server)
    const fresh = new Map<string, string>()
    const learned = definitions.map((definition) => {
      const contract = this.#known(server, definition, words.get(definition.name))
      const folded = contract.id.toLowerCase()
      const twin = fresh.get(folded) ?? this.#spellings.get(folded)
      if (twin !== undefined && twin !== contract.id) {
        throw refusedTool(contract.id, `differs from ${twin} only in case: rename one of the two`)
      }
      if (fresh.has(folded)) throw refusedTool(contract.id, 'is listed twice: list each tool once')
      fresh.set(folded, contract.id)
      return contract
    })
    // UNTRUSTED: a server could list other names each time, for ever.
    const unknown = learned.filter(({ id }) => !this.#contracts.has(id)).length
    const count = (this.#counts.get(server) ?? 0) + unknown
    if (count > MOST_TOOLS) {
      throw new HoldpointError(
        'ERR_TOOL',
        `server ${quoted(server)} has listed ${count} names of tools by now, and a gate learns ${MOST_TOOLS} of one server at most: split it, or find out why its tools change names`,
        { at: server },
      )
    }
    this.#counts.set(server, count)
    for (const [index, contract] of learned.entries()) {
      this.#contracts.set(contract.id, contract)
      this.#spellings.set(contract.id.toLowerCase(), contract.id)
      const definition = definitions[index]
      if (definition !== undefined) this.#remember(definition, contract)
    }
    return learned
  }

  /**
   * Learns whatever can be learned of a third party's listing: one tool that is refused does not cost the others. Of a name
   * that is listed twice with two meanings, neither is learned: nobody knows which one a model was shown.
   *
   * @param definitions where two names differ only in case, the first one counts
   * @throws HoldpointError `ERR_TOOL` for the server's name alone
   */
  registerEach(
    server: string,
    definitions: readonly ToolDefinition[],
    words: ReadonlyMap<string, OperatorWord>,
  ): { readonly learned: readonly Contract[]; readonly refused: ReadonlyMap<string, HoldpointError> } {
    checkServer(server)
    const learned = new Map<string, Contract>()
    const refused = new Map<string, HoldpointError>()
    const ambiguous = twoMeanings(definitions)
    for (const definition of definitions) {
      const { name } = definition
      if (learned.has(name) || refused.has(name)) continue
      try {
        const found = ambiguous.has(name) ? 'is listed twice, with two meanings' : strangenessOf(definition)
        if (found !== undefined) throw refusedTool(`${server}/${name}`, found)
        for (const contract of this.register(server, [definition], words)) learned.set(name, contract)
      } catch (cause) {
        if (!(cause instanceof HoldpointError)) throw cause
        refused.set(name, cause)
      }
    }
    return { learned: [...learned.values()], refused }
  }

  /** The newest contract of a tool; or, for a definition that was registered, the contract that was made of it. */
  find(server: string, tool: string, definition?: ToolDefinition): Contract | undefined {
    const id = `${server}/${tool}`
    if (definition === undefined) return this.#contracts.get(id)
    return this.#learned.get(definition)?.find((contract) => contract.id === id)
  }

  /** In the order of first registration. */
  all(): readonly Contract[] {
    return [...this.#contracts.values()]
  }

  #remember(definition: ToolDefinition, contract: Contract): void {
    const others = (this.#learned.get(definition) ?? []).filter(({ id }) => id !== contract.id)
    this.#learned.set(definition, [...others, contract])
  }

  #known(server: string, definition: ToolDefinition, operator: OperatorWord | undefined): KnownContract {
    if (!isToolName(definition.name)) {
      throw refusedTool(
        `${server}/${definition.name}`,
        'has a name that is not usable: ASCII letters, digits and _ . - /, at most 128',
      )
    }
    const contract = new KnownContract(server, definition, operator, this.#own)
    const stray = strayWordOf(contract.definition)
    if (stray !== undefined) throw refusedTool(contract.id, stray)
    const known = this.#contracts.get(contract.id)
    if (known !== undefined && known.definition.origin !== definition.origin) {
      throw refusedTool(
        contract.id,
        // Else a stranger's tool would be judged by the words on the operator's own, or the other way round.
        `is ${from(known.definition)} and now comes ${from(definition)}: register the second with a \`server\` of its own`,
      )
    }
    return known?.saysTheSameAs(contract) === true ? known : contract
  }
}

/**
 * What its author says of it and nobody knows; hosts keep such words where no type holds them.
 *
 * INVARIANT I6: a receipt of any other word would be one that no verifier takes.
 */
function strayWordOf({ declared }: ToolDefinition): string | undefined {
  const { materiality, surface } = declared ?? {}
  if (materiality !== undefined && !MATERIALITIES.includes(materiality))
    return `declares the materiality ${quoted(String(materiality))}: it is ${MATERIALITIES.join(', ')}`
  if (surface === undefined || SURFACES.includes(surface)) return undefined
  return `declares the surface ${quoted(String(surface))}: it is one of ${SURFACES.join(', ')}`
}

/** @throws HoldpointError ERR_TOOL */
export function checkServer(server: string): void {
  if (isServerName(server)) return
  throw new HoldpointError('ERR_TOOL', `server name ${quoted(server)} is not usable: ${SERVER_RULE}`, { at: server })
}

class KnownContract implements Contract {
  readonly server: string
  readonly tool: string
  readonly id: string
  readonly definition: ToolDefinition
  readonly definitionDigest: string
  readonly operator?: OperatorWord
  readonly own?: OwnPlaces
  #check: SchemaCheck | undefined

  constructor(
    server: string,
    definition: ToolDefinition,
    operator: OperatorWord | undefined,
    own: OwnPlaces | undefined,
  ) {
    this.server = server
    this.tool = definition.name
    this.id = `${server}/${definition.name}`
    const { copy, digest } = exactCopy(this.id, definition)
    this.definition = copy
    this.definitionDigest = digest
    if (operator !== undefined) this.operator = operator
    if (own !== undefined) this.own = own
  }

  check(input: Json): SchemaMiss | undefined {
    this.#check ??= compileSchema(this.definition.inputSchema, this.definition.origin)
    return this.#check(input)
  }

  /** The digest leaves out the operator's words, and a description that is computed at run time. */
  saysTheSameAs(other: KnownContract): boolean {
    const [mine, theirs] = [this.definition, other.definition]
    return (
      this.definitionDigest === other.definitionDigest &&
      mine.description === theirs.description &&
      mine.origin === theirs.origin &&
      mine.declared?.materiality === theirs.declared?.materiality &&
      mine.declared?.surface === theirs.declared?.surface &&
      this.operator?.materiality === other.operator?.materiality &&
      this.operator?.surface === other.operator?.surface &&
      this.operator?.reads?.join() === other.operator?.reads?.join() &&
      this.operator?.source === other.operator?.source
    )
  }
}

/**
 * UNTRUSTED when the tool is a third party's. The copy is what the digest was taken of: whoever changes the original
 * later changes neither the check nor what policies read.
 */
function exactCopy(id: string, definition: ToolDefinition): { readonly copy: ToolDefinition; readonly digest: string } {
  try {
    const copy: ToolDefinition = JSON.parse(canonicalText(onlyKnownMembers(definition)))
    return { copy, digest: definitionDigest(copy) }
  } catch (cause) {
    throw refusedTool(id, `has a definition that is not plain JSON: ${cause instanceof Error ? cause.message : cause}`)
  }
}

/** Hosts may hang more on a tool, functions for instance; none of it is read. */
function onlyKnownMembers(definition: ToolDefinition): { readonly [member in keyof ToolDefinition]: unknown } {
  const { name, title, description, inputSchema, outputSchema, annotations, origin, declared, dynamicDescription } =
    definition
  return { name, title, description, inputSchema, outputSchema, annotations, origin, declared, dynamicDescription }
}

function from({ origin }: ToolDefinition): string {
  return origin === 'own' ? 'from your own code' : 'from a third party'
}

function refusedTool(id: string, found: string): HoldpointError {
  return new HoldpointError('ERR_TOOL', `tool ${quoted(id)} ${found}`, { at: id })
}

/** Names come from strangers: what is not printable ASCII is shown as an escape. */
function quoted(name: string): string {
  const shown = JSON.stringify(name).replace(
    /[^ -~]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return shown.length > 140 ? `${shown.slice(0, 140)}…"` : shown
}
