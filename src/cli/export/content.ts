/** Reads out of a store and its log what a bundle holds. */
import { canonicalText } from '../../bytes/canonical.ts'
import { counted } from '../../bytes/counted.ts'
import { sha256Bytes } from '../../bytes/digest.ts'
import type { Hash } from '../../log/ports.ts'
import type { OutcomeClaims, ReceiptClaims } from '../../receipt/claims.ts'
import { type Opening, openRequest, openResult } from '../../receipt/opening.ts'
import { readReceipt } from '../../receipt/read.ts'
import { statementBytes } from '../../receipt/statement.ts'
import type { LogReader } from '../../store/log-reader.ts'
import type { StoreReader } from '../../store/sqlite-reader.ts'
import type { Sidecar } from '../../types.ts'
import { type BundleContent, type BundleOpening, fitsBundle } from '../../verify.ts'
import { AnswerIsNo, UnusableInput } from '../exit.ts'

/** Receipts that are in memory at once, with the requests beside them. */
const AT_ONCE = 64
const LEAF = Uint8Array.of(0)

/** A checkpoint of this log. */
export interface HeldCheckpoint {
  readonly note: string
  readonly size: number
}

/** What is to be exported. */
export interface ContentTerms {
  readonly log: LogReader
  readonly store: StoreReader
  readonly head: HeldCheckpoint
  /** Hashes of the receipts; all of the log where it is absent. */
  readonly wanted: ReadonlySet<string> | undefined
  /** Are requests to be opened? */
  readonly open: boolean
  /** Texts of results, by the id of their outcome receipt. */
  readonly results: ReadonlyMap<string, string>
  /** Smaller checkpoints, each to be shown to lead to this one. */
  readonly held: readonly HeldCheckpoint[]
}

/** What went in, and what did not. */
export interface Tally {
  receipts: number
  requests: number
  results: number
  /** Requests that were not kept, or were erased. */
  gone: number
  /** Requests that are longer than a line may be. */
  long: number
  /** Wanted receipts that have no leaf yet. */
  unlogged: number
}

interface Leaf {
  readonly leaf: number
  readonly hash: string
}

/**
 * A bundle's content in its order: receipts by leaf, each opening behind its receipt, earlier checkpoints with their proofs, the
 * head's checkpoint.
 *
 * @param tally counts along
 * @throws UnusableInput where a text is not the result that it is said to be
 * @throws AnswerIsNo where a receipt of the log is not in the store
 */
export async function* contentOf(terms: ContentTerms, tally: Tally): AsyncGenerator<BundleContent> {
  const { log, head, wanted, held, results } = terms
  const unused = new Set(results.keys())
  for await (const leaves of batchesOf(wanted === undefined ? allLeaves(terms) : wantedLeaves(terms, wanted, tally))) {
    const kept = new Map((await terms.store.kept(leaves.map(({ hash }) => hash))).map((one) => [one.receipt.hash, one]))
    for (const { leaf, hash } of leaves) {
      const one = kept.get(hash)
      if (one === undefined) {
        throw new AnswerIsNo(
          `leaf ${leaf} of the log is of a receipt that is not in the store: it was dropped, or the store is an old copy`,
        )
      }
      tally.receipts += 1
      const proof = wanted === undefined ? {} : { proof: await log.proveInclusion(leaf, head.size) }
      yield { kind: 'receipt', jws: one.receipt.jws, leaf, ...proof }
      const text = results.get(one.receipt.id)
      unused.delete(one.receipt.id)
      const claims = readReceipt(one.receipt.jws)
      for (const statement of await statementsOf(terms, claims))
        yield { kind: 'opening', receipt: hash, opens: 'statement', salt: '', text: statement }
      if (!terms.open && text === undefined) continue
      const opening = terms.open ? requestOf(claims, one.sidecar, tally) : undefined
      if (opening !== undefined) yield { kind: 'opening', receipt: hash, opens: 'request', ...opening }
      if (text === undefined) continue
      tally.results += 1
      yield { kind: 'opening', receipt: hash, opens: 'result', ...(await resultOf(terms, claims, text)) }
    }
  }
  const [stray] = unused
  if (stray !== undefined) throw new UnusableInput(`${stray} is not among the receipts that are exported`)
  for (const { note, size } of held) yield { kind: 'checkpoint', note, proof: await provenFrom(terms, size) }
  yield { kind: 'checkpoint', note: head.note }
}

