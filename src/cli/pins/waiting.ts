/** What of a server's tools waits for a person. */
import { canonicalText } from '../../bytes/canonical.ts'
import { sha256Bytes } from '../../bytes/digest.ts'
import { Contracts } from '../../call/contract.ts'
import { quarantineOf } from '../../call/pins.ts'
import { classify } from '../../materiality/classify.ts'
import { type PinFolder, pinFolder } from '../../store/pin-files.ts'
import type { Materiality, OperatorWord, Pin, PinRecord, Quarantine, ToolDefinition } from '../../types.ts'
import type { Situation } from '../context.ts'
import { UnusableInput } from '../exit.ts'

/** Enough of a digest, in hexadecimal digits, that nobody makes another listing with the same. */
const REVIEWED_LENGTH = 24

/** What a wrong call of a tool can do, as the gate judges it without arguments. */
export interface Tier {
  readonly materiality: Materiality
  readonly because: string
}

/** One tool that is refused until somebody accepts it. */
export interface Waiting {
  readonly tool: string
  readonly kind: Quarantine
  /** What is pinned of it; absent where it is new. */
  readonly pinned?: Pin & { readonly tier: Tier }
  readonly seen: Pin & { readonly tier: Tier }
  /** When it was seen so, ms since epoch. */
  readonly seenAt: number
}

/** A server's pins and what waits there, as they stood when they were read. */
export interface Review {
  readonly server: string
  readonly record: PinRecord
  /** The pins' stamp before they were read. */
  readonly stamp: string
  /** By name, sorted. */
  readonly waiting: readonly Waiting[]
}

export function pinsHere({ places }: Situation): PinFolder {
  return pinFolder(places.pins)
}

/**
 * @throws UnusableInput when nothing is pinned of the server
 * @throws HoldpointError ERR_PINS
 */
export function reviewOf(situation: Situation, server: string): Review {
  const pins = pinsHere(situation)
  const stamp = pins.stamp(server)
  const record = pins.read(server)
  if (stamp === undefined || record === undefined) throw new UnusableInput(`nothing is pinned of ${server} here`)
  const words = situation.config.words
  const seen = pins.seen(server)
  const waiting = [...(seen?.tools ?? [])].flatMap(([tool, pin]): readonly Waiting[] => {
    // What was accepted since it was seen waits no longer.
    const kind = quarantineOf(record, tool, pin.digest)
    if (seen === undefined || kind === undefined) return []
    const known = record.tools.get(tool)
    const before = known === undefined ? {} : { pinned: { ...known, tier: tierOf(server, known.definition, words) } }
    const now = { ...pin, tier: tierOf(server, pin.definition, words) }
    return [{ tool, kind, ...before, seen: now, seenAt: seen.recordedAt }]
  })
  return { server, record, stamp, waiting: waiting.sort((one, other) => (one.tool < other.tool ? -1 : 1)) }
}

/** What `accept --reviewed` is given: it is another as soon as one of these tools is listed otherwise. */
export function reviewedDigest(waiting: readonly Waiting[]): string {
  const digest = sha256Bytes(canonicalText(waiting.map(({ tool, seen }) => [tool, seen.digest])))
  return Buffer.from(digest).toString('hex').slice(0, REVIEWED_LENGTH)
}

function tierOf(server: string, definition: ToolDefinition, words: ReadonlyMap<string, OperatorWord>): Tier {
  const word = words.get(`${server}/${definition.name}`)
  const said = new Map(word === undefined ? [] : [[definition.name, word]])
  const [contract] = new Contracts().register(server, [definition], said)
  if (contract === undefined) return { materiality: 'high', because: 'the gate does not take this tool' }
  const { materiality, evidence } = classify(contract, {})
  const reasons = evidence.filter(({ argues }) => argues === materiality).map(({ because }) => because)
  return { materiality, because: [...new Set(reasons)].join('; ') }
}
