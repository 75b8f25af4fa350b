/** Bundles, version 1: what one JSON object a line says, how it is written, and how it is read. */
import { decodeBase64url } from '../bytes/base64url.ts'
import { utf8Length } from '../bytes/canonical.ts'
import { isObject } from '../bytes/json.ts'
import { parseStrict } from '../bytes/strict-json.ts'
import { HoldpointError } from '../errors.ts'
import { encodeBase64, readHash } from '../log/encoding.ts'
import type { Hash } from '../log/ports.ts'
import { isSize, MOST_PROOF_HASHES } from '../log/size.ts'
import type { Json } from '../types.ts'

/** The first line's `bundle`. Another version is another format: it is refused, and nothing of it is guessed. */
export const BUNDLE_FORMAT = 'holdpoint-bundle/1'
/** Longest line, in bytes of UTF-8, without its newline. */
export const MOST_LINE_BYTES = 128 * 1024

/** `log`: every leaf of the log up to `size`. `part`: some of them. */
export type BundleScope = 'log' | 'part'

/** Of which log the receipts are, and how far it had come. */
export interface BundleHead {
  readonly origin: string
  readonly scope: BundleScope
  /** Leaves of the tree that the last checkpoint is of; 0 where nothing was logged. */
  readonly size: number
}

/** One line. What is in it means nothing yet: nobody's signature has been looked at. */
export type BundlePart =
  | ({ readonly kind: 'head' } & BundleHead)
  | {
      readonly kind: 'receipt'
      readonly jws: string
      /** Absent exactly where nothing was logged. */
      readonly leaf?: number
      /** From the leaf's sibling up, in a bundle of some leaves. */
      readonly proof?: readonly Hash[]
    }
  | ({ readonly kind: 'opening' } & BundleOpening)
  | {
      readonly kind: 'checkpoint'
      /** The signed note, verbatim. */
      readonly note: string
      /** That the tree of the last checkpoint continues this one. */
      readonly proof?: readonly Hash[]
    }
  | ({ readonly kind: 'end' } & BundleCounts)

/**
 * What a receipt committed to: the request of a decision or the result of an outcome, with the salt; or the gate's signed word for
 * an answer that a decision rests on.
 */
export interface BundleOpening {
  /** Hash of the decision receipt; for a result, of the outcome receipt. */
  readonly receipt: string
  /** Empty for a statement, whose digest has none. */
  readonly salt: string
  readonly opens: 'request' | 'result' | 'statement'
  /** The canonical request, the result's text, or the statement as a compact JWS. */
  readonly text: string
}

/** How many of each came before the last line: what shows that a bundle is whole. */
export interface BundleCounts {
  readonly receipts: number
  readonly openings: number
  readonly checkpoints: number
}

const LINE_LIMITS = { maxDepth: 3, maxNodes: 128, maxBytes: MOST_LINE_BYTES }
const DIGEST = /^[A-Za-z0-9_-]{43}$/

/**
 * One part as its line, without the newline.
 *
 * @throws HoldpointError ERR_FORMAT for what would not read back: a request or result that makes the line longer than 128 KiB
 */
export function writeBundlePart(part: BundlePart): string {
  const text = JSON.stringify(membersOf(part))
  readBundlePart(text)
  return text
}

/**
 * UNTRUSTED: reads one line, strictly: a member that does not belong, is missing, or is given twice is refused.
 *
 * @throws HoldpointError ERR_FORMAT; `because` says what the line has or lacks
 */
export function readBundlePart(line: string): BundlePart {
  if (line.length > MOST_LINE_BYTES || utf8Length(line) > MOST_LINE_BYTES) {
    throw wrong(`is longer than ${MOST_LINE_BYTES / 1024} KiB`)
  }
  const value = parsed(line)
  if (!isObject(value)) throw wrong('is not a JSON object')
  const members = new Map<string, Json>(Object.entries(value))
  if (members.has('bundle')) return readHead(members)
  if (members.has('receipt')) return readReceiptLine(members)
  if (members.has('opening')) return readOpening(members)
  if (members.has('checkpoint')) return readCheckpointLine(members)
  if (members.has('end')) return readEnd(members)
  throw wrong('is none of bundle, receipt, opening, checkpoint and end')
}

function membersOf(part: BundlePart): unknown {
  switch (part.kind) {
    case 'head':
      return { bundle: BUNDLE_FORMAT, origin: part.origin, scope: part.scope, size: part.size }
    case 'receipt':
      return { receipt: part.jws, leaf: part.leaf, proof: part.proof?.map(encodeBase64) }
    case 'opening':
      if (part.opens === 'statement') return { opening: { receipt: part.receipt, statement: part.text } }
      return { opening: { receipt: part.receipt, salt: part.salt, [part.opens]: part.text } }
    case 'checkpoint':
      return { checkpoint: part.note, proof: part.proof?.map(encodeBase64) }
    case 'end':
      return { end: { receipts: part.receipts, openings: part.openings, checkpoints: part.checkpoints } }
  }
}

