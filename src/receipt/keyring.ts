import type { KeyClaims } from './claims.ts'
import { provenKey } from './key-proof.ts'
import type { Jwk, TrustedKey } from './keys.ts'

/**
 * Which keys are believed at this place of a set: those that the caller trusts, those that a believed key has added since, and
 * no longer those that were retired.
 */
export class Keyring {
  readonly #keys: Map<string, TrustedKey>
  readonly #added = new Map<string, Jwk>()
  /** Where each retired key's time ended, as words. */
  readonly #retired = new Map<string, string>()

  constructor(trusted: ReadonlyMap<string, TrustedKey>) {
    this.#keys = new Map(trusted)
  }

  get size(): number {
    return this.#keys.size
  }

  get retired(): number {
    return this.#retired.size
  }

  get added(): number {
    return this.#added.size
  }

  /** The public keys that were added, by their thumbprints. */
  get addedKeys(): ReadonlyMap<string, Jwk> {
    return this.#added
  }

  find(kid: string): TrustedKey | undefined {
    return this.#keys.get(kid)
  }

  /** Which receipt retired this key, if one came before this place. */
  retiredBy(kid: string): string | undefined {
    return this.#retired.get(kid)
  }

  /**
   * Takes what a `key` receipt says, once its signature holds.
   *
   * @param by thumbprint of the key that signed it
   * @param id of the receipt
   * @throws HoldpointError ERR_FORMAT or ERR_KEY when it does not hold
   */
  async take(claims: KeyClaims, by: string, id: string): Promise<string> {
    if (claims.act === 'add') {
      const key = await provenKey(claims, by)
      this.#keys.set(key.kid, this.#keys.get(key.kid) ?? key)
      this.#added.set(key.kid, claims.key)
      return `the key ${key.kid} was added by ${by}`
    }
    // INVARIANT I6: whoever took a key cannot end its time with the key itself, and so not choose where that ends.
    if (claims.kid === by) throw new Error('the key receipt retires the key that signed it; another one has to')
    if (!this.#retired.has(claims.kid)) this.#retired.set(claims.kid, id)
    return `the key ${claims.kid} was retired by ${by}`
  }
}
