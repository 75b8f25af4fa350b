import type { Gate, PermittedAdmission, Receipt, Refusal, ToolDefinition } from '../../src/index.ts'
import { serverOf } from './listing.ts'
import { isObject, type Message, readingsOf, resultsIn } from './message.ts'
import { Running } from './running.ts'
import { Turns } from './turns.ts'
import type { Upstream } from './upstream.ts'

const METHOD = 'sampling/createMessage'
/** Requests that wait to be decided, with the one that is: a person is asked one thing at a time. */
const MOST_WAITING = 5
/** Of one request, in characters of JSON: nobody reads more before they say yes. */
const LONGEST_REQUEST = 65_536

/**
 * A server that samples with tools drives a tool loop of its own through the client's model (MCP 2025-11-25, sampling): no
 * `tools/call` passes by. Such a request is a call of its own, under this name among the server's tools.
 */
const SAMPLING: ToolDefinition = {
  name: METHOD,
  title: 'Sample with tools',
  description: "Runs the client's model on the server's messages and lets it call the server's own tools.",
  origin: 'own',
}

/** Would this request of a server's let the client's model call tools? A client that does not look at case sees `Tools` too. */
export function samplesWithTools(method: unknown, params: Message): boolean {
  return method === METHOD && readingsOf(params, 'tools').some((tools) => tools !== undefined)
}

/**
 * The same among what a result, a task or a notification of one asks for (MCP 2026-07-28, multi-round-trip requests; tasks): the
 * params of each such request, as any reader may read it.
 */
export function samplingIn(said: Message): readonly Message[] {
  return resultsIn(said)
    .flatMap((holder) => readingsOf(holder, 'inputRequests'))
    .flatMap((requests) => (typeof requests === 'object' && requests !== null ? Object.values(requests) : []))
    .filter(isObject)
    .flatMap((asked) => {
      const isSampling = readingsOf(asked, 'method').includes(METHOD)
      const params = readingsOf(asked, 'params').filter(isObject)
      return isSampling ? params.filter((read) => samplesWithTools(METHOD, read)) : []
    })
}

/** Why the client is not asked. */
export interface SamplingRefusal {
  /** In words for whoever is told. */
  readonly because: string
  /** Where it was decided; what is too much is refused without that. */
  readonly decided?: { readonly refusal: Refusal; readonly receipt: Receipt | undefined }
}

interface SamplingTerms<About> {
  readonly upstream: Upstream
  readonly gateFor: (about: About) => Gate
}

/** Decides what a server may sample with tools on one connection: one request after the other, and not beyond measure. */
export class SamplingGate<About> {
  readonly #terms: SamplingTerms<About>
  readonly #turns = new Turns(MOST_WAITING)

  constructor(terms: SamplingTerms<About>) {
    this.#terms = terms
  }

  /** @param params as they are written; what is decided is a plain parse of them */
  async admit(
    params: Message,
    callId: string,
    about: About,
    signal: AbortSignal,
  ): Promise<PermittedAdmission | SamplingRefusal> {
    const input = plain(params)
    if (input === undefined) return { because: `It is longer than ${LONGEST_REQUEST} characters.` }
    const gate = this.#terms.gateFor(about)
    const server = serverOf(this.#terms.upstream.listing)
    gate.register([SAMPLING], server)
    gate.cover('mcp', [{ tool: SAMPLING.name, standing: 'gated' }], server)
    const call = { tool: SAMPLING.name, ...server, input, callId, definition: SAMPLING }
    const admission = await this.#turns.take(async () => await gate.admit(call, { signal }))
    if (admission === undefined) return { because: 'Others wait to be decided: ask again later.' }
    return admission.outcome === 'permitted' ? admission : refusedBy(admission.refusal, admission.receipt)
  }

  /**
   * May the client sample with tools as all of these ask it to? How that ends comes with what the client says next, so that
   * here it is `unknown`.
   *
   * @returns why not
   */
  async refuse(
    samplings: readonly Message[],
    callId: string,
    about: About,
    signal: AbortSignal,
  ): Promise<SamplingRefusal | undefined> {
    if (samplings.length > MOST_WAITING) return { because: `It asks for ${samplings.length} at once.` }
    const permitted: PermittedAdmission[] = []
    for (const [index, params] of samplings.entries()) {
      const admission = await this.admit(params, `${callId}:sampling:${index}`, about, signal)
      if (!('outcome' in admission)) {
        // One that may not be asked takes the others with it: none of them goes anywhere.
        for (const unused of permitted) await unused.settle({ status: 'not_executed' })
        return admission
      }
      permitted.push(admission)
    }
    for (const admission of permitted) {
      const begun = admission.begin()
      new Running(admission).lost()
      if (begun.outcome === 'refused') return refusedBy(begun.refusal, admission.receipt)
    }
    return undefined
  }
}

function refusedBy(refusal: Refusal, receipt: Receipt | undefined): SamplingRefusal {
  return { because: refusal.message, decided: { refusal, receipt } }
}

/** Numbers that are kept as they were written are objects of the engine's own, which no policy and no person could read. */
function plain({ _meta: _, ...params }: Message): unknown {
  try {
    const text = JSON.stringify(params)
    return text.length > LONGEST_REQUEST ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
