import { pointerToken } from '../bytes/pointer.ts'
import { wordsOf } from '../bytes/words.ts'
import type { Evidence, Json, JsonObject, Materiality, Surface } from '../types.ts'
import { fromGraphql } from './graphql.ts'
import { isMetadataAddress, isSecretPlace } from './places.ts'
import { plain } from './plain.ts'
import { outranks } from './rank.ts'
import { type Reading, readingOf } from './schema.ts'
import { fromSql } from './sql.ts'
import { meaningOfInflected } from './verbs.ts'

const MANY_RECIPIENTS = 10
const LONGEST_CHOICE = 64

const METHODS: ReadonlyMap<string, Materiality> = new Map([
  ['POST', 'medium'],
  ['PUT', 'medium'],
  ['PATCH', 'medium'],
  ['DELETE', 'high'],
])
const CHOOSES = new Set('action actions operation operations op ops mode verb method subcommand'.split(' '))
const STATES = new Set('sql query queries statement statements'.split(' '))
const ADDRESSES = new Set('to cc bcc recipients recipient emails attendees'.split(' '))
const INSISTS = new Set('force forced recursive overwrite cascade permanent permanently hard purge'.split(' '))
const YES = new Set(['true', 'yes', 'y', 'on', '1'])

/** What is known of the tool before its arguments are read. */
export interface Known {
  readonly materiality: Materiality
  /** It says that it takes SQL. */
  readonly takesSql: boolean
}

/**
 * What the arguments of this one call argue: the kind of a statement, an HTTP method, a chosen action, many recipients,
 * places where secrets lie, and names that the schema did not show.
 *
 * INVARIANT I8: raises only, and every argument is read, however deep, so that none hides behind others.
 * UNTRUSTED: what a model wrote; values are read and never quoted.
 */
export function fromArguments(input: Json, known: Known): readonly Evidence[] {
  const reader = new Reader(known)
  reader.visit(input, placeOf(''), '')
  return reader.evidence
}

/** What the name of the nearest member says about a value. */
interface Place {
  readonly chooses: boolean
  readonly method: boolean
  readonly addresses: boolean
  readonly insists: boolean
  /** The value is a statement, or what is below may be one. */
  readonly states: 'here' | 'below' | 'no'
  readonly speaksOfSql: boolean
  readonly reading: Reading | undefined
}

/** Names come again with every call; a model can invent names, so only this many are kept. */
const MOST_NAMES = 2_000
const LONGEST_NAME = 128
const places = new Map<string, Place>()

function placeOf(name: string): Place {
  const kept = places.get(name)
  if (kept !== undefined) return kept
  const words = wordsOf(name)
  const last = words.at(-1) ?? ''
  const speaksOfSql = words.includes('sql')
  const place: Place = {
    chooses: CHOOSES.has(last),
    method: words.includes('method'),
    addresses: ADDRESSES.has(last),
    insists: words.some((word) => INSISTS.has(word)),
    states: STATES.has(last) ? 'here' : speaksOfSql ? 'below' : 'no',
    speaksOfSql,
    reading: readingOf(name),
  }
  if (places.size < MOST_NAMES && name.length <= LONGEST_NAME) places.set(name, place)
  return place
}

class Reader {
  readonly #known: Known
  readonly evidence: Evidence[] = []

  constructor(known: Known) {
    this.#known = known
  }

  /** @param stated a name further out says that statements stand here. */
  visit(value: Json, place: Place, at: string, stated = false): void {
    if (typeof value === 'string') this.#text(value, place, at, stated)
    else if (value === true || value === 1) this.#yes(place, at)
    else if (Array.isArray(value)) this.#list(value, place, at, stated)
    else if (typeof value === 'object' && value !== null) this.#members(value as JsonObject, at, stated)
  }

  #members(value: JsonObject, at: string, stated: boolean): void {
    for (const [name, member] of Object.entries(value)) {
      const place = placeOf(name)
      const inside = `${at}/${pointerToken(name)}`
      const states = stated || place.states !== 'no'
      // A statement argues by what it says.
      if (!states) this.#name(place, inside)
      this.visit(member, place, inside, states)
    }
  }

  /** A schema that leaves a name out, or hides it behind a reference, hides nothing from here. */
  #name({ reading }: Place, at: string): void {
    if (reading === undefined) return
    const [argues, surface, because] = reading
    if (outranks(argues, this.#known.materiality)) this.#raise(argues, surface, at, `the call gives ${because}`)
  }

  #text(text: string, place: Place, at: string, stated: boolean): void {
    if (place.method || place.chooses) this.#choice(plain(text), place, at)
    if (stated || this.#known.takesSql) this.#statement(text, place, at, stated)
    if (place.insists && YES.has(plain(text).toLowerCase())) this.#yes(place, at)
    if (place.addresses) this.#recipients(text.split('@', MANY_RECIPIENTS + 2).length - 1, at)
    if (isMetadataAddress(text))
      this.#raise('high', 'credentials', at, "the address is a cloud machine's own credentials")
    if (isSecretPlace(text)) this.#raise('high', 'credentials', at, 'the path is one where keys are kept')
  }

  #choice(text: string, place: Place, at: string): void {
    const method = place.method ? METHODS.get(text.toUpperCase()) : undefined
    if (method !== undefined) {
      this.#raise(method, 'internal-write', at, 'the method does more than read')
      return
    }
    if (!place.chooses || text.length > LONGEST_CHOICE) return
    // Twice, since `deleteAll` has two words and `dELETE` is one.
    for (const choice of new Set([...wordsOf(text), ...wordsOf(text.toLowerCase())])) {
      const meaning = meaningOfInflected(choice)
      if (meaning !== undefined && meaning.argues !== 'low') {
        this.#raise(meaning.argues, meaning.surface, at, 'the chosen action does more than read')
      }
    }
  }

  #statement(text: string, place: Place, at: string, stated: boolean): void {
    const expected = place.states === 'here' && (this.#known.takesSql || place.speaksOfSql)
    const kind = fromSql(text, expected) ?? (stated ? fromGraphql(text) : undefined)
    if (kind !== undefined) this.#raise(kind, 'internal-write', at, 'the statement may do more than read')
  }

  #yes({ insists }: Place, at: string): void {
    if (insists && this.#known.materiality !== 'low') this.#raise('high', 'unknown', at, 'the call insists')
  }

  #list(values: readonly Json[], place: Place, at: string, stated: boolean): void {
    if (place.addresses) this.#recipients(values.length, at)
    for (const [index, value] of values.entries()) this.visit(value, place, `${at}/${index}`, stated)
  }

  #recipients(count: number, at: string): void {
    if (count <= MANY_RECIPIENTS) return
    this.#raise('high', 'communication', at, `the call reaches more than ${MANY_RECIPIENTS} recipients`)
  }

  #raise(argues: Materiality, surface: Surface, at: string, because: string): void {
    this.evidence.push({ source: 'arguments', argues, ...(surface === 'unknown' ? {} : { surface }), at, because })
  }
}
