import { HoldpointError } from '../errors.ts'
import { sameBytes } from './encoding.ts'
import type { Sha256 } from './ports.ts'
import { type KeyKind, readVerifierKey, type VerifierKey } from './verifier-key.ts'
import type { KnownParty, Quorum, WitnessPolicy } from './witness-policy.ts'

/** Of each of logs, witnesses and groups. */
const MOST_OF_A_KIND = 256
const THRESHOLD = /^[1-9][0-9]{0,2}$/

/** Reads a policy line by line: what a line names has to be defined above it. */
export class PolicyReader {
  readonly #sha256: Sha256
  readonly #logs: KnownParty[] = []
  readonly #witnesses: KnownParty[] = []
  readonly #named = new Map<string, Quorum>()
  /** Names that are a member already: each witness counts in one way only. */
  readonly #members = new Set<string>()
  #groups = 0
  #quorum: Quorum | undefined
  #at = 0

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /**
   * @param line one octet to a character
   * @param at the line's number
   * @throws HoldpointError ERR_CONFIG
   */
  line(line: string, at: number): void {
    this.#at = at
    if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(line)) throw this.#wrong('holds a control character')
    const [what, ...rest] = line.split(/[\t ]+/).filter((item) => item !== '')
    if (what === undefined || what.startsWith('#')) return
    switch (what) {
      case 'log':
        this.#log(rest)
        break
      case 'witness':
        this.#witness(rest)
        break
      case 'group':
        this.#group(rest)
        break
      case 'quorum':
        this.#setQuorum(rest)
        break
      default:
        throw this.#wrong('begins with none of log, witness, group, quorum')
    }
  }

  /** The policy so far; `undefined` while nothing says what quorum it wants. */
  policy(): WitnessPolicy | undefined {
    const quorum = this.#quorum
    return quorum === undefined ? undefined : { logs: this.#logs, witnesses: this.#witnesses, quorum }
  }

  #log(items: readonly string[]): void {
    const [vkey, url] = items
    if (vkey === undefined || items.length > 2) throw this.#wrong('is not "log vkey [url]"')
    this.#add(this.#logs, vkey, 'ed25519', url)
  }

  #witness(items: readonly string[]): void {
    const [name, vkey, url] = items
    if (name === undefined || vkey === undefined || items.length > 3)
      throw this.#wrong('is not "witness name vkey [url]"')
    this.#define(name, { kind: 'witness', key: this.#add(this.#witnesses, vkey, 'cosignature', url) })
  }

  #group([name, count, ...members]: readonly string[]): void {
    if (name === undefined || count === undefined || members.length === 0)
      throw this.#wrong('is not "group name all|any|k name..."')
    this.#groups += 1
    if (this.#groups > MOST_OF_A_KIND) throw this.#wrong(`is one group more than ${MOST_OF_A_KIND}`)
    const known = members.map((member) => this.#member(member))
    this.#define(name, { kind: 'group', threshold: this.#threshold(count, known.length), members: known })
  }

  #setQuorum(items: readonly string[]): void {
    const [name] = items
    if (name === undefined || items.length > 1) throw this.#wrong('is not "quorum name"')
    if (this.#quorum !== undefined) throw this.#wrong('is a second quorum')
    this.#quorum = name === 'none' ? { kind: 'none' } : this.#known(name)
  }

  #add(parties: KnownParty[], vkey: string, kind: KeyKind, url: string | undefined): VerifierKey {
    const key = this.#key(vkey)
    if (key.kind !== kind) throw this.#wrong(`has a key of the kind ${key.kind}, and only ${kind} will do here`)
    // INVARIANT I6: one key under two names would be two witnesses.
    if (parties.some((party) => sameBytes(party.key.publicKey, key.publicKey)))
      throw this.#wrong('repeats a public key')
    if (parties.length === MOST_OF_A_KIND) throw this.#wrong(`is one more than ${MOST_OF_A_KIND}`)
    parties.push(url === undefined ? { key } : { key, url: percentEncoded(url) })
    return key
  }

  #key(vkey: string): VerifierKey {
    try {
      const octets = Uint8Array.from(vkey, (character) => character.charCodeAt(0))
      return readVerifierKey(this.#sha256, new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets))
    } catch (cause) {
      throw this.#wrong(cause instanceof HoldpointError ? `has ${cause.message}` : 'has a key that is not UTF-8', cause)
    }
  }

  #define(name: string, what: Quorum): void {
    if (name === 'none') throw this.#wrong('takes the name none, which means no witness')
    if (this.#named.has(name)) throw this.#wrong('takes a name that is taken')
    this.#named.set(name, what)
  }

  #known(name: string): Quorum {
    const known = this.#named.get(name)
    if (known === undefined) throw this.#wrong('names a witness or group that no line above defines')
    return known
  }

  #member(name: string): Quorum {
    const known = this.#known(name)
    if (this.#members.has(name)) throw this.#wrong('names a member that is one already')
    this.#members.add(name)
    return known
  }

  #threshold(count: string, members: number): number {
    if (count === 'all') return members
    if (count === 'any') return 1
    if (!THRESHOLD.test(count) || Number(count) > members) {
      throw this.#wrong(`asks for neither all, nor any, nor a number from 1 to ${members}`)
    }
    return Number(count)
  }

  #wrong(found: string, cause?: unknown): HoldpointError {
    const at = `line ${this.#at}`
    return new HoldpointError('ERR_CONFIG', `${at} of the witness policy ${found}`, { at, cause })
  }
}

function percentEncoded(url: string): string {
  return url.replace(/[\u0080-\u00ff]/g, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase()}`)
}
