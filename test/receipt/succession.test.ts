import { describe, expect, it } from 'vitest'
import type { KeyClaims, KeyDraft } from '../../src/receipt/claims.ts'
import { keyProofPayload, provenKey } from '../../src/receipt/key-proof.ts'
import { Keyring } from '../../src/receipt/keyring.ts'
import { importTrustedKeys } from '../../src/receipt/keys.ts'
import { keyAddition, keyRetirement } from '../../src/receipt/succession.ts'
import type { JsonObject, Signer } from '../../src/types.ts'
import { gateKey } from '../support/bundles.ts'

const [old, fresh, third] = [gateKey(), gateKey(), gateKey()]
const place = { iss: 'shop', stream: 'AAAAAAAAAAAAAAAAAAAAAA', seq: 4, kid: old.kid }

type Addition = Extract<KeyClaims, { act: 'add' }>

/** A `key` receipt's claims at that place. */
function claimed(draft: KeyDraft): KeyClaims {
  const { kid: _, ...at } = place
  return { v: 1, ts: 1_700_000_000_000, mono: 1, prev: old.kid, ...at, ...draft } as unknown as KeyClaims
}

function addition(by: Signer = fresh): Addition {
  return claimed(keyAddition(place, by)) as Addition
}

async function keyring(...keys: readonly Signer[]): Promise<Keyring> {
  return new Keyring(await importTrustedKeys(keys.map(({ publicJwk }) => publicJwk)))
}

describe('a key that comes after another', () => {
  it('speaks for itself at the one place of the one stream where the old one names it', async () => {
    expect(await provenKey(addition(), old.kid)).toMatchObject({ kid: fresh.kid, alg: 'Ed25519' })
  })

  it('is named by the members that make its thumbprint, and by nothing else of its JWK', () => {
    const { kid: _, ...loud } = { ...fresh.publicJwk, d: 'secret', x5u: 'https://example.com', kid: 'mine' }
    const said = keyAddition(place, { ...fresh, publicJwk: loud as JsonObject })
    expect(said).toMatchObject({ key: { kty: 'OKP', crv: 'Ed25519', x: fresh.publicJwk['x'] } })
    expect(Object.keys((said as Addition).key).sort()).toEqual(['crv', 'kty', 'x'])
    expect(() => keyAddition(place, { ...fresh, publicJwk: { kty: 'RSA' } })).toThrow(/must be Ed25519 or P-256/)
  })

  it.each([
    ['another issuer', { iss: 'bank' }],
    ['another stream', { stream: 'BBBBBBBBBBBBBBBBBBBBBB' }],
    ['another place of its stream', { seq: 5 }],
  ])('is not believed at %s: its word cannot be carried there', async (_, elsewhere) => {
    await expect(provenKey({ ...addition(), ...elsewhere }, old.kid)).rejects.toThrow(/another place or another pair/)
  })

  it('is not believed as the successor of another key', async () => {
    await expect(provenKey(addition(), third.kid)).rejects.toThrow(/another place or another pair/)
  })

  it('is not believed under a name that is not its own', async () => {
    await expect(provenKey({ ...addition(), kid: third.kid }, old.kid)).rejects.toThrow(/another thumbprint/)
  })

  it('is not believed on the word of a third key', async () => {
    const { proof } = addition(third)
    await expect(provenKey({ ...addition(), proof }, old.kid)).rejects.toThrow(/proof by another key/)
  })

  it('is not believed on a word that it did not sign', async () => {
    const liar: Signer = { ...fresh, sign: (bytes) => third.sign(bytes) }
    await expect(provenKey(addition(liar), old.kid)).rejects.toThrow(/did not sign/)
  })

  it('is not the key that is there already, by whichever side', async () => {
    expect(() => keyAddition(place, old)).toThrow(/signs already/)
    const signed = { ...place, kid: fresh.kid }
    await expect(provenKey(claimed(keyAddition(signed, old)) as Addition, old.kid)).rejects.toThrow(/adds the key/)
  })

  it('says what the page for verifiers says, byte for byte', () => {
    expect(keyProofPayload({ iss: 'shop', old: 'o', new: 'n', stream: 's', seq: 4 })).toBe(
      '{"iss":"shop","new":"n","old":"o","seq":4,"stream":"s","v":1}',
    )
  })
})

describe('a keyring', () => {
  it('believes a key from the receipt on that brings it, and none whose word does not hold', async () => {
    const ring = await keyring(old)
    await expect(ring.take({ ...addition(), seq: 9 }, old.kid, 'r_1')).rejects.toThrow(/another place/)
    expect([ring.find(fresh.kid), ring.size, ring.added]).toEqual([undefined, 1, 0])
    await ring.take(addition(), old.kid, 'r_2')
    expect([ring.find(fresh.kid)?.kid, ring.size, ring.added]).toEqual([fresh.kid, 2, 1])
  })

  it('counts a key once that is brought twice, as by a rotation that was cut off and run again', async () => {
    const ring = await keyring(old)
    await ring.take(addition(), old.kid, 'r_1')
    await ring.take(addition(), old.kid, 'r_2')
    expect([ring.size, ring.added]).toEqual([2, 1])
  })

  it('ends the time of a key at the first receipt that says so, for good', async () => {
    const ring = await keyring(old, fresh, third)
    const retire = claimed(keyRetirement({ ...place, kid: fresh.kid }, old.kid))
    await ring.take(retire, fresh.kid, 'r_1')
    await ring.take(retire, third.kid, 'r_2')
    await ring.take(claimed(keyAddition({ ...place, kid: fresh.kid }, old)), fresh.kid, 'r_3')
    expect([ring.retiredBy(old.kid), ring.retired, ring.retiredBy(fresh.kid)]).toEqual(['r_1', 1, undefined])
  })

  it('lets no key end its own time: whoever stole it would choose where', async () => {
    const ring = await keyring(old)
    const suicide = claimed({ kind: 'key', act: 'retire', kid: old.kid })
    await expect(ring.take(suicide, old.kid, 'r_1')).rejects.toThrow(/another one has to/)
    expect(ring.retiredBy(old.kid)).toBeUndefined()
    expect(() => keyRetirement(place, old.kid)).toThrow(/rotate first/)
  })
})
