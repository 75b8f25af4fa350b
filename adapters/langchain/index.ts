/** `holdpoint/langchain`: a gate in front of every tool of LangChain and LangGraph, major 1. */

export type { HoldpointData, ReceiptPart, RequestPart } from '../shared/part.ts'
export { reportOf } from '../shared/report-of.ts'
export { type GuardOptions, guardTools } from './guard-tools.ts'
export {
  type HoldpointMiddleware,
  type HostModelRequest,
  type HostToolRequest,
  holdpointMiddleware,
  type MiddlewareOptions,
} from './middleware.ts'
export type { Question } from './question.ts'
