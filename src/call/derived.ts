import { utf8Length } from '../bytes/canonical.ts'
import { looksLikeMoney } from '../bytes/money-names.ts'
import { pointerToken } from '../bytes/pointer.ts'
import type { DerivedFacts, Json, JsonObject } from '../types.ts'
import { addressFacts, looksLikeAddress } from './derived-address.ts'
import { moneyFacts } from './derived-money.ts'
import { looksLikePath, pathFacts } from './derived-path.ts'
import { looksLikeUrl, urlFacts } from './derived-url.ts'

/** What policies read of the arguments beside the arguments themselves, by JSON Pointer. */
export interface Derivation {
  readonly derived: DerivedFacts
  /** Elements of each array: Cedar's sets drop order and duplicates. */
  readonly lengths: { readonly [pointer: string]: number }
}

/** Facts are stated of so many arguments and array lengths, */
const MOST_FACTS = 256
/** and in so many UTF-16 units of pointers and texts, with some for each name and number. */
const MOST_UNITS = 65_536
const UNITS_EACH = 16

/**
 * Works out facts of arguments that policies could not get right by string surgery (DESIGN §8): normalised paths with
 * their ancestors, hosts with their parent domains, mail domains, amounts as decimals, bytes, array lengths.
 *
 * A fact that grants is only stated where every reader of the argument would agree on it; otherwise the list that a
 * policy asks is there and empty, so that no permit by ancestor, host or domain applies. Pure; never throws.
 *
 * The canonical text of facts and lengths together stays within 400 KiB, whatever the arguments are, since a few of them
 * could otherwise call for more than a receipt can hold. Arguments are read in order; from the first whose facts no longer
 * fit, none has any, and the fact `""` says `{ truncated: true }`.
 */
export function derive(input: Json): Derivation {
  const collector = new Collector()
  collector.visit(input, '', '')
  return collector.derivation()
}

class Collector {
  // Pointers start with a slash or are empty, so none of them is a name that reaches a prototype.
  readonly #derived: { [pointer: string]: JsonObject } = {}
  readonly #lengths: { [pointer: string]: number } = {}
  #facts = MOST_FACTS
  #units = MOST_UNITS
  #truncated = false

  /** @param key the name of the nearest member around the value: elements of `paths` are read as `paths` says. */
  visit(value: Json, pointer: string, key: string): void {
    if (this.#truncated) return
    if (typeof value === 'string') this.#state(pointer, textFacts(value, key))
    else if (typeof value === 'number' && looksLikeMoney(key)) this.#state(pointer, moneyFacts(value))
    else if (Array.isArray(value)) this.#visitArray(value, pointer, key)
    else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) this.visit(member, `${pointer}/${pointerToken(name)}`, name)
    }
  }

  derivation(): Derivation {
    if (this.#truncated) this.#derived[''] = { ...this.#derived[''], truncated: true }
    return { derived: this.#derived, lengths: this.#lengths }
  }

  #visitArray(value: readonly Json[], pointer: string, key: string): void {
    if (this.#fits(pointer, [])) this.#lengths[pointer] = value.length
    for (const [index, element] of value.entries()) this.visit(element, `${pointer}/${index}`, key)
  }

  #state(pointer: string, facts: JsonObject | undefined): void {
    if (facts !== undefined && this.#fits(pointer, Object.values(facts))) this.#derived[pointer] = facts
  }

  #fits(pointer: string, stated: readonly Json[]): boolean {
    this.#facts -= 1
    this.#units -= pointer.length + unitsOf(stated)
    this.#truncated = this.#facts < 0 || this.#units < 0
    return !this.#truncated
  }
}

function unitsOf(stated: readonly Json[]): number {
  let units = UNITS_EACH
  for (const each of stated) {
    units += UNITS_EACH
    if (typeof each === 'string') units += each.length
    else if (Array.isArray(each)) units += unitsOf(each)
  }
  return units
}

/** UNTRUSTED: the text is the model's, the key may be. */
function textFacts(text: string, key: string): JsonObject {
  return {
    bytes: utf8Length(text),
    ...(looksLikePath(text, key) ? pathFacts(text) : undefined),
    ...(looksLikeAddress(text, key) ? addressFacts(text) : undefined),
    // Both state domains. What looks like a URL, by its key or its scheme, is fetched as one, whatever stands before an `@`.
    ...(looksLikeUrl(text, key) ? urlFacts(text) : undefined),
    ...(looksLikeMoney(key) ? moneyFacts(text) : undefined),
  }
}
