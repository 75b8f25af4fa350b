/** `holdpoint/mastra`: a gate in front of every tool of Mastra, major 1. */

export type { HoldpointData, ReceiptPart, RequestPart } from '../shared/part.ts'
export { isRefusal } from '../shared/refusal-shape.ts'
export { reportOf } from '../shared/report-of.ts'
export { approvalFor, requestOf } from './gated-tool.ts'
export { type GuardOptions, guardTools, type Tools } from './guard-tools.ts'
export { type HoldpointHooks, type HookContext, type HookOptions, holdpointHooks } from './hooks.ts'
export { type RefusedResult, StepRefused } from './refusal.ts'
