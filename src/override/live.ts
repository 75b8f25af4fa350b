import pTimeout from 'p-timeout'
import type { Clock, Decision, Materiality, OverrideUse, Scope } from '../types.ts'
import type { OverrideClaims } from './claims.ts'
import type { OverrideKeys } from './keys.ts'
import { readOverride, type SignedOverride } from './signed.ts'
import { covers, mayOverride, signersOf, standingOf } from './standing.ts'

/** How long what was read in the folder is believed, ms: the longest that a revocation goes unnoticed. */
const BELIEVED_MS = 1_000
/** How long the folder may take to be read, ms. */
const READING_MS = 1_000
/** How far a clock may step back before somebody is told, ms. */
const STEP_MS = 5_000
const MOST_WARNINGS = 64

/** The text of an installed override, or why it cannot be had. */
export type OverrideFile = { readonly text: string } | { readonly unreadable: string }

/** Where installed overrides stand. Bounded: at most 64 files of 16 KiB. */
export interface OverrideShelf {
  /** Rejects, in words for an operator, when the shelf cannot be relied on. */
  read(): Promise<{
    /** By the id under which each is installed. UNTRUSTED: whatever somebody put there. */
    readonly overrides: ReadonlyMap<string, OverrideFile>
    /** Ids that were revoked. */
    readonly revoked: ReadonlySet<string>
  }>
}

/** A call that no policy answered for. */
export interface OverrideQuestion {
  readonly decision: Decision
  readonly materiality: Materiality
  /** `server/tool`. */
  readonly tool: string
  readonly scope: Pick<Scope, 'principal' | 'environment'>
}

/** A live override, as a receipt names it. `most` and `id` are what the store counts. */
export interface Override extends OverrideUse {
  readonly digest: string
  /** The trusted keys that signed it. */
  readonly by: readonly string[]
  readonly reason: string
  readonly ticket: string
}

/** The overrides of a gate. */
export interface Overrides {
  /** A live override for this call: of several, the one that ends first. Never rejects. */
  find(question: OverrideQuestion): Promise<Override | undefined>
  /** The store says that this one has had its uses: it is not found again. */
  spent(override: OverrideUse): void
}

/** What overrides are judged by. */
export interface OverrideTerms {
  readonly shelf: OverrideShelf
  /** Empty: overrides are off, and the shelf is never read. */
  readonly keys: OverrideKeys
  readonly clock: Clock
  /** Told once of each thing that keeps an override from being used. */
  readonly warn: (message: string) => void
}

interface Checked {
  readonly text: string
  readonly signed: SignedOverride
  readonly by: readonly string[]
}

interface Believed {
  readonly checked: ReadonlyMap<string, Checked>
  readonly revoked: ReadonlySet<string>
  /** Monotonic, ms. */
  readonly until: number
}

/** Reads signed overrides when a call needs one, and keeps what it has checked. */
export function createOverrides(terms: OverrideTerms): Overrides {
  return new LiveOverrides(terms)
}

class LiveOverrides implements Overrides {
  readonly #terms: OverrideTerms
  #believed: Believed = { checked: new Map(), revoked: new Set(), until: Number.NEGATIVE_INFINITY }
  #reading: Promise<Believed> | undefined
  /** What the wall clock said when the monotonic one, which nobody sets, began: their sum never runs late. */
  readonly #beganAt: number
  #latest: number
  /** By id, when the life of an override that was live here is over on the monotonic clock. */
  readonly #endsAt = new Map<string, number>()
  readonly #spent = new Set<string>()
  readonly #warned = new Set<string>()

  constructor(terms: OverrideTerms) {
    this.#terms = terms
    this.#latest = terms.clock.now()
    this.#beganAt = this.#latest - terms.clock.monotonic()
  }

