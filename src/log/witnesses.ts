/** Having a log's checkpoints seen by witnesses: whom to ask, from where to prove, and what their answers are worth. */

import { type NoteSignature, readNote, writeNote } from './note.ts'
import { openNote } from './open-note.ts'
import type { Hash, VerifyEd25519 } from './ports.ts'
import type { SignedHead } from './sequencer.ts'
import type { VerifierKey } from './verifier-key.ts'
import { isQuorum, type KnownParty, type WitnessPolicy } from './witness-policy.ts'
import { writeAddCheckpoint } from './witness-request.ts'

/** UNTRUSTED: what a witness answered, read but not verified. */
export type WitnessAnswer =
  /** Lines for the checkpoint's end. */
  | { readonly kind: 'cosigned'; readonly lines: readonly NoteSignature[] }
  /** Its last checkpoint of this log is of another size than the request said. */
  | { readonly kind: 'elsewhere'; readonly size: number }
  /** The proof does not lead from its last checkpoint to this one. */
  | { readonly kind: 'contradicted' }
  /** It does not know this log, or not this key. `why` is for the operator. */
  | { readonly kind: 'stranger'; readonly why: string }
  /** No answer, or none that counts. */
  | { readonly kind: 'unavailable'; readonly why: string }

/** Sends the body of an `add-checkpoint` to a witness (C2SP tlog-witness). Never rejects, and answers within a bound. */
export type AskWitness = (witness: KnownParty, body: string) => Promise<WitnessAnswer>

/** What became of asking one witness. */
export interface WitnessReport {
  readonly name: string
  readonly result: 'cosigned' | 'contradicted' | 'stranger' | 'unavailable'
  readonly why?: string
}

/** What became of asking them all. */
export interface WitnessRound {
  /** The head's note, with every cosignature that is known now. */
  readonly note: string
  readonly reports: readonly WitnessReport[]
  readonly quorum: 'met' | 'missed'
  /** Who has not cosigned, and why: for the operator. Empty when all have. */
  readonly missing: string
  /** Set when so many know another log that the others are no quorum: what they say. */
  readonly contradiction?: string
}

/** Makes the proof from a smaller tree to the head. */
export type ProveFrom = (size: number) => Promise<readonly Hash[]>

/** What is remembered of a witness while the log is kept. */
interface Standing {
  /** The last size that it said, or cosigned. */
  size: number
  /** Answers in a row that were none. */
  failures: number
  /** Not to be asked before, ms; until then this answer stands. */
  pauseUntil: number
  last: WitnessAnswer
}

const LONGEST_PAUSE_MS = 60_000
const FIRST_PAUSE_MS = 1_000

/** The witnesses of one log, and what they were last heard to say. */
export class Witnesses {
  readonly #policy: WitnessPolicy
  readonly #ask: AskWitness
  readonly #verifyEd25519: VerifyEd25519
  /** Ms, monotonic. */
  readonly #monotonic: () => number
  readonly #standing = new Map<VerifierKey, Standing>()

  constructor(parts: {
    readonly policy: WitnessPolicy
    readonly ask: AskWitness
    readonly verifyEd25519: VerifyEd25519
    readonly monotonic: () => number
  }) {
    this.#policy = parts.policy
    this.#ask = parts.ask
    this.#verifyEd25519 = parts.verifyEd25519
    this.#monotonic = parts.monotonic
  }

  /**
   * Asks every witness that has not cosigned this head yet; with `again` the others too, whether they still stand by it.
   * One that failed is left alone for a while.
   */
  async ask(head: SignedHead, prove: ProveFrom, which: 'missing' | 'again' = 'missing'): Promise<WitnessRound> {
    const note = readNote(head.note)
    const before = await openNote(note, this.#keys(), this.#verifyEd25519)
    const cosigned = new Set(before.kind === 'verified' ? before.by.map(({ key }) => key) : [])
    const lines: NoteSignature[] = []
    const heard = new Set(which === 'again' ? [] : cosigned)
    const reports = await Promise.all(
      this.#policy.witnesses.map(async (witness): Promise<WitnessReport & { readonly key: VerifierKey }> => {
        const { key } = witness
        if (heard.has(key)) return { key, name: key.name, result: 'cosigned' }
        const said = await this.#askOne(witness, head, prove)
        const answer = head.size === 0 ? aboutNothing(said) : said
        if (answer.kind === 'cosigned') {
          if (!cosigned.has(key)) lines.push(...answer.lines)
          heard.add(key)
        }
        return { key, name: key.name, ...reportOf(answer, head.size) }
      }),
    )
    const against = new Set(reports.filter(({ result }) => result === 'contradicted').map(({ key }) => key))
    const missing = reports
      .filter(({ result }) => result !== 'cosigned')
      .map(({ name, why }) => `${name} ${why ?? ''}`.trim())
      .join('; ')
    return {
      note: lines.length === 0 ? head.note : writeNote({ ...note, signatures: [...note.signatures, ...lines] }),
      reports: reports.map(({ key: _, ...report }) => report),
      quorum: isQuorum(this.#policy.quorum, (key) => heard.has(key)) ? 'met' : 'missed',
      missing,
      ...(this.#outweighs(against) ? { contradiction: missing } : {}),
    }
  }

  /**
   * UNTRUSTED: one witness of several may lie about what it has seen, and must not be able to stop a log that a quorum of the
   * others still vouches for. Where no quorum is asked for, one is enough.
   */
  #outweighs(against: ReadonlySet<VerifierKey>): boolean {
    if (against.size === 0) return false
    const { quorum } = this.#policy
    return quorum.kind === 'none' || !isQuorum(quorum, (key) => !against.has(key))
  }

