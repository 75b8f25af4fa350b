'use client'

/** `holdpoint/react`: what the gate did, for the person in the chat. React 18 and 19; styles in `holdpoint/react/style.css`. */

export type { HoldpointData, HoldpointPart, ReceiptPart, RequestPart } from '../shared/part.ts'
export { ApprovalRequest, type ApprovalRequestProps } from './approval-request.tsx'
export { argumentLines, type ComparedLine, comparedLines } from './arguments.ts'
export { CallCard, type CallCardProps } from './call-card.tsx'
export { type CallStatus, type ChatCall, type ChatMessage, callsIn, type KnownCall, type UnknownCall } from './calls.ts'
export { LegibleText } from './legible-text.tsx'
export { ReceiptBadge, type ReceiptBadgeProps } from './receipt-badge.tsx'
export { Refusal, type RefusalProps, type RefusalView, useRefusal } from './refusal.tsx'
export {
  type Timeline,
  type TimelineEntry,
  TraceTimeline,
  type TraceTimelineProps,
  useTimeline,
} from './trace-timeline.tsx'
export {
  type Answer,
  type Approval,
  type ApprovalState,
  postAnswer,
  type SendAnswer,
  useApproval,
} from './use-approval.ts'
export { type Chat, type Holdpoint, type HoldpointOptions, useHoldpoint } from './use-holdpoint.ts'
export { type CheckedReceipt, type ReceiptState, type Receipts, useReceipts } from './use-receipts.ts'