type Members = ReadonlyMap<string, Json>

function readHead(members: Members): BundlePart {
  only(members, ['bundle', 'origin', 'scope', 'size'])
  const format = members.get('bundle')
  if (format !== BUNDLE_FORMAT) {
    throw wrong(`is of the format ${JSON.stringify(format)}, and this reads ${BUNDLE_FORMAT}`)
  }
  const scope = members.get('scope')
  if (scope !== 'log' && scope !== 'part') throw wrong('has a scope that is neither "log" nor "part"')
  return { kind: 'head', origin: textIn(members, 'origin'), scope, size: sizeIn(members, 'size') }
}

function readReceiptLine(members: Members): BundlePart {
  only(members, ['receipt', 'leaf', 'proof'])
  const jws = textIn(members, 'receipt')
  const leaf = members.has('leaf') ? { leaf: sizeIn(members, 'leaf') } : {}
  return { kind: 'receipt', jws, ...leaf, ...proofIn(members) }
}

function readOpening(members: Members): BundlePart {
  only(members, ['opening'])
  const value = members.get('opening')
  if (!isObject(value)) throw wrong('has an opening that is not an object')
  const inner = new Map<string, Json>(Object.entries(value))
  const receipt = textIn(inner, 'receipt')
  if (!isDigest(receipt)) throw wrong('has an opening of something that is no hash')
  if (inner.has('statement')) {
    only(inner, ['receipt', 'statement'])
    return { kind: 'opening', receipt, salt: '', opens: 'statement', text: textIn(inner, 'statement') }
  }
  const opens = inner.has('request') ? 'request' : 'result'
  only(inner, ['receipt', 'salt', opens])
  return { kind: 'opening', receipt, salt: textIn(inner, 'salt'), opens, text: textIn(inner, opens) }
}

function readCheckpointLine(members: Members): BundlePart {
  only(members, ['checkpoint', 'proof'])
  return { kind: 'checkpoint', note: textIn(members, 'checkpoint'), ...proofIn(members) }
}

function readEnd(members: Members): BundlePart {
  only(members, ['end'])
  const value = members.get('end')
  if (!isObject(value)) throw wrong('has an end that is not an object')
  const inner = new Map<string, Json>(Object.entries(value))
  only(inner, ['receipts', 'openings', 'checkpoints'])
  return {
    kind: 'end',
    receipts: sizeIn(inner, 'receipts'),
    openings: sizeIn(inner, 'openings'),
    checkpoints: sizeIn(inner, 'checkpoints'),
  }
}

function parsed(line: string): Json {
  try {
    return parseStrict(line, LINE_LIMITS)
  } catch (cause) {
    if (!(cause instanceof HoldpointError)) throw cause
    throw wrong(`is not strict JSON: ${cause.message}`, cause)
  }
}

function only(members: Members, known: readonly string[]): void {
  const stranger = [...members.keys()].find((name) => !known.includes(name))
  if (stranger !== undefined)
    throw wrong(`has the member ${JSON.stringify(stranger.slice(0, 64))}, which does not belong`)
}

function textIn(members: Members, name: string): string {
  const value = members.get(name)
  if (typeof value !== 'string') throw wrong(`has no text "${name}"`)
  return value
}

function sizeIn(members: Members, name: string): number {
  const value = members.get(name)
  if (typeof value !== 'number' || !isSize(value)) throw wrong(`has no number "${name}" from 0 to 2^53 - 1`)
  return value
}

function proofIn(members: Members): { readonly proof?: readonly Hash[] } {
  if (!members.has('proof')) return {}
  const value = members.get('proof')
  if (!Array.isArray(value) || value.length > MOST_PROOF_HASHES) {
    throw wrong(`has a proof that is not a list of at most ${MOST_PROOF_HASHES} hashes`)
  }
  const proof = value.map((hash: unknown) => (typeof hash === 'string' ? readHash(hash) : undefined))
  if (!proof.every((hash) => hash !== undefined)) throw wrong('has a hash in its proof that is not 32 bytes in base64')
  return { proof }
}

function isDigest(text: string): boolean {
  if (!DIGEST.test(text)) return false
  try {
    return decodeBase64url(text).length === 32
  } catch {
    return false
  }
}

function wrong(because: string, cause?: unknown): HoldpointError {
  return new HoldpointError('ERR_FORMAT', `the line ${because}`, { because, cause })
}