  async #askOne(witness: KnownParty, head: SignedHead, prove: ProveFrom): Promise<WitnessAnswer> {
    const standing = this.#standing.get(witness.key) ?? newcomer()
    this.#standing.set(witness.key, standing)
    if (this.#monotonic() < standing.pauseUntil) return standing.last
    let answer = await this.#send(witness, head, standing.size, prove)
    // It knows better where it is; once, or two liars could keep us talking.
    if (answer.kind === 'elsewhere' && answer.size <= head.size && answer.size !== standing.size) {
      standing.size = answer.size
      answer = await this.#send(witness, head, answer.size, prove)
    }
    const judged = await this.#verified(witness, head, answer)
    if (judged.kind === 'cosigned') standing.size = head.size
    const isSilent = judged.kind === 'unavailable' || judged.kind === 'stranger'
    standing.failures = isSilent ? standing.failures + 1 : 0
    standing.last = judged
    standing.pauseUntil = isSilent ? this.#monotonic() + pauseAfter(standing.failures) : 0
    return judged
  }

  async #send(witness: KnownParty, head: SignedHead, from: number, prove: ProveFrom): Promise<WitnessAnswer> {
    // The log's own signature alone: a witness takes no interest in the others.
    const { text, signatures } = readNote(head.note)
    const checkpoint = writeNote({ text, signatures: signatures.slice(0, 1) })
    const body = writeAddCheckpoint({ oldSize: from, proof: await prove(from), checkpoint })
    return this.#ask(witness, body)
  }

  /** Of what a witness answered, only lines of its own key on this very checkpoint are kept. */
  async #verified({ key }: KnownParty, head: SignedHead, answer: WitnessAnswer): Promise<WitnessAnswer> {
    if (answer.kind !== 'cosigned') return answer
    const { text } = readNote(head.note)
    const [line] = answer.lines.filter(({ name, id }) => name === key.name && id === key.id)
    if (line === undefined) return { kind: 'unavailable', why: 'answered without a line of its own key' }
    const opened = await openNote({ text, signatures: [line] }, [key], this.#verifyEd25519)
    if (opened.kind === 'verified') return { kind: 'cosigned', lines: [line] }
    return { kind: 'unavailable', why: 'answered with a cosignature that does not hold' }
  }

  #keys(): readonly VerifierKey[] {
    return this.#policy.witnesses.map(({ key }) => key)
  }
}

function reportOf(answer: WitnessAnswer, size: number): Pick<WitnessReport, 'result' | 'why'> {
  switch (answer.kind) {
    case 'cosigned':
      return { result: 'cosigned' }
    case 'elsewhere':
      if (answer.size <= size) return { result: 'unavailable', why: 'does not say where it is' }
      return {
        result: 'contradicted',
        why: `has seen ${answer.size} leaves of this log, and here are ${size}: it was restored from an old copy, or goes on elsewhere`,
      }
    case 'contradicted':
      return { result: 'contradicted', why: `has seen another log of this name: ${size} leaves do not continue it` }
    case 'stranger':
    case 'unavailable':
      return { result: answer.kind, why: answer.why }
  }
}

/** Of a log that has not begun, a witness that has seen nothing may say so in any way; only a size speaks against it. */
function aboutNothing(answer: WitnessAnswer): WitnessAnswer {
  const hasSeenNothing = answer.kind === 'stranger' || answer.kind === 'contradicted'
  return hasSeenNothing ? { kind: 'cosigned', lines: [] } : answer
}

function newcomer(): Standing {
  return { size: 0, failures: 0, pauseUntil: 0, last: { kind: 'unavailable', why: 'was not asked' } }
}

function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 16))
}
