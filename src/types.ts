/**
 * The nouns and ports of holdpoint, a family in each file of `types`. They import one another and nothing else, and every room may
 * import them from here.
 *
 * Times named `…At` are milliseconds since the Unix epoch (UTC); durations named `…Ms` are milliseconds.
 * Digests and hashes are SHA-256, base64url without padding, unless a comment says otherwise.
 */
export type {
  ApprovalAnswer,
  ApprovalRecord,
  ApprovalRequest,
  ApprovalState,
  ApprovalStore,
  Passkey,
  PasskeyAssertion,
} from './types/approval.ts'
export type { Call, DerivedFacts, Snapshot } from './types/call.ts'
export type { Claim, ClaimStatus, Committed, Holder, OverrideUse } from './types/claim.ts'
export type { Standing, ToolCoverage, ToolSeen } from './types/coverage.ts'
export type {
  ApprovalFacts,
  Constraint,
  Decision,
  EvaluationRequest,
  FailModes,
  Obligation,
  SilenceCause,
} from './types/decision.ts'
export type { Clock, RandomBytes } from './types/effects.ts'
export type { EventSink, GateEvent } from './types/event.ts'
export type {
  Admission,
  AdmitOptions,
  Answered,
  AnswerOptions,
  Begun,
  Ending,
  Gate,
  Notice,
  PermittedAdmission,
  RefusedAdmission,
  RunResult,
  When,
} from './types/gate.ts'
export type { BreakerState, Health, LogHealth, LogReach, PointHealth } from './types/health.ts'
export type { Json, JsonObject, JsonSchema } from './types/json.ts'
export {
  type Classification,
  type Evidence,
  MATERIALITIES,
  type Materiality,
  READ_LABELS,
  type ReadLabel,
  SURFACES,
  type Surface,
} from './types/materiality.ts'
export type { Pin, PinRecord, PinShelf } from './types/pin.ts'
export type {
  CanaryResult,
  Explanation,
  PolicyDecisionPoint,
  PolicyMisfit,
  ShortCondition,
  ShortOtherwise,
  ShortRule,
} from './types/policy.ts'
export type { OutcomeStatus, Receipt, ReceiptKind, Settlement, Sidecar } from './types/receipt.ts'
export type { Refusal, RefusalCause, RefusalCode, Remedy } from './types/refusal.ts'
export type { Channel, Principal, Scope, Where, Who } from './types/scope.ts'
export {
  type Counted,
  NO_SESSION,
  type SessionClaim,
  type SessionFacts,
  type SessionKeys,
  type SessionReading,
  type SessionSeen,
  type Sums,
} from './types/session.ts'
export type { ReceiptSigner, RemoteSigner, Signer } from './types/signer.ts'
export type { ReceiptStore, Store, StoreOpening } from './types/store.ts'
export type {
  Contract,
  OperatorWord,
  OwnPlaces,
  Quarantine,
  SchemaMiss,
  ToolAnnotations,
  ToolDefinition,
} from './types/tool.ts'
