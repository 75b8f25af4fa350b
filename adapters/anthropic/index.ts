/** `holdpoint/anthropic`: a gate in front of every tool that the tool runners of the Anthropic SDK, major 1, run. */

export { reportOf } from '../shared/call-data.ts'
export type { HoldpointData, ReceiptPart, RequestPart } from '../shared/part.ts'
export { guardRunner } from './guard-runner.ts'
export { type GuardOptions, guardTools } from './guard-tools.ts'
export { markServerTools } from './server-tools.ts'
