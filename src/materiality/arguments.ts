import { pointerToken } from '../bytes/pointer.ts'
import type { Evidence, Json, JsonObject, Materiality, OwnPlaces, Surface } from '../types.ts'
import { type ArgumentRole, argumentRole } from './argument-names.ts'
import { actChosen, asksToTakeAway } from './choice.ts'
import { fromGraphql } from './graphql.ts'
import { hasOutsideAddress, hasOutsideUrl } from './outside.ts'
import { carriesData, isMetadataAddress, isSecretPlace } from './places.ts'
import { plain } from './plain.ts'
import { outranks } from './rank.ts'
import { programsIn } from './shell.ts'
import { fromSql } from './sql.ts'

const MANY_RECIPIENTS = 10

const METHODS: ReadonlyMap<string, Materiality> = new Map([
  ['POST', 'medium'],
  ['PUT', 'medium'],
  ['PATCH', 'medium'],
  ['DELETE', 'high'],
])
const YES = new Set(['true', 'yes', 'y', 'on', '1'])

/** What is known of the tool before its arguments are read. */
export interface Known {
  readonly materiality: Materiality
  /** It says that it takes SQL. */
  readonly takesSql: boolean
  /** The operator's own domains and hosts. */
  readonly own: OwnPlaces
}

/** What a name further out says of everything below it. */
interface Outer {
  readonly stated: boolean
  readonly addressed: boolean
  readonly chosen: boolean
}

const NOTHING: Outer = { stated: false, addressed: false, chosen: false }
/** Beyond it, the name of an argument is none that says what to do. */
const LONGEST_SWITCH = 64

/**
 * What the arguments of this one call argue: the kind of a statement, an HTTP method, a chosen action, many recipients,
 * addresses that carry data away, places where secrets lie, and names that the schema did not show. A rehearsal
 * (`dry_run`) is put on record and lowers nothing.
 *
 * INVARIANT I8: raises only, and every argument is read, however deep, so that none hides behind others.
 * UNTRUSTED: what a model wrote; of values nothing is quoted but the plain names of programs.
 */
export function fromArguments(input: Json, known: Known): readonly Evidence[] {
  const reader = new Reader(known)
  reader.visit(input, argumentRole(''), '')
  return reader.evidence
}

class Reader {
  readonly #known: Known
  readonly evidence: Evidence[] = []

  constructor(known: Known) {
    this.#known = known
  }

  visit(value: Json, role: ArgumentRole, at: string, outer = NOTHING): void {
    if (typeof value === 'string') this.#text(value, role, at, outer)
    else if (value === true || value === 1) this.#yes(role, at)
    else if (Array.isArray(value)) this.#list(value, role, at, outer)
    else if (typeof value === 'object' && value !== null) this.#members(value as JsonObject, at, outer)
  }

