/** The parts of `@anthropic-ai/sdk` 1 that this adapter meets, structurally, so that no published type depends on the package. */

/** A tool as an app hands it to the tool runner. */
export interface HostTool {
  readonly type?: unknown
  readonly name?: unknown
  readonly description?: unknown
  readonly input_schema?: unknown
  /** Of an MCP toolset, which the connector runs. */
  readonly mcp_server_name?: unknown
  readonly run?: unknown
}

/** Second argument of a tool's `run`. */
export interface HostContext {
  readonly toolUse?: HostUse
  readonly signal?: AbortSignal | null
}

/** A block that asks for a tool. UNTRUSTED: a model wrote it. */
export interface HostUse {
  readonly type?: string
  readonly id?: string
  readonly name?: string
  readonly input?: unknown
  readonly server_name?: string
}

/** What a tool may give: text, or content blocks. */
export type HostContent = string | readonly object[]

/** Toolsets of the SDK that run here, by their dated types: one entry for a family of members. */
const FAMILIES: ReadonlyMap<unknown, string> = new Map([
  ['browser_toolset_20260801', 'browser'],
  ['computer_toolset_20260801', 'computer'],
])

/** The family of a toolset that runs here; none for any other tool. */
export function familyOf({ type }: HostTool): string | undefined {
  return FAMILIES.get(type)
}

/** The name by which the SDK itself speaks of a tool. */
export function nameOf(tool: HostTool): unknown {
  return tool.name ?? familyOf(tool) ?? tool.mcp_server_name ?? tool.type
}

/** How the SDK marks what its helpers made. */
const HELPER = 'anthropic.sdk.stainlessHelper'

/** Was it made by `mcpTools` out of what an MCP server lists? What such a tool says of itself is a hint, never our word (I8). */
export function isThirdParty(tool: HostTool): boolean {
  return Object.getOwnPropertySymbols(tool).some(
    (symbol) => symbol.description === HELPER && Reflect.get(tool, symbol) === 'mcpTool',
  )
}
