import { generateKeyPairSync } from 'node:crypto'
import { encodeBase64url } from '../../src/bytes/base64url.ts'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { sha256, sha256Bytes } from '../../src/bytes/digest.ts'
import { GrowingTree } from '../../src/log/growing-tree.ts'
import { leafHash } from '../../src/log/merkle.ts'
import { writeNote } from '../../src/log/note.ts'
import { writeVerifierKey } from '../../src/log/verifier-key.ts'
import type { ReceiptClaims } from '../../src/receipt/claims.ts'
import { KEY_TYP, keyProofPayload } from '../../src/receipt/key-proof.ts'
import { createSigner, sealReceipt } from '../../src/receipt/sign.ts'
import type { Receipt, Signer } from '../../src/types.ts'
import { type BundleContent, bundleLines } from '../../src/verify.ts'
import { checkpointText, type NoteSigner, noteSigner } from './log-keys.ts'
import { NaiveTree } from './naive-tree.ts'
import { collect, decisionDraft, openDraft, outcomeDraft } from './receipt-drafts.ts'

export const ORIGIN = 'holdpoint/shop'

/** A gate's key, and how it speaks for itself when another brings it in. */
export function gateKey(): Signer {
  return createSigner(generateKeyPairSync('ed25519').privateKey)
}

/** One gate process: receipts at the next place of its chain, signed as they are given. */
export class Process {
  readonly signer: Signer
  readonly stream: string
  #seq = 0
  #prev: string | undefined

  constructor(signer: Signer, name: string) {
    this.signer = signer
    this.stream = encodeBase64url(sha256Bytes(name).subarray(0, 16))
  }

