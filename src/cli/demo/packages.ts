/**
 * The packages that only the demo needs, loaded when it runs.
 *
 * They are development dependencies, so an installed holdpoint may lack them; their types are spelled here, as little of
 * each as the story uses, because the published types of holdpoint must not need them.
 */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Gate, Json } from '../../types.ts'
import { UnusableInput } from '../exit.ts'

/** A tool of the AI SDK, opaque to the story. */
export type Tools = Readonly<Record<string, object>>

/** A message of the AI SDK's history, opaque to the story. */
export type Message = object

/** A language model of the AI SDK, opaque to the story. */
export type Model = object

/** One part of what a model answered. */
export interface ContentPart {
  readonly type: string
  readonly approvalId?: string
}

/** `generateText`'s result. */
export interface Generated {
  readonly text: string
  readonly content: readonly ContentPart[]
  readonly response: { readonly messages: readonly Message[] }
}

/** A call that the model made of a tool that does not exist. */
export interface UnknownCall {
  readonly toolCall: { readonly toolName: string; readonly input: string; readonly toolCallId: string }
}

/** What `generateText` is asked. */
export interface Question {
  readonly model: Model
  readonly messages: readonly Message[]
  readonly tools: Tools
  readonly toolApproval?: unknown
  readonly stopWhen: unknown
  readonly instructions?: string
  readonly repairToolCall?: (call: UnknownCall) => Promise<null>
}

/** A message of JSON-RPC on its way to the server. */
export interface Frame {
  readonly method?: string
  readonly params?: { readonly name?: string }
}

/** The AI SDK's stdio transport. */
export interface Transport {
  send(frame: Frame): Promise<void>
}

interface McpClient {
  tools(): Promise<Tools>
  close(): Promise<void>
}

/** Everything that the story uses of other packages. */
export interface Packages {
  readonly ai: {
    generateText(question: Question): Promise<Generated>
    isStepCount(count: number): unknown
  }
  readonly mock: { readonly MockLanguageModelV4: new (model: { doGenerate: () => Promise<Json> }) => Model }
  readonly mcp: { createMCPClient(settings: { readonly transport: Transport }): Promise<McpClient> }
  readonly stdio: {
    readonly Experimental_StdioMCPTransport: new (server: {
      readonly command: string
      readonly args: readonly string[]
      readonly stderr: 'ignore'
    }) => Transport
  }
  readonly adapter: {
    guardTools(
      tools: Tools,
      gate: Gate,
      options: { readonly server: string },
    ): { readonly tools: Tools; readonly toolApproval?: unknown }
  }
  /** The script of the filesystem server. */
  readonly filesystemServer: string
}

/**
 * Loads the demo's packages.
 *
 * @throws UnusableInput naming what to install
 */
export async function loadPackages(): Promise<Packages> {
  const [ai, mock, mcp, stdio] = await Promise.all(
    ['ai', 'ai/test', '@ai-sdk/mcp', '@ai-sdk/mcp/mcp-stdio'].map((name) => load(name)),
  )
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const adapter: unknown = await import(new URL(`../../../adapters/ai-sdk/index.${suffix}`, import.meta.url).href)
  return { ai, mock, mcp, stdio, adapter, filesystemServer: filesystemServer() } as Packages
}

/** The AI SDK's OpenAI provider. @throws UnusableInput when it is not installed */
export async function loadOpenAi(): Promise<{ openai(model: string): Model }> {
  return (await load('@ai-sdk/openai')) as { openai(model: string): Model }
}

async function load(name: string): Promise<unknown> {
  try {
    return await import(name)
  } catch (error) {
    throw missing(name, error)
  }
}

function filesystemServer(): string {
  const name = '@modelcontextprotocol/server-filesystem'
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly bin: Readonly<Record<string, string>> }
    return join(dirname(manifest), bin['mcp-server-filesystem'] ?? '')
  } catch (error) {
    throw missing(name, error)
  }
}

function missing(name: string, cause: unknown): Error {
  const code = (cause as { readonly code?: string }).code
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return cause as Error
  return new UnusableInput(
    'the demo needs packages that are not installed here; run: npm i -D ai@7 @ai-sdk/mcp@2 @modelcontextprotocol/server-filesystem' +
      (name === '@ai-sdk/openai' ? ' @ai-sdk/openai (or unset OPENAI_API_KEY)' : ''),
  )
}