/** Every leaf of the log, in order. */
async function* allLeaves({ log, head }: ContentTerms): AsyncGenerator<Leaf> {
  let leaf = 0
  for await (const payload of log.entries(head.size)) {
    const hash = Buffer.from(sha256Bytes(Buffer.concat([LEAF, payload]))).toString('base64url')
    yield { leaf, hash }
    leaf += 1
  }
}

async function* wantedLeaves({ log, head }: ContentTerms, wanted: ReadonlySet<string>, tally: Tally) {
  const leaves = await log.leavesOf(wanted, head.size)
  tally.unlogged = wanted.size - leaves.size
  yield* [...leaves].map(([hash, leaf]): Leaf => ({ leaf, hash })).sort((a, b) => a.leaf - b.leaf)
}

async function* batchesOf(leaves: AsyncIterable<Leaf>): AsyncGenerator<readonly Leaf[]> {
  let batch: Leaf[] = []
  for await (const leaf of leaves) {
    batch.push(leaf)
    if (batch.length < AT_ONCE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function requestOf(claims: ReceiptClaims, kept: Sidecar | undefined, tally: Tally): Opening | undefined {
  if (claims.kind !== 'decision' || claims.request === undefined) return undefined
  const opening = kept === undefined ? undefined : openRequest(claims, kept)
  if (opening === undefined) {
    tally.gone += 1
    return undefined
  }
  const part: BundleOpening = { receipt: claims.request, opens: 'request', ...opening }
  if (fitsBundle(part)) {
    tally.requests += 1
    return opening
  }
  tally.long += 1
  return undefined
}

/** The gate's signed words for the answers that a decision rests on: no secret of the call is in them. */
async function statementsOf({ store }: ContentTerms, claims: ReceiptClaims): Promise<readonly string[]> {
  if (claims.kind !== 'decision' || claims.approval === undefined || !('answers' in claims.approval)) return []
  const { ref, answers } = claims.approval
  const named = new Set(answers.map(({ statement }) => statement))
  const said = (await store.get(ref))?.answers ?? []
  return said.flatMap(({ statement }) => (named.has(statementDigest(statement)) ? [statement] : []))
}

function statementDigest(statement: string): string {
  return Buffer.from(sha256Bytes(statementBytes(statement))).toString('base64url')
}

async function resultOf({ store }: ContentTerms, claims: ReceiptClaims, text: string): Promise<Opening> {
  if (claims.kind !== 'outcome') throw new UnusableInput(`a ${claims.kind} receipt has no result: name an outcome`)
  const [decision] = await store.kept([claims.decision])
  const kept = decision?.sidecar
  if (kept === undefined)
    throw new UnusableInput('the salt of that result is not kept, or was erased: nobody can open it')
  const opening = readings(text).flatMap((reading) => openResult(claims, kept, reading) ?? [])[0]
  if (opening === undefined) throw new UnusableInput(notTheResult(claims))
  return opening
}

function notTheResult({ result }: OutcomeClaims): string {
  const size = result === undefined ? '' : `, whose canonical JSON has ${counted(result.bytes, 'byte')}`
  return `the text is not the result that the tool gave${size}`
}

/** What a file may hold of a result: its committed text, the same JSON written otherwise, or a text that was the result itself. */
function readings(text: string): readonly string[] {
  const all = [text, text.trimEnd()]
  return [...all, ...all.flatMap(asJson), ...all.map((each) => JSON.stringify(each))]
}

function asJson(text: string): readonly string[] {
  try {
    return [canonicalText(JSON.parse(text))]
  } catch {
    return []
  }
}

async function provenFrom({ log, head }: ContentTerms, size: number): Promise<readonly Hash[]> {
  return await log.proveConsistency(size, head.size)
}
