/** `holdpoint/openai`: a gate in front of every function that the OpenAI SDK, major 7, or a hand-written loop runs. */

export type { HoldpointData, ReceiptPart, RequestPart } from '../shared/part.ts'
export { reportOf } from '../shared/report-of.ts'
export { guardRunner } from './guard-runner.ts'
export { type GuardOptions, guardTools } from './guard-tools.ts'
export { receiptMetadata } from './receipts.ts'
export {
  type FunctionOutput,
  type Handler,
  type Handlers,
  type RunOptions,
  runFunctionCalls,
  runToolCalls,
  type ToolMessage,
} from './run-calls.ts'
