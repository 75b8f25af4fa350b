import { pointerToken } from '../bytes/pointer.ts'
import { wordsOf } from '../bytes/words.ts'
import type { Evidence, Json, Materiality, Surface } from '../types.ts'
import { fromSql } from './sql.ts'
import { meaningOfInflected } from './verbs.ts'

const MANY_RECIPIENTS = 10
const LONGEST_PLACE = 4_096
const LONGEST_CHOICE = 64

const METHODS: ReadonlyMap<string, Materiality> = new Map([
  ['POST', 'medium'],
  ['PUT', 'medium'],
  ['PATCH', 'medium'],
  ['DELETE', 'high'],
])
const CHOOSES = new Set('action operation op mode verb method'.split(' '))
const STATES = new Set('sql query queries statement statements'.split(' '))
const ADDRESSES = new Set('to cc bcc recipients emails attendees'.split(' '))
const INSISTS = new Set('force forced recursive overwrite cascade permanent permanently hard purge'.split(' '))

/** Where cloud machines hand out their own credentials. */
const METADATA_HOST =
  /^\s*[a-z]+:[/\\]{2}(?:[^/?#]*@)?(?:169\.254\.169\.254|metadata\.google\.internal|\[fd00:ec2::254\])(?:[:/?#]|$)/i
/** Where people and machines keep keys, in any path. */
const SECRET_PLACE =
  /(?:^|[/\\])(?:\.ssh|\.aws|\.gnupg|\.kube|\.netrc|\.npmrc|\.pgpass|\.env|id_rsa|id_ed25519|etc[/\\]shadow)(?:$|[/\\.])/i

/**
 * What the arguments of this one call argue: the kind of an SQL statement, an HTTP method, a chosen action, many
 * recipients, places where secrets lie.
 *
 * INVARIANT I8: raises only, and every argument is read, so that none hides behind others.
 * UNTRUSTED: what a model wrote; values are read and never quoted.
 *
 * @param acts whether the tool itself argues more than `low`: then to insist on it (`force: true`) makes it high.
 */
export function fromArguments(input: Json, acts: boolean): readonly Evidence[] {
  const reader = new Reader(acts)
  reader.visit(input, '', '')
  return reader.evidence
}

class Reader {
  readonly #acts: boolean
  readonly evidence: Evidence[] = []

  constructor(acts: boolean) {
    this.#acts = acts
  }

  /** @param word the last word of the nearest member's name. */
  visit(value: Json, word: string, at: string): void {
    if (typeof value === 'string') this.#text(value, word, at)
    else if (value === true) this.#yes(word, at)
    else if (Array.isArray(value)) this.#list(value, word, at)
    else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        this.visit(member, wordsOf(name).at(-1) ?? '', `${at}/${pointerToken(name)}`)
      }
    }
  }

  #text(text: string, word: string, at: string): void {
    const method = word === 'method' ? METHODS.get(text.toUpperCase()) : undefined
    if (method !== undefined) this.#raise(method, 'internal-write', at, 'the method does more than read')
    else if (CHOOSES.has(word) && text.length <= LONGEST_CHOICE) this.#choice(text, at)
    if (STATES.has(word)) {
      const kind = fromSql(text)
      if (kind !== undefined) this.#raise(kind, 'internal-write', at, 'the statement does more than read')
    }
    if (text.length > LONGEST_PLACE || text.includes('\n')) return
    if (METADATA_HOST.test(text))
      this.#raise('high', 'credentials', at, "the address is a cloud machine's own credentials")
    if (SECRET_PLACE.test(text)) this.#raise('high', 'credentials', at, 'the path is one where keys are kept')
  }

  #choice(text: string, at: string): void {
    for (const choice of wordsOf(text)) {
      const meaning = meaningOfInflected(choice)
      if (meaning !== undefined && meaning.argues !== 'low') {
        this.#raise(meaning.argues, meaning.surface, at, 'the chosen action does more than read')
      }
    }
  }

  #yes(word: string, at: string): void {
    if (this.#acts && INSISTS.has(word)) this.#raise('high', 'unknown', at, 'the call insists')
  }

  #list(values: readonly Json[], word: string, at: string): void {
    if (values.length > MANY_RECIPIENTS && ADDRESSES.has(word)) {
      this.#raise('high', 'communication', at, `the call reaches more than ${MANY_RECIPIENTS} recipients`)
    }
    for (const [index, value] of values.entries()) this.visit(value, word, `${at}/${index}`)
  }

  #raise(argues: Materiality, surface: Surface, at: string, because: string): void {
    this.evidence.push({ source: 'arguments', argues, ...(surface === 'unknown' ? {} : { surface }), at, because })
  }
}
