import { type Gate, type Refusal, renderAsReason } from '../../src/index.ts'
import { type CallRecord, type Journal, journalOf, partitionOf } from '../shared/journal.ts'
import { isRefusal } from '../shared/refusal-shape.ts'
import { forMajor6 } from './client-six.ts'
import { dataPart } from './data-part.ts'
import { approvalDescriptor, approvalIdFor, clientOf, denialIdOf, type Major, shownAs } from './presentation.ts'

/** What `holdpointStream` may be told. */
export interface StreamOptions {
  /** The major of the client that reads this stream, where it differs from the server's. */
  readonly client?: Major
}

/** A chunk of the UI message stream, as far as it is read here. */
interface Chunk {
  readonly type: string
  readonly toolCallId?: string
  readonly toolName?: string
  readonly approvalId?: string
  readonly signature?: string
  readonly output?: unknown
  readonly preliminary?: boolean
  readonly isAutomatic?: boolean
  readonly approved?: boolean
  readonly approvalDescriptor?: unknown
  readonly reason?: string
  readonly providerExecuted?: boolean
}

/**
 * Adds to a UI message stream what the gate did: refusals in the host's own words, and after each call a `data-holdpoint`
 * part with its receipts. Create it where the view's principal is acting.
 *
 * @example
 * result.toUIMessageStream().pipeThrough(holdpointStream(me))
 */
export function holdpointStream<CHUNK extends { readonly type: string }>(
  gate: Gate,
  options: StreamOptions = {},
): TransformStream<CHUNK, CHUNK> {
  const telling = new Telling(gate, options)
  return new TransformStream<CHUNK, CHUNK>({
    async transform(chunk, controller) {
      for (const told of await telling.tell(chunk)) controller.enqueue(told as CHUNK)
    },
  })
}

/** What one stream has seen so far. */
class Telling {
  readonly #gate: Gate
  readonly #journal: Journal
  /** Taken once: a stream is read outside the `actingAs` that it was made in. */
  readonly #partition: string
  #client: Major | undefined
  readonly #names = new Map<string, string>()
  /** Automatic approval requests that were kept from a major 6 client, and so must their answers be. */
  readonly #withheld = new Set<string>()

  constructor(gate: Gate, options: StreamOptions) {
    this.#gate = gate
    this.#journal = journalOf(gate)
    this.#partition = partitionOf(gate)
    this.#client = options.client
  }

  async tell(chunk: Chunk): Promise<readonly object[]> {
    const told = await this.#told(chunk)
    return this.#client === 6 ? told.flatMap(forMajor6) : told
  }

  async #told(chunk: Chunk): Promise<readonly Chunk[]> {
    const { toolCallId } = chunk
    if (toolCallId === undefined) return this.#isWithheld(chunk) ? [] : [chunk]
    if (chunk.toolName !== undefined) this.#names.set(toolCallId, chunk.toolName)
    const record = this.#journal.find(toolCallId, this.#partition) ?? (await this.#ungated(chunk, toolCallId))
    if (record === undefined) return this.#isAutomaticFor6(chunk) ? [] : [chunk]
    this.#client ??= clientOf(record)
    switch (chunk.type) {
      case 'tool-approval-request':
        return this.#request(chunk, record)
      case 'tool-output-denied':
        return [...this.#denied(chunk, record), dataPart(record)]
      case 'tool-output-error':
        return [chunk, dataPart(record)]
      case 'tool-output-available':
        return this.#output(chunk, record)
      default:
        return [chunk]
    }
  }

  #output(chunk: Chunk, record: CallRecord): readonly Chunk[] {
    const refused = record.refusal !== undefined && isRefusal(chunk.output) ? record.refusal : undefined
    if (refused === undefined) return chunk.preliminary === true ? [chunk] : [chunk, dataPart(record)]
    return chunk.preliminary === true ? [] : [...this.#refused(chunk, record, refused), dataPart(record)]
  }

  /** A refusal that came back as the tool's result becomes what the client shows as one. */
  #refused(chunk: Chunk, record: CallRecord, refusal: Refusal): readonly Chunk[] {
    const how = shownAs(record, 'returned', this.#client)
    if (how === 'result') return [chunk]
    if (how === 'error') return [errorChunk(record, refusal)]
    const approvalId = denialIdOf(record)
    return [
      {
        type: 'tool-approval-request',
        approvalId,
        toolCallId: record.callId,
        isAutomatic: true,
        approvalDescriptor: approvalDescriptor(refusal),
      },
      { type: 'tool-approval-response', approvalId, approved: false, reason: renderAsReason(refusal) },
      { type: 'tool-output-denied', toolCallId: record.callId },
    ]
  }

  #request(chunk: Chunk, record: CallRecord): readonly Chunk[] {
    const { refusal } = record
    if (refusal === undefined) return this.#isAutomaticFor6(chunk) ? [] : [chunk]
    if (chunk.isAutomatic === true && shownAs(record, 'denied', this.#client) === 'error') {
      this.#withheld.add(chunk.approvalId ?? '')
      return []
    }
    const told = { ...chunk, approvalDescriptor: approvalDescriptor(refusal) }
    if (chunk.isAutomatic === true) return [told]
    const approvalId = approvalIdFor(chunk.approvalId ?? '', chunk.signature, refusal)
    return [{ ...told, approvalId }, dataPart(record)]
  }

  #denied(chunk: Chunk, record: CallRecord): readonly Chunk[] {
    const { refusal } = record
    const isError = refusal !== undefined && shownAs(record, 'denied', this.#client) === 'error'
    return isError ? [errorChunk(record, refusal)] : [chunk]
  }

  /** Major 6 takes every request for a question to the person: one that was answered already must not become one. */
  #isAutomaticFor6(chunk: Chunk): boolean {
    return this.#client === 6 && chunk.type === 'tool-approval-request' && chunk.isAutomatic === true
  }

  #isWithheld(chunk: Chunk): boolean {
    return chunk.type === 'tool-approval-response' && this.#withheld.has(chunk.approvalId ?? '')
  }

  /** Provider-side calls of tools that nobody listed are seen here first, after they ran. */
  async #ungated(chunk: Chunk, toolCallId: string): Promise<CallRecord | undefined> {
    if (chunk.providerExecuted !== true || !/^tool-output-(available|error)$/.test(chunk.type)) return undefined
    const name = this.#names.get(toolCallId) ?? 'unknown'
    const receipt = await this.#gate.markUngated({ tool: name, callId: toolCallId }, 'runs on the provider')
    return this.#journal.noteUngated(toolCallId, name, receipt)
  }
}

function errorChunk(record: CallRecord, refusal: Refusal): Chunk & { readonly errorText: string } {
  return { type: 'tool-output-error', toolCallId: record.callId, errorText: renderAsReason(refusal) }
}
