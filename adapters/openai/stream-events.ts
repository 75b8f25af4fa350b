import type { HostItem } from './host.ts'

/** An event of a stream of the Responses API, as far as it is read here. UNTRUSTED. */
export interface StreamEvent {
  readonly type: string
  readonly item?: HostItem
  readonly output_index?: number
  readonly arguments?: string
  readonly response?: { readonly output?: readonly HostItem[] }
}

/**
 * A stream's events as the SDK's own reader can take them: it ends over a call id that is given twice, and over arguments of a strict
 * function that are no JSON. Of calls with one id the first counts.
 *
 * @param read what stands for a call: its arguments, where they can be read
 */
export async function* unrepeated(
  events: AsyncIterable<StreamEvent>,
  read: (call: HostItem) => HostItem,
): AsyncGenerator<StreamEvent, void, undefined> {
  const rewriting = new Rewriting(read)
  for await (const event of events) {
    const told = rewriting.told(event)
    if (told !== undefined) yield told
  }
}

class Rewriting {
  readonly #read: (call: HostItem) => HostItem
  readonly #ids = new Set<string>()
  /** By their place in the output. */
  readonly #calls = new Map<number, HostItem>()
  readonly #dropped = new Set<number>()

  constructor(read: (call: HostItem) => HostItem) {
    this.#read = read
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
      return { ...event, ...this.#argumentsOf({ ...call, arguments: text }) }
    if (type !== 'response.output_item.done' || item === undefined) return event
    return { ...event, item: { ...item, ...this.#argumentsOf(item) } }
  }

  #once(output: readonly HostItem[], type: string): readonly HostItem[] {
    const met = new Set<string>()
    return output.flatMap((item) => {
      const { call_id: id = '' } = item
      if (item.type !== 'function_call') return [item]
      if (met.has(id)) return []
      met.add(id)
      return [type === 'response.completed' ? { ...item, ...this.#argumentsOf(item) } : item]
    })
  }

  #argumentsOf(call: HostItem): Pick<HostItem, 'arguments'> {
    const { arguments: text } = this.#read(call)
    return text === undefined ? {} : { arguments: text }
  }
}
