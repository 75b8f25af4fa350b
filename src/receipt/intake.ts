import type { ReceiptClaims } from './claims.ts'
import type { Keyring } from './keyring.ts'
import { type Looked, lookAgain, type Sighted } from './look.ts'
import type { Ledger } from './verify-set.ts'

/** Untrusted keys that are named, so that somebody can ask for them. */
const MOST_STRANGERS = 4

/** A receipt whose own checks hold: a believed key signed it, and it has its kind's shape. */
export interface Accepted {
  readonly index: number
  readonly sighted: Sighted
  readonly claims: ReceiptClaims
}

/** Takes receipts in their order: each is held against the keys that are believed at its place, and handed to the ledger. */
export class Intake {
  readonly #keyring: Keyring
  readonly #ledger: Ledger
  readonly #strangers = new Set<string>()
  #count = 0
  #accepted = 0

  constructor(keyring: Keyring, ledger: Ledger) {
    this.#keyring = keyring
    this.#ledger = ledger
  }

  /** Receipts that hold by themselves. */
  get accepted(): number {
    return this.#accepted
  }

  /** Keys that signed here and are not believed, the first few. */
  get strangers(): readonly string[] {
    return [...this.#strangers]
  }

  /** Receipts so far, good or bad. */
  get count(): number {
    return this.#count
  }

  /** Gives back what may be relied on; `undefined` after a failure, which the ledger then has. */
  async take(looked: Looked): Promise<Accepted | undefined> {
    const index = this.#count
    this.#count += 1
    const now = looked.kind === 'stranger' ? await lookAgain(looked.sighted, this.#keyring) : looked
    const { findings } = this.#ledger
    if (now.kind === 'stranger' && this.#strangers.size < MOST_STRANGERS) {
      this.#strangers.add(now.sighted.envelope.kid)
    }
    if (now.kind !== 'read') {
      const [check, why] =
        now.kind === 'bad' ? [now.check, now.why] : (['signature', strangerWhy(now.sighted)] as const)
      findings.fail({ index, check, why, ...(now.sighted === undefined ? {} : { receipt: now.sighted.id }) })
      return undefined
    }
    const { sighted, claims } = now
    const { kid } = sighted.envelope
    const retiredBy = this.#keyring.retiredBy(kid)
    if (retiredBy !== undefined) {
      // INVARIANT I6: whoever has a retired key can sign with it for ever, so behind its retirement nothing of it counts.
      const why = `signed by the key ${kid} after ${retiredBy} had retired it`
      if (this.#ledger.extent !== 'set') {
        findings.fail({ index, receipt: sighted.id, check: 'keys', why })
        return undefined
      }
      findings.unsure(
        'keys',
        `${sighted.id} stands behind the retirement of its key; only a log shows which came first`,
      )
    }
    this.#accepted += 1
    this.#ledger.add({ index, id: sighted.id, hash: sighted.hash, kid }, claims)
    if (claims.kind === 'key') await this.#takeKey(index, sighted, claims)
    return { index, sighted, claims }
  }

  /** Counts a receipt that nobody can vouch for, since no key is trusted; what is no envelope fails all the same. */
  pass(looked: Looked): undefined {
    if (looked.kind === 'bad') this.#ledger.findings.fail({ index: this.#count, check: looked.check, why: looked.why })
    else if (this.#strangers.size < MOST_STRANGERS) this.#strangers.add(looked.sighted.envelope.kid)
    this.#count += 1
  }

  async #takeKey(
    index: number,
    { id, envelope }: Sighted,
    claims: Extract<ReceiptClaims, { readonly kind: 'key' }>,
  ): Promise<void> {
    const { findings } = this.#ledger
    try {
      const why = await this.#keyring.take(claims, envelope.kid, id)
      findings.note({ about: claims.act === 'add' ? 'key_added' : 'key_retired', receipt: id, why })
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : 'its key cannot be read'
      findings.fail({ index, receipt: id, check: 'keys', why })
    }
  }
}

function strangerWhy({ envelope }: Sighted): string {
  return `signed by a key that is not trusted (${envelope.kid})`
}
