/**
 * The names that holdpoint writes into MCP messages. They are wire format: a stranger's log may hold them for years.
 *
 * `_meta` keys are a prefix in reverse DNS and a name (MCP 2025-06-18, basic, "_meta").
 */
export const RECEIPT_KEY = 'dev.holdpoint/receipt'
export const REFUSAL_KEY = 'dev.holdpoint/refusal'
/** Our question among the `inputRequests` of the modern era. */
export const APPROVAL_KEY = 'dev.holdpoint/approval'
/** What an operator says of their own tool, in its `_meta`. */
export const TOOL_KEY = 'dev.holdpoint/tool'
/** Ties a result to its task (MCP 2025-11-25, tasks). */
export const RELATED_TASK_KEY = 'io.modelcontextprotocol/related-task'

/** What only holdpoint says: a server that says it as well is not passed on with it. */
export const OURS = 'dev.holdpoint/'

/** JSON-RPC 2.0: the frame is no request that can be understood. */
export const INVALID_REQUEST = -32_600
export const INVALID_PARAMS = -32_602
export const INTERNAL_ERROR = -32_603
/** MCP's own example of a sampling request that was turned down; outside of the reserved range. */
export const SAMPLING_REFUSED = -1