  async find(question: OverrideQuestion): Promise<Override | undefined> {
    if (this.#terms.keys.size === 0 || !mayOverride(question.decision, question.materiality)) return undefined
    const { checked, revoked } = await this.#believe()
    const at = this.#now()
    const live = [...checked.values()].filter(
      ({ signed, by }) =>
        !this.#spent.has(signed.id) &&
        covers(signed.claims, question) &&
        this.#isLive({ id: signed.id, claims: signed.claims, by, revoked: revoked.has(signed.id) }, at),
    )
    const [first] = live.sort((one, other) => one.signed.claims.expires - other.signed.claims.expires)
    if (first === undefined) return undefined
    const { id, digest, claims } = first.signed
    return { id, digest, by: first.by, reason: claims.reason, ticket: claims.ticket, most: claims.most }
  }

  spent({ id, most }: OverrideUse): void {
    this.#spent.add(id)
    this.#warn(`the override ${id} has had its ${most} uses`)
  }

  /** Live by both clocks: one that was live here ends in its time, whatever is done to the wall clock. */
  #isLive(
    override: {
      readonly id: string
      readonly claims: OverrideClaims
      readonly by: readonly string[]
      readonly revoked: boolean
    },
    at: number,
  ): boolean {
    const { id, claims } = override
    const standing = standingOf(override, at)
    if (standing.kind === 'unsigned')
      this.#warn(`the override ${id} is not used: ${standing.signed} of ${standing.needed} trusted keys signed it`)
    if (standing.kind !== 'live') return false
    const now = this.#terms.clock.monotonic()
    const endsAt = this.#endsAt.get(id) ?? now + claims.expires - at
    this.#endsAt.set(id, endsAt)
    return now < endsAt
  }

  /**
   * Wall clock, ms. Never earlier than it was, nor than it must be by the time that has passed: setting the clock back revives
   * nothing, also where nobody looked at it in between.
   */
  #now(): number {
    const { clock } = this.#terms
    const now = clock.now()
    const least = Math.max(this.#latest, this.#beganAt + clock.monotonic())
    if (now < least - STEP_MS) {
      const seconds = Math.round((least - now) / 1_000)
      this.#warn(
        `the clock was set back by ${seconds} s: until it has caught up, overrides count as older than they are`,
      )
    }
    this.#latest = Math.max(least, now)
    return this.#latest
  }

  async #believe(): Promise<Believed> {
    if (this.#terms.clock.monotonic() < this.#believed.until) return this.#believed
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return await this.#reading
  }

  async #read(): Promise<Believed> {
    const before = this.#believed.checked
    try {
      const { overrides, revoked } = await pTimeout(this.#terms.shelf.read(), {
        milliseconds: READING_MS,
        message: new Error(`the folder of overrides was not read within ${READING_MS} ms`),
      })
      const checked = new Map<string, Checked>()
      for (const [id, file] of overrides) {
        const known = before.get(id)
        const one = 'text' in file && known?.text === file.text ? known : this.#check(id, file)
        if (one !== undefined) checked.set(id, one)
      }
      this.#believed = { checked, revoked, until: this.#terms.clock.monotonic() + BELIEVED_MS }
    } catch (cause) {
      // What cannot be read now may have been revoked: it is not believed any longer either.
      this.#warn(`no override is used: ${reasonOf(cause)}`)
      this.#believed = { checked: new Map(), revoked: new Set(), until: this.#terms.clock.monotonic() + BELIEVED_MS }
    }
    return this.#believed
  }

  #check(id: string, file: OverrideFile): Checked | undefined {
    try {
      if ('unreadable' in file) throw new Error(file.unreadable)
      const { text } = file
      const signed = readOverride(text)
      if (signed.id !== id) throw new Error(`it is installed under the id ${id}, and is ${signed.id}`)
      return { text, signed, by: signersOf(signed, this.#terms.keys) }
    } catch (cause) {
      this.#warn(`the override ${id} is not used: ${reasonOf(cause)}`)
      return undefined
    }
  }

  #warn(message: string): void {
    if (this.#warned.has(message) || this.#warned.size >= MOST_WARNINGS) return
    this.#warned.add(message)
    this.#terms.warn(message)
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'it cannot be read'
}
