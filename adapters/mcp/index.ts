/** `holdpoint/mcp`: the gate around MCP servers and clients of either SDK. */
export { type GuardClientOptions, type GuardServerOptions, guardClient, guardServer } from './guard.ts'
export { RECEIPT_KEY, REFUSAL_KEY } from './keys.ts'
