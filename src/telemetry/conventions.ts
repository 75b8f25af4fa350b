import type { Attributes } from '@opentelemetry/api'
import type { InstrumentName, Labels } from './instruments.ts'

/**
 * The one file that knows OpenTelemetry's conventions for GenAI and MCP, which are still in development
 * (github.com/open-telemetry/semantic-conventions-genai). What they have no name for is called `holdpoint.…`.
 */
export const OPERATION = 'gen_ai.operation.name'
export const EXECUTE_TOOL = 'execute_tool'
export const TOOL_NAME = 'gen_ai.tool.name'
export const CONVERSATION = 'gen_ai.conversation.id'
export const ERROR_TYPE = 'error.type'
const MCP_METHOD = 'mcp.method.name'
/** The AI SDK's own spans of tool calls, up to version 6. */
const AI_SDK_TOOL = 'ai.toolCall.name'

/** Do these attributes belong to a span that somebody else made for the execution of a tool? */
export function describesToolCall(attributes: Attributes): boolean {
  return (
    attributes[OPERATION] === EXECUTE_TOOL ||
    attributes[MCP_METHOD] === 'tools/call' ||
    attributes[AI_SDK_TOOL] !== undefined
  )
}

/** What a measure is called in OpenTelemetry. */
export function measureName(name: InstrumentName): string {
  return name === 'holdpoint.execution.duration' ? 'gen_ai.execute_tool.duration' : name
}

/** The labels of a measure as attributes. */
export function measureAttributes(name: InstrumentName, labels: Labels): Attributes {
  if (name !== 'holdpoint.execution.duration') {
    return Object.fromEntries(Object.entries(labels).map(([label, value]) => [`holdpoint.${label}`, value]))
  }
  const { status = 'ok' } = labels
  return { [OPERATION]: EXECUTE_TOOL, ...(status === 'ok' ? {} : { [ERROR_TYPE]: status }) }
}