  get next(): { readonly stream: string; readonly seq: number } {
    return { stream: this.stream, seq: this.#seq }
  }

  write(claims: object): Receipt {
    const seq = this.#seq
    const whole = { v: 1, iss: 'shop', stream: this.stream, seq, ts: 1_700_000_000_000 + seq, mono: seq, ...claims }
    const receipt = sealReceipt(this.signer, {
      ...whole,
      ...(this.#prev === undefined ? {} : { prev: this.#prev }),
    } as unknown as ReceiptClaims)
    this.#seq += 1
    this.#prev = receipt.hash
    return receipt
  }

  open(last?: Receipt): Receipt {
    const before = last === undefined ? {} : { last: { stream: last.stream, seq: last.seq, hash: last.hash } }
    return this.write({ ...openDraft, kid: this.signer.kid, ...before })
  }

  /** A permitted call: its decision, and its outcome. */
  call(key: string, changes: object = {}): readonly [Receipt, Receipt] {
    const decision = this.write({ ...decisionDraft({ call: sha256(key) }), ...changes })
    return [decision, this.write(outcomeDraft(decision.hash))]
  }

  seal(): Receipt {
    return this.write({ kind: 'seal', count: this.#seq, open_calls: 0, status: 'complete' })
  }

  /** This stream's key brings in another. */
  addKey(added: Signer, proof = keyProof(added, this)): Receipt {
    const { kid, alg: _, use: __, ...key } = added.publicJwk as Record<string, string>
    return this.write({ kind: 'key', act: 'add', key, kid, proof })
  }

  retireKey(kid: string): Receipt {
    return this.write({ kind: 'key', act: 'retire', kid })
  }
}

/** The new key's own word, for the next place of a process. */
export function keyProof(added: Signer, { signer, next }: Pick<Process, 'signer' | 'next'>, iss = 'shop'): string {
  const header = canonicalText({ alg: added.alg, kid: added.kid, typ: KEY_TYP })
  const payload = keyProofPayload({ iss, old: signer.kid, new: added.kid, ...next })
  const signed = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`
  return `${signed}.${Buffer.from(added.sign(Buffer.from(signed))).toString('base64url')}`
}

/** A log of receipts, kept by hand. */
export class HandMadeLog {
  readonly receipts: readonly Receipt[]
  readonly signer: NoteSigner
  readonly witnesses: readonly NoteSigner[]
  readonly origin: string

  constructor(
    receipts: readonly Receipt[],
    { signer, witnesses, origin = ORIGIN }: { signer: NoteSigner; witnesses: readonly NoteSigner[]; origin?: string },
  ) {
    this.receipts = receipts
    this.signer = signer
    this.witnesses = witnesses
    this.origin = origin
  }

  note(size = this.receipts.length, cosigned = true): string {
    const tree = new GrowingTree(sha256Bytes)
    for (const receipt of this.receipts.slice(0, size)) tree.append(leafOf(receipt))
    const text = checkpointText(this.origin, { size, root: tree.root() })
    const signers = cosigned ? [this.signer, ...this.witnesses] : [this.signer]
    return writeNote({ text, signatures: signers.map((one) => one.sign(text)) })
  }

  /** A bundle of everything, with an earlier checkpoint behind each of the sizes. */
  whole(earlier: readonly number[] = [], last = this.note()): Promise<string[]> {
    const content: BundleContent[] = []
    for (const [leaf, { jws }] of this.receipts.entries()) {
      content.push({ kind: 'receipt', jws, leaf })
      if (earlier.includes(leaf + 1)) content.push({ kind: 'checkpoint', note: this.note(leaf + 1) })
    }
    content.push({ kind: 'checkpoint', note: last })
    return lines(bundleLines({ origin: this.origin, scope: 'log', size: this.receipts.length }, content))
  }

  /** A bundle of some leaves, each with its proof, with proven earlier checkpoints. */
  part(leaves: readonly number[], earlier: readonly number[] = []): Promise<string[]> {
    const size = this.receipts.length
    const tree = new NaiveTree(size, new Map(this.receipts.map((receipt, leaf) => [BigInt(leaf), payloadOf(receipt)])))
    const content: BundleContent[] = leaves.map((leaf) => {
      const jws = this.receipts[leaf]?.jws ?? ''
      return { kind: 'receipt', jws, leaf, proof: tree.path(BigInt(leaf)) }
    })
    for (const from of earlier) {
      content.push({ kind: 'checkpoint', note: this.note(from), proof: tree.proof(0n, BigInt(from)) })
    }
    content.push({ kind: 'checkpoint', note: this.note() })
    return lines(bundleLines({ origin: this.origin, scope: 'part', size }, content))
  }

  /** What somebody who trusts this log writes down. */
  policy(quorum = this.witnesses.length): string {
    const witnesses = this.witnesses.map(({ key }, n) => `witness w${n} ${writeVerifierKey(key)}\n`).join('')
    const names = this.witnesses.map((_, n) => `w${n}`).join(' ')
    const asked = quorum === 0 ? 'quorum none\n' : `group all ${quorum} ${names}\nquorum all\n`
    return `log ${writeVerifierKey(this.signer.key)}\n${witnesses}${asked}`
  }
}

export function newLog(receipts: readonly Receipt[]): HandMadeLog {
  return new HandMadeLog(receipts, {
    signer: noteSigner(ORIGIN, 'ed25519'),
    witnesses: [noteSigner('w.example/a', 'cosignature'), noteSigner('w.example/b', 'cosignature')],
  })
}

/** Receipts that were never logged, as a bundle. */
export function unlogged(receipts: readonly Receipt[]): Promise<string[]> {
  const content = receipts.map(({ jws }): BundleContent => ({ kind: 'receipt', jws }))
  return lines(bundleLines({ origin: ORIGIN, scope: 'log', size: 0 }, content))
}

export function payloadOf({ jws }: Pick<Receipt, 'jws'>): Uint8Array {
  return new Uint8Array(Buffer.from(jws.split('.')[1] ?? '', 'base64url'))
}

export function leafOf(receipt: Pick<Receipt, 'jws'>): Uint8Array {
  return leafHash(sha256Bytes, payloadOf(receipt))
}

async function lines(of: AsyncIterable<string>): Promise<string[]> {
  return [...(await collect(of))]
}
