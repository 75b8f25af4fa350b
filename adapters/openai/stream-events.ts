import type { HostItem } from './host.ts'

/** An event of a stream of the Responses API, as far as it is read here. UNTRUSTED. */
export interface StreamEvent {
  readonly type: string
  readonly item?: HostItem
  readonly output_index?: number
  readonly arguments?: string
  readonly response?: { readonly output?: readonly HostItem[] }
}

/** What stands for a call, the same however often it is asked. */
export interface Calls {
  /** With an id that no earlier response had. */
  readonly named: (call: HostItem) => HostItem
  /** And with arguments that can be read: only for a call that is whole. */
  readonly read: (call: HostItem) => HostItem
}

/**
 * A stream's events as the SDK's own reader can take them: it ends over a call id that is given twice, and over arguments of a strict
 * function that are no JSON. Of calls with one id the first counts.
 */
export async function* unrepeated(
  events: AsyncIterable<StreamEvent>,
  calls: Calls,
): AsyncGenerator<StreamEvent, void, undefined> {
  const rewriting = new Rewriting(calls)
  for await (const event of events) {
    const told = rewriting.told(event)
    if (told !== undefined) yield told
  }
}

class Rewriting {
  readonly #means: Calls
  readonly #ids = new Set<string>()
  /** By their place in the output. */
  readonly #calls = new Map<number, HostItem>()
  readonly #dropped = new Set<number>()

  constructor(means: Calls) {
    this.#means = means
  }

  told(event: StreamEvent): StreamEvent | undefined {
    const { response, output_index: at } = event
    if (response?.output !== undefined)
      return { ...event, response: { ...response, output: this.#once(response.output, event.type) } }
    if (at === undefined) return event
    if (event.type === 'response.output_item.added' && event.item !== undefined) this.#added(event.item, at)
    if (this.#dropped.has(at)) return undefined
    const earlier = [...this.#dropped].filter((dropped) => dropped < at)
    return { ...this.#readable(event, at), output_index: at - earlier.length }
  }

  #added(item: HostItem, at: number): void {
    const { type, call_id: id = '' } = item
    if (type !== 'function_call') return
    if (this.#ids.has(id)) this.#dropped.add(at)
    else this.#calls.set(at, item)
    this.#ids.add(id)
  }

  #readable(event: StreamEvent, at: number): StreamEvent {
    const { type, item, arguments: text } = event
    const call = this.#calls.get(at)
    if (call === undefined) return event
    if (type === 'response.function_call_arguments.done' && text !== undefined)
      return { ...event, arguments: this.#whole({ ...call, arguments: text }).arguments ?? text }
    if (item === undefined) return event
    return { ...event, item: type === 'response.output_item.done' ? this.#whole(item) : this.#means.named(item) }
  }

  #once(output: readonly HostItem[], type: string): readonly HostItem[] {
    const met = new Set<string>()
    return output.flatMap((item) => {
      const { call_id: id = '' } = item
      if (item.type !== 'function_call') return [item]
      if (met.has(id)) return []
      met.add(id)
      return [type === 'response.completed' ? this.#whole(item) : this.#means.named(item)]
    })
  }

  /** Under the name that the model gave it: the SDK's reader holds a call to the one that it began with. */
  #whole(call: HostItem): HostItem {
    const { name } = call
    return { ...this.#means.read(call), ...(name === undefined ? {} : { name }) }
  }
}
