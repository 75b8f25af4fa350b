/** `holdpoint/claude-agent`: a gate in front of every tool that a query of the Claude Agent SDK calls. */

export type { HoldpointData, ReceiptPart, RequestPart } from '../shared/part.ts'
export { reportOf } from '../shared/report-of.ts'
export { BUILT_IN_TOOLS } from './built-in.ts'
export { type ClaudeOptions, claudeOptions, type GuardedOptions, type PersonQuestion } from './claude-options.ts'
export { type GuardToolsOptions, guardTools } from './guard-tools.ts'
export { type Naming, type ToolName, toolNameOf } from './names.ts'
