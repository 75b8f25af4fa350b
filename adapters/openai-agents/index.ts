/** The OpenAI Agents SDK (`@openai/agents`): a gate in front of everything that an agent runs. */

export type { HoldpointData, ReceiptPart, RequestPart } from '../shared/part.ts'
export { answerInterruption, type InterruptionAnswer, questionOf } from './answer.ts'
export { type GuardAgentOptions, guardAgent } from './guard-agent.ts'
export { type GuardOptions, guardTools } from './guard-tools.ts'
export { markHosted } from './hosted.ts'
export { guardMcpServer, type McpServerOptions } from './mcp-server.ts'
export { type RunOptions, runOptions } from './run-options.ts'
export { createTripwire, type HostToolEnd } from './tripwire.ts'
