import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type InputRequest,
  inputRequired,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

/** One red pixel, as base64 of a PNG. */
export const RED_PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC'

/** Four silent samples at 8 kHz, as base64 of a WAV file. */
export const SILENCE = 'UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQgAAAAAAAAAAAAAAA=='

/** A result of one text. */
export function said(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] }
}

/** A request that the client's model continues one message of the user. */
export function sampling(prompt: string, maxTokens: number): InputRequest {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
    maxTokens,
  })
}

/** What a model said; all of it as JSON where that is no text. */
export function textOf(content: unknown): string {
  const text = z.object({ type: z.literal('text'), text: z.string() }).safeParse(content)
  return text.success ? text.data.text : JSON.stringify(content)
}

/** The accepted answer to a question, checked; `undefined` when there is none that fits. */
export function accepted<T extends z.ZodObject>(context: ServerContext, key: string, schema: T) {
  return acceptedContent(context.mcpReq.inputResponses, key, schema)
}

/** A question to the client's user, whose answer must fit. */
export function question(message: string, requestedSchema: z.ZodObject): InputRequest {
  return inputRequired.elicit({ message, requestedSchema })
}

/** What the client declares with this one request (2026-07-28); `undefined` when it declared it when it connected. */
export function declaredIn(envelope: unknown): ClientCapabilities | undefined {
  const carried = z.object({ [CLIENT_CAPABILITIES_META_KEY]: z.looseObject({}) }).safeParse(envelope)
  return carried.data?.[CLIENT_CAPABILITIES_META_KEY]
}
