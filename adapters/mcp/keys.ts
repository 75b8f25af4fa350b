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

/** Codes of JSON-RPC 2.0. */
export const PARSE_ERROR = -32_700
/** The frame is no request that can be understood. */
export const INVALID_REQUEST = -32_600
export const METHOD_NOT_FOUND = -32_601
export const INVALID_PARAMS = -32_602
export const INTERNAL_ERROR = -32_603
/** What servers of the earlier era say of a session that they do not know. */
export const UNKNOWN_SESSION = -32_001
/** Codes of MCP 2026-07-28. */
export const HEADER_MISMATCH = -32_020
export const MISSING_CLIENT_CAPABILITY = -32_021
export const UNSUPPORTED_PROTOCOL_VERSION = -32_022
/** The server is gone or silent. Of our own, outside of the range that JSON-RPC and MCP reserve. */
export const NO_ANSWER = 1
/** MCP's own example of a sampling request that was turned down; outside of the reserved range. */
export const SAMPLING_REFUSED = -1
