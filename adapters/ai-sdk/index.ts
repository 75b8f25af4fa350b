/** `holdpoint/ai-sdk`: a gate in front of every tool of the Vercel AI SDK, majors 6 and 7. */

export type { HoldpointData, HoldpointPart, ReceiptPart, RequestPart } from '../shared/part.ts'
export { isRefusal } from '../shared/refusal-shape.ts'
export { holdpointDataSchema } from './data-part.ts'
export { type GuardedTools, type GuardOptions, guardTools } from './guard-tools.ts'
export type { HostApprovalQuestion, HostApprovalStatus } from './host.ts'
export type { Major, RefusalAs } from './presentation.ts'
export { type RespondOptions, respond, type StreamsToUI } from './respond.ts'
export { holdpointStream, type StreamOptions } from './stream.ts'
export { createTripwire, type HostRunEvent, type Tripwire } from './tripwire.ts'
