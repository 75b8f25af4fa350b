// The reference server that uses every feature of the protocol, driven by the SDK's own client: directly, and through the proxy.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  EmptyResultSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { expect, it } from 'vitest'
import { RECEIPT_KEY } from '../../../adapters/mcp/index.ts'
import { environment, MAIN } from '../../cli/holdpoint.ts'
import { temporaryFolders } from '../../support/temporary-folder.ts'

const require = createRequire(import.meta.url)
const SERVER = require.resolve('@modelcontextprotocol/server-everything/dist/index.js')
const everything = [SERVER, 'stdio']
const folder = temporaryFolders()

const CALLS: readonly (readonly [name: string, args: Record<string, unknown>])[] = [
  ['echo', { message: 'blåbær 🫐' }],
  ['get-sum', { a: 2, b: 0.5 }],
  ['get-annotated-message', { messageType: 'error', includeImage: true }],
  ['get-structured-content', { location: 'Chicago' }],
  ['get-resource-links', { count: 3 }],
  ['get-resource-reference', { resourceType: 'Text', resourceId: 1 }],
  ['get-tiny-image', {}],
  ['get-roots-list', {}],
  ['trigger-sampling-request', { prompt: 'Say hello', maxTokens: 10 }],
  ['trigger-elicitation-request', {}],
]
/** What the server would turn down itself, and the gate does before it. */
const REFUSED: typeof CALLS = [
  ['get-sum', { a: 'two', b: 3 }],
  ['no-such-tool', {}],
]

/** Everything that a client can see of a server. */
async function seenOf(args: readonly string[], state: string): Promise<Record<string, unknown>> {
  const client = new Client(
    { name: 'app', version: '1.0.0', title: 'An app' },
    { capabilities: { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } } },
  )
  // By kind: how often the server asks for roots is a matter of its own timing.
  const asked: Record<string, unknown> = {}
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
    asked['sampling'] = params
    return { model: 'none', role: 'assistant' as const, content: { type: 'text' as const, text: 'hello' } }
  })
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    asked['elicitation'] = params
    return { action: 'accept' as const, content: { name: 'Ada', check: true } }
  })
  client.setRequestHandler(ListRootsRequestSchema, () => {
    asked['roots'] = true
    return { roots: [{ uri: 'file:///notes', name: 'notes' }] }
  })
  const env = Object.fromEntries(
    Object.entries(environment(state)).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  const transport = new StdioClientTransport({ command: process.execPath, args: [...args], env, stderr: 'ignore' })
  await client.connect(transport)
  const failure = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: Error & { readonly code?: number }) => ({ code: error.code, message: error.message }))
  const callAll = (calls: typeof CALLS) =>
    Promise.all(calls.map(([name, given]) => failure(client.callTool({ name, arguments: given }))))
  const progress: unknown[] = []
  const leaving = new AbortController()
  const long = { name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 2 } }
  const seen = {
    version: client.getServerVersion(),
    capabilities: client.getServerCapabilities(),
    instructions: client.getInstructions(),
    tools: await client.listTools(),
    calls: await callAll(CALLS),
    refused: await callAll(REFUSED),
    prompts: await client.listPrompts(),
    prompt: await client.getPrompt({ name: 'args-prompt', arguments: { city: 'Oslo' } }),
    completion: await failure(
      client.complete({
        ref: { type: 'ref/prompt', name: 'completable-prompt' },
        argument: { name: 'department', value: 'E' },
      }),
    ),
    resources: await client.listResources(),
    templates: await client.listResourceTemplates(),
    resource: await failure(client.readResource({ uri: 'demo://resource/static/document/architecture.md' })),
    subscribed: await client.subscribeResource({ uri: 'demo://resource/dynamic/text/1' }),
    unsubscribed: await client.unsubscribeResource({ uri: 'demo://resource/dynamic/text/1' }),
    logging: await client.setLoggingLevel('debug'),
    ping: await client.ping(),
    unknown: await failure(client.request({ method: 'acme/unknown', params: { x: 1 } }, EmptyResultSchema)),
    long: await client.callTool(long, undefined, { onprogress: (step) => progress.push(step) }),
    cancelled: await failure(
      (async () => {
        const call = client.callTool(long, undefined, { signal: leaving.signal })
        leaving.abort('no longer wanted')
        return await call
      })(),
    ),
    // The SDK drops the last one where it comes together with the answer.
    progress: progress.slice(0, 1),
    asked,
  }
  await client.close()
  return seen
}

/** What no two runs have in common, or the proxy says beside an answer. */
function comparable(seen: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(seen), (name, value) => {
    if (name === RECEIPT_KEY) return undefined
    if (name === '_meta' && typeof value === 'object' && Object.keys(value).length === 0) return undefined
    return typeof value === 'string' ? value.replaceAll(/\b\d{1,2}:\d\d:\d\d( [AP]M)?\b/g, 'a time') : value
  })
}

it('everything that a server can do, and a client, is as it is without the proxy', async () => {
  const policy = join(folder(), 'all.cedar')
  writeFileSync(policy, '@id("all") permit (principal, action, resource);\n')
  const proxy = [MAIN, 'mcp', '--name', 'everything', '--policy', policy, '--', process.execPath, ...everything]
  const [direct, through] = await Promise.all([seenOf(everything, folder()), seenOf(proxy, folder())])
  expect((direct['tools'] as { readonly tools: unknown }).tools).toHaveLength(17)
  expect(Object.keys(direct['asked'] as object).sort()).toEqual(['elicitation', 'roots', 'sampling'])
  expect(direct['progress']).toHaveLength(1)
  expect(through['refused']).toMatchObject([{ isError: true }, { isError: true }])
  expect(comparable({ ...through, refused: [] })).toEqual(comparable({ ...direct, refused: [] }))
})
