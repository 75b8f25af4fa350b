import { setTimeout as sleep } from 'node:timers/promises'
import { type CallToolResult, fromJsonSchema, type McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { RED_PIXEL, SILENCE, said } from './parts.ts'

const STEP_MS = 50

/** The tools that ask nothing of the client: fixed contents, an error, progress, log messages, schemas. */
export function registerPlainTools(server: McpServer): void {
  for (const { name, description, content } of FIXED) server.registerTool(name, { description }, () => ({ content }))
  server.registerTool('test_error_handling', { description: 'Always fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  server.registerTool('test_tool_with_progress', { description: 'Reports its progress in three steps' }, progress)
  server.registerTool('test_tool_with_logging', { description: 'Logs while it runs' }, log)
  server.registerTool('test_logging_tool', { description: 'Logs when the request asks for it' }, log)
  server.registerTool('test_reconnection', { description: 'Closes its stream before it has answered' }, reconnect)
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(CONTACT_SCHEMA) },
    () => said('The arguments fit the schema.'),
  )
  server.registerTool(
    'test_region_header',
    { description: 'Repeats a region that a header carries too', inputSchema: REGION },
    ({ region }) => said(`Region: ${region}`),
  )
}

const FIXED: readonly { name: string; description: string; content: CallToolResult['content'] }[] = [
  {
    name: 'test_simple_text',
    description: 'Answers with one text',
    content: [{ type: 'text', text: 'This is a simple text response for testing.' }],
  },
  {
    name: 'test_image_content',
    description: 'Answers with an image',
    content: [{ type: 'image', data: RED_PIXEL, mimeType: 'image/png' }],
  },
  {
    name: 'test_audio_content',
    description: 'Answers with a sound',
    content: [{ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }],
  },
  {
    name: 'test_embedded_resource',
    description: 'Answers with a resource',
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  },
  {
    name: 'test_multiple_content_types',
    description: 'Answers with a text, an image and a resource',
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: RED_PIXEL, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  },
]

async function progress({ mcpReq }: ServerContext): Promise<CallToolResult> {
  const progressToken = mcpReq._meta?.progressToken
  for (const reached of [0, 50, 100]) {
    if (progressToken !== undefined) {
      const params = { progressToken, progress: reached, total: 100 }
      await mcpReq.notify({ method: 'notifications/progress', params })
    }
    if (reached < 100) await sleep(STEP_MS)
  }
  return said('Progress was reported.')
}

async function log({ mcpReq }: ServerContext): Promise<CallToolResult> {
  await mcpReq.log('info', 'Tool execution started')
  await sleep(STEP_MS)
  await mcpReq.log('info', 'Tool processing data')
  await sleep(STEP_MS)
  await mcpReq.log('info', 'Tool execution completed')
  return said('The tool logged three messages.')
}

async function reconnect({ http }: ServerContext): Promise<CallToolResult> {
  http?.closeSSE?.()
  await sleep(2 * STEP_MS)
  return said('The stream was closed, and taken up again.')
}

const REGION_SCHEMA = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  required: ['region'],
}
const REGION = fromJsonSchema<{ region: string }>(REGION_SCHEMA)

/** A contact that has a telephone or an e-mail address: every kind of keyword that must reach the client unchanged. */
const CONTACT_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}
