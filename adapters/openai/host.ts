/** The parts of `openai` 7 that this adapter meets, structurally, so that no published type depends on the package. */

/** A tool as an app hands it over: typed (`zodFunction`), runnable (`{ function }`), or of the Responses runner (`{ tool, execute }`). */
export interface HostTool {
  readonly type?: unknown
  readonly name?: unknown
  readonly description?: unknown
  readonly parameters?: unknown
  readonly server_label?: unknown
  readonly allowed_tools?: unknown
  readonly require_approval?: unknown
  readonly function?: unknown
  readonly tool?: unknown
  readonly execute?: unknown
  /** Of a typed tool; none of the three is enumerable. */
  readonly $brand?: unknown
  readonly $callback?: unknown
  readonly $parseRaw?: unknown
}

/** What a tool says of itself, wherever its kind keeps it. */
export interface HostDeclaration {
  readonly name?: unknown
  readonly description?: unknown
  readonly parameters?: unknown
}

/** `runTools` hands its runner to each callback. */
export interface HostRunner {
  readonly messages?: unknown
  readonly controller?: { readonly signal?: AbortSignal }
}

/** A call in an assistant message. UNTRUSTED: a model wrote it. */
export interface HostToolCall {
  readonly id?: string
  readonly type?: string
  readonly function?: { readonly name: string; readonly arguments: string }
  readonly custom?: { readonly name: string; readonly input: string }
}

/** An item of a response's output. UNTRUSTED. */
export interface HostItem {
  readonly type?: string
  readonly id?: string
  readonly call_id?: string
  readonly name?: string
  readonly arguments?: string
  readonly input?: unknown
  readonly server_label?: string
  readonly approval_request_id?: string | null
  readonly error?: unknown
  readonly output?: unknown
  readonly tools?: unknown
}

/** A member of something that came from outside: own or of its class, and `undefined` where there is nothing to ask. */
export function member(value: unknown, name: string): unknown {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? Reflect.get(value, name)
    : undefined
}

export function textOf(value: unknown, name: string): string | undefined {
  const found = member(value, name)
  return typeof found === 'string' ? found : undefined
}

/** A result as `runTools` itself writes it for the model. */
export function resultText(result: unknown): string {
  if (typeof result === 'string') return result
  return JSON.stringify(result) ?? 'undefined'
}
