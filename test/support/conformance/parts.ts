import {
  acceptedContent,
  type CallToolResult,
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
