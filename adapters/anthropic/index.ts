/** `holdpoint/anthropic`: a gate in front of every tool that the tool runners of the Anthropic SDK, major 1, run. */

export type { HoldpointData, ReceiptPart, RequestPart } from '../shared/part.ts'
export { reportOf } from '../shared/report-of.ts'
export { guardRunner } from './guard-runner.ts'
export { type GuardOptions, guardTools } from './guard-tools.ts'
export { type Handler, type Handlers, type RunOptions, runToolUses, type ToolResult } from './run-tool-uses.ts'
export { markServerTools } from './server-tools.ts'