  #members(value: JsonObject, at: string, { stated, addressed, chosen }: Outer): void {
    for (const [name, member] of Object.entries(value)) {
      const role = argumentRole(name)
      const inside = `${at}/${pointerToken(name)}`
      const outer = {
        stated: stated || role.states !== 'no',
        addressed: addressed || role.addresses,
        chosen: role.chooses || (chosen && role.namesChoice),
      }
      // A statement argues by what it says.
      if (!outer.stated) this.#name(role, inside)
      this.#places(name, addressed, inside)
      if (member === true) this.#switch(name, inside)
      if (role.commands) this.#programs(member, inside)
      this.visit(member, role, inside, outer)
    }
  }

  /** A schema that leaves a name out, or hides it behind a reference, hides nothing from here. */
  #name({ reading }: ArgumentRole, at: string): void {
    if (reading === undefined) return
    const [argues, surface, because] = reading
    if (outranks(argues, this.#known.materiality)) this.#raise(argues, surface, at, `the call gives ${because}`)
  }

  /** What a shell would start: high whatever it is, so this is for whoever reads the receipt. */
  #programs(command: Json, at: string): void {
    const programs = typeof command === 'string' ? programsIn(command) : programsIn(firstWord(command))
    if (programs.length > 0) this.#raise('high', 'code-execution', at, `the command runs ${programs.join(', ')}`)
  }

  #text(text: string, role: ArgumentRole, at: string, { stated, addressed, chosen }: Outer): void {
    if (role.method || role.picks || (chosen && role.namesChoice)) this.#choice(plain(text), role, at)
    if (role.flags && text.startsWith('-')) this.#switch(text, at)
    if (stated || this.#known.takesSql) this.#statement(text, role, at, stated)
    if ((role.insists || role.rehearses) && YES.has(plain(text).toLowerCase())) this.#yes(role, at)
    if (role.addresses) this.#recipients(text.split('@', MANY_RECIPIENTS + 2).length - 1, at)
    this.#places(text, addressed, at)
    if (isMetadataAddress(text))
      this.#raise('high', 'credentials', at, "the address is a cloud machine's own credentials")
    if (carriesData(text)) this.#raise('high', 'data-egress', at, 'the address carries data away')
    if (isSecretPlace(text)) this.#raise('high', 'credentials', at, 'the path is one where keys are kept')
  }

  /** Who and what lies outside of what the operator calls their own; where they named nothing, nothing does. */
  #places(text: string, addressed: boolean, at: string): void {
    const { domains, hosts } = this.#known.own
    if (addressed && domains !== undefined && hasOutsideAddress(text, domains))
      this.#raise('high', 'communication', at, "the call reaches somebody outside of the operator's domains")
    if (hosts !== undefined && hasOutsideUrl(text, hosts))
      this.#raise('medium', 'data-egress', at, "the address is outside of the operator's hosts")
  }

  #choice(text: string, role: ArgumentRole, at: string): void {
    const method = role.method ? METHODS.get(text.toUpperCase()) : undefined
    if (method !== undefined) {
      this.#raise(method, 'internal-write', at, 'the method does more than read')
      return
    }
    const act = role.picks || role.namesChoice ? actChosen(text) : undefined
    if (act !== undefined) {
      this.#raise(act.argues, act.surface ?? 'unknown', at, 'the chosen action does more than read')
    }
  }

  /** `delete: true`, `-delete`: what is switched on is what is done. */
  #switch(name: string, at: string): void {
    if (name.length <= LONGEST_SWITCH && asksToTakeAway(name))
      this.#raise('high', 'internal-write', at, 'what is switched on takes something away')
  }

  #statement(text: string, role: ArgumentRole, at: string, stated: boolean): void {
    const expected = role.states === 'here' && (this.#known.takesSql || role.speaksOfSql)
    const kind = fromSql(text, expected) ?? (stated ? fromGraphql(text) : undefined)
    if (kind !== undefined) this.#raise(kind, 'internal-write', at, 'the statement may do more than read')
  }

  #yes({ insists, rehearses }: ArgumentRole, at: string): void {
    if (rehearses) this.#raise('low', 'unknown', at, 'the call asks for a rehearsal, which only the tool can keep')
    if (insists && this.#known.materiality !== 'low') this.#raise('high', 'unknown', at, 'the call insists')
  }

  #list(values: readonly Json[], role: ArgumentRole, at: string, outer: Outer): void {
    if (role.addresses) this.#recipients(values.length, at)
    for (const [index, value] of values.entries()) this.visit(value, role, `${at}/${index}`, outer)
  }

  #recipients(count: number, at: string): void {
    if (count <= MANY_RECIPIENTS) return
    this.#raise('high', 'communication', at, `the call reaches more than ${MANY_RECIPIENTS} recipients`)
  }

  #raise(argues: Materiality, surface: Surface, at: string, because: string): void {
    this.evidence.push({ source: 'arguments', argues, ...(surface === 'unknown' ? {} : { surface }), at, because })
  }
}

/** The program of a command that comes as a list: `["rm", "-rf", "/"]`. */
function firstWord(command: Json): string {
  const first: unknown = Array.isArray(command) ? command[0] : undefined
  return typeof first === 'string' ? first : ''
}
