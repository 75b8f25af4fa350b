/** What a model or a person reads of each refusal, through each client: literally, for a tool that has an output schema. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardServer, RECEIPT_KEY, REFUSAL_KEY } from '../../../adapters/mcp/index.ts'
import { testGate } from '../../../src/testing.ts'
import type { Decision } from '../../../src/types.ts'
import { PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { type Arguments, READERS, throughInspector } from './readers.ts'

const said = { determining: ['script'], errors: [] } as const
const ANSWERS: ReadonlyMap<string, Decision | Promise<never>> = new Map<string, Decision | Promise<never>>([
  ['notes/denied', { kind: 'deny', sentence: 'Notes of others are not erased.', ...said }],
  ['notes/unspoken', { kind: 'silence', cause: { kind: 'no_permit' }, ...said }],
  [
    'notes/asked',
    {
      kind: 'silence',
      cause: { kind: 'requestable', requires: 'confirmation' },
      sentence: 'Erasing needs your yes.',
      ...said,
    },
  ],
  ['notes/hung', new Promise<never>(() => undefined)],
])

const TEXTS: readonly (readonly [kind: string, tool: string, more: Arguments, text: string])[] = [
  [
    'denied_by_policy',
    'denied',
    {},
    `holdpoint refused this call. notes/denied did not run.
Notes of others are not erased.
Do not make it again.
{"holdpoint":"refusal/v1","code":"denied_by_policy","retryable":false,"receipt":"R"}`,
  ],
  [
    'no_permit',
    'unspoken',
    {},
    `holdpoint refused this call. notes/unspoken did not run.
No policy permits this call.
The same call will not pass again. Change the arguments or do without it.
{"holdpoint":"refusal/v1","code":"no_permit","retryable":false,"receipt":"R"}`,
  ],
  [
    'approval_required',
    'asked',
    {},
    `holdpoint refused this call. notes/asked did not run.
Erasing needs your yes.
The same call will not pass without that approval. Tell the user; the reference is hp_X.
{"holdpoint":"refusal/v1","code":"approval_required","retryable":false,"ref":"hp_X","receipt":"R"}`,
  ],
  [
    'policy_timeout',
    'hung',
    {},
    `holdpoint refused this call. notes/hung did not run.
The policy point did not answer in time.
Nothing is wrong with the call itself; it may be tried again later.
{"holdpoint":"refusal/v1","code":"policy_timeout","retryable":true,"receipt":"R"}`,
  ],
  [
    'tool_changed',
    'vanished',
    {},
    `holdpoint refused this call. notes/vanished did not run.
This call came with a definition of the tool that this gate was never told of.
Trying again will not help until an operator has looked. Tell the user.
{"holdpoint":"refusal/v1","code":"tool_changed","retryable":false,"receipt":"R"}`,
  ],
  [
    'arguments_rejected',
    'permitted',
    { id: 'too long' },
    `holdpoint refused this call. notes/permitted did not run.
The argument /id must have at most 3 characters. (id: must have at most 3 characters)
The same call will not pass again. Change the arguments or do without it.
{"holdpoint":"refusal/v1","code":"arguments_rejected","retryable":false,"receipt":"R"}`,
  ],
]

let http: Server
let at: URL
let isListed = true
const ran: string[] = []
const gate = testGate({
  policy: scriptedPoint(({ resource }) => ANSWERS.get(resource.id) ?? PERMIT),
  server: 'notes',
  timeoutMs: 60,
})

function server(): McpServer {
  const notes = new McpServer({ name: 'notes', version: '1.0.0' })
  const names = ['permitted', 'denied', 'unspoken', 'asked', 'hung', ...(isListed ? ['vanished'] : [])]
  for (const name of names) {
    const description = `${name}: erases a note`
    const schemas = { inputSchema: z.object({ id: z.string().max(3) }), outputSchema: z.object({ erased: z.number() }) }
    notes.registerTool(name, { description, ...schemas }, () => {
      ran.push(name)
      return { content: [{ type: 'text' as const, text: '{"erased":1}' }], structuredContent: { erased: 1 } }
    })
  }
  return notes
}

beforeAll(async () => {
  const handler = createMcpHandler(() => guardServer(server(), gate.as({ user: 'alice' })))
  const answer = toNodeHandler(handler)
  http = createServer((request, response) => void answer(request as never, response as never))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  at = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)
})

afterAll(async () => {
  http.closeAllConnections()
  await new Promise((resolve) => http.close(resolve))
})

/** Ids and references are others each time. */
const literal = (text: string) => text.replaceAll(/r_[0-9a-z]{26}/g, 'R').replaceAll(/hp_[0-9A-Za-z]{8}/g, 'hp_X')

/** A call of its own for each reader: a request for approval that is open already is told otherwise. */
let calls = 0

describe.each(READERS)('through %s', (_name, read) => {
  it.each(TEXTS)('a model reads of %s why, whether to try again, and the receipt', async (_code, tool, more, text) => {
    isListed = true
    calls += 1
    const vanish = () => {
      isListed = false
    }
    const got = await read(at, tool, { id: String(calls), ...more }, vanish)
    expect(literal(got.text)).toBe(text)
    // Receipts are long, and are no reading for a model.
    expect(got.whole).not.toContain('jws')
    expect(got.whole).not.toContain('dev.holdpoint')
    expect(got.whole.length).toBeLessThan(text.length + 400)
    expect(ran).not.toContain(tool)
  })

  it('a model reads of a tool that ran what the tool said, and nothing of ours', async () => {
    ran.length = 0
    const got = await read(at, 'permitted', { id: 'ok' }, () => undefined)
    expect(got.text).toBe('{"erased":1}')
    expect(got.whole).not.toContain('holdpoint')
    expect(ran.splice(0)).toEqual(['permitted'])
  })
})

it('stands on the page on MCP as it is', () => {
  const page = readFileSync(new URL('../../../docs/mcp.md', import.meta.url), 'utf8')
  expect(literal(page)).toContain(TEXTS[0]?.[3])
})

describe('at the command line of the Inspector', () => {
  it.each(['denied_by_policy', 'approval_required'])(
    'a person reads the same of %s, and sees the receipt',
    async (code) => {
      const [, tool = '', , text] = TEXTS.find(([kind]) => kind === code) ?? []
      const seen = await throughInspector(at, tool, { id: 'ins' })
      expect(literal(seen.text)).toBe(text)
      expect(seen.status).toBe(5)
      expect(seen.result).toMatchObject({
        isError: true,
        _meta: {
          [REFUSAL_KEY]: { code, executed: false },
          [RECEIPT_KEY]: { kind: 'decision', jws: expect.stringMatching(/^ey/) },
        },
      })
      expect(seen.result).not.toHaveProperty('structuredContent')
    },
  )
})
