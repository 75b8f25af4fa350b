/**
 * The bundled Claude Code CLI against a model that is a script: a local `/v1/messages`, a home folder of its own, a key that is none.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Options } from '@anthropic-ai/claude-agent-sdk'

/** What the scripted model says in one reply. */
export type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }

export interface Message {
  readonly role: string
  readonly content: string | readonly MessageBlock[]
}

export interface MessageBlock {
  readonly type: string
  readonly text?: string
  readonly tool_use_id?: string
  readonly content?: string | readonly MessageBlock[]
}

interface Asked {
  readonly stream?: boolean
  readonly tools?: readonly { readonly name: string }[]
  readonly messages: readonly Message[]
}

/** A `/v1/messages` that answers whoever may call tools with the next reply of a script, and everything else with a word. */
export class ScriptedModel {
  /** Replies that are still to be given; `done` after them. */
  replies: (readonly Block[])[] = []
  /** The messages of each request that was answered from the script. */
  asked: (readonly Message[])[] = []
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => this.#answer(request.url ?? '', Buffer.concat(chunks).toString(), response))
  })

  async listen(): Promise<string> {
    if (!this.#server.listening) await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #answer(url: string, body: string, response: ServerResponse): void {
    if (!url.startsWith('/v1/messages') || url.includes('count_tokens')) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
      return
    }
    const asked = JSON.parse(body) as Asked
    const mayCall = (asked.tools ?? []).length > 0
    if (mayCall) this.asked.push(asked.messages)
    const said = mayCall ? this.replies.shift() : undefined
    reply(response, said ?? [{ type: 'text', text: 'done' }], asked.stream === true)
  }
}

function reply(response: ServerResponse, content: readonly Block[], isStream: boolean): void {
  const stop_reason = content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = {
    id: `msg_${randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    stop_sequence: null,
    usage,
  }
  if (!isStream) {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ ...message, content, stop_reason }))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (type: string, more: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`)
  }
  send('message_start', { message: { ...message, content: [], stop_reason: null } })
  for (const [index, block] of content.entries()) {
    const isText = block.type === 'text'
    send('content_block_start', { index, content_block: isText ? { ...block, text: '' } : { ...block, input: {} } })
    const delta = isText
      ? { type: 'text_delta', text: block.text }
      : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
    send('content_block_delta', { index, delta })
    send('content_block_stop', { index })
  }
  send('message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 1 } })
  send('message_stop', {})
  response.end()
}

/** Where a CLI runs: folders of its own, and nothing of this machine's. */
export class Surroundings {
  readonly root = mkdtempSync(path.join(tmpdir(), 'holdpoint-claude-'))
  readonly model = new ScriptedModel()

  /** What every query here is given. */
  async options(): Promise<Options> {
    const url = await this.model.listen()
    return {
      cwd: this.root,
      env: {
        PATH: process.env['PATH'],
        HOME: this.root,
        CLAUDE_CONFIG_DIR: path.join(this.root, '.claude'),
        ANTHROPIC_BASE_URL: url,
        ANTHROPIC_API_KEY: 'no-key',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        DISABLE_ERROR_REPORTING: '1',
        DISABLE_TELEMETRY: '1',
      },
      model: 'claude-sonnet-4-5',
      tools: [],
      settingSources: [],
      permissionMode: 'default',
      maxTurns: 12,
    }
  }

  close(): void {
    this.model.close()
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}

const REMINDER = /\s*<system-reminder>[\s\S]*?<\/system-reminder>\s*/g

/** What the model was told of each call in these messages, without what the host adds to it. */
export function toldIn(messages: readonly Message[]): readonly { readonly callId: string; readonly text: string }[] {
  return messages.flatMap(({ content }) =>
    typeof content === 'string'
      ? []
      : content.flatMap(({ type, tool_use_id, content: told }) =>
          type === 'tool_result'
            ? [{ callId: tool_use_id ?? '', text: textOf(told).replace(REMINDER, '').trimEnd() }]
            : [],
        ),
  )
}

export function textOf(content: string | readonly MessageBlock[] | undefined): string {
  if (content === undefined || typeof content === 'string') return content ?? ''
  return content.map(({ text }) => text ?? '').join('\n')
}
