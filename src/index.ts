/** The public surface of holdpoint: explicit named exports, nothing else. */

export { questionText } from './approval/question.ts'
export { createGate, type GateOptions } from './create-gate.ts'
export type { PolicyOption } from './create-panel.ts'
export { AbsentAnswer } from './decide/absent.ts'
export type { ObligationHandler, ObligedCall } from './decide/obligations.ts'
export { HoldpointError, type HoldpointErrorCode } from './errors.ts'
export { createCedarPoint } from './policy/cedar.ts'
export { createFunctionPoint, type PolicyFunction } from './policy/function.ts'
export {
  type ArgumentsOf,
  type PolicyAnswer,
  type PolicyRule,
  type PolicyRules,
  policy,
  type RuledCall,
} from './policy/typed.ts'
export { actingAs } from './principal.ts'
export { REFUSAL_CODES } from './refusal/codes.ts'
export { renderNotes } from './refusal/notes.ts'
export { constraintText, renderAsReason, renderForModel } from './refusal/render.ts'
export { pinoSink } from './telemetry/pino.ts'
export type {
  Admission,
  AdmitOptions,
  Answered,
  AnswerOptions,
  ApprovalAnswer,
  ApprovalRecord,
  ApprovalRequest,
  ApprovalState,
  Begun,
  BreakerState,
  Call,
  CanaryResult,
  Channel,
  Classification,
  Clock,
  Constraint,
  Decision,
  Ending,
  EvaluationRequest,
  EventSink,
  Evidence,
  Explanation,
  FailModes,
  Gate,
  GateEvent,
  Health,
  Json,
  JsonObject,
  JsonSchema,
  Materiality,
  Notice,
  Obligation,
  OutcomeStatus,
  Passkey,
  PasskeyAssertion,
  PermittedAdmission,
  Pin,
  PinRecord,
  PinShelf,
  PointHealth,
  PolicyDecisionPoint,
  PolicyMisfit,
  Principal,
  Quarantine,
  Receipt,
  ReceiptStore,
  Refusal,
  RefusalCause,
  RefusalCode,
  RefusedAdmission,
  Remedy,
  RemoteSigner,
  RunResult,
  Scope,
  SessionFacts,
  Signer,
  SilenceCause,
  Standing,
  Store,
  Surface,
  ToolAnnotations,
  ToolCoverage,
  ToolDefinition,
  ToolSeen,
  Where,
  Who,
} from './types.ts'
export { type ApprovalHandlerOptions, approvalHandler } from './web/handler.ts'
export type { PolicyServiceOptions, Secret } from './wire/options.ts'
export { type AuthzenOptions, authzen, cerbos, opa } from './wire/points.ts'
export { type Retrieval, retrievedPolicies } from './wire/retrieved.ts'
