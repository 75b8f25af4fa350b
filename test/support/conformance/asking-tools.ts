import {
  type CallToolResult,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { said, sampling, textOf } from './parts.ts'

/** The tools that ask the client for one thing, and answer with what it said. */
export function registerAskingTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: "Asks the client's model", inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, context) => sampled(context, prompt),
  )
  server.registerTool(
    'test_elicitation',
    { description: "Asks the client's user who they are", inputSchema: z.object({ message: z.string() }) },
    ({ message }, context) => elicited(context, 'User response', elicit(message, WHO)),
  )
  server.registerTool(
    'test_elicitation_sep1034_defaults',
    { description: 'Asks with a default for every kind of field' },
    (context) => elicited(context, 'Elicitation completed', elicit('Please check these values', DEFAULTS)),
  )
  server.registerTool('test_elicitation_sep1330_enums', { description: 'Asks for choices of every kind' }, (context) =>
    elicited(context, 'Elicitation completed', elicit('Please choose', CHOICES)),
  )
  server.registerTool('test_streaming_elicitation', { description: 'Asks where an answer could stream' }, (context) =>
    elicited(context, 'Elicitation completed', elicit('Please say who you are', WHO)),
  )
  server.registerTool(
    'test_missing_capability',
    { description: "Needs the client's model, whether it has one or not" },
    (context) => sampled(context, 'Say hello'),
  )
}

type Schema = Parameters<typeof inputRequired.elicit>[0]['requestedSchema']

function elicit(message: string, requestedSchema: Schema): InputRequest {
  return inputRequired.elicit({ message, requestedSchema })
}

function sampled({ mcpReq }: ServerContext, prompt: string): CallToolResult | InputRequiredResult {
  const answer = inputResponse(mcpReq.inputResponses, 'answer')
  if (answer.kind !== 'sampling') return inputRequired({ inputRequests: { answer: sampling(prompt, 100) } })
  return said(`LLM response: ${textOf(answer.result.content)}`)
}

function elicited({ mcpReq }: ServerContext, opening: string, question: InputRequest) {
  const answer = inputResponse(mcpReq.inputResponses, 'answer')
  if (answer.kind !== 'elicit') return inputRequired({ inputRequests: { answer: question } })
  return said(`${opening}: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)
}

const WHO: Schema = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
}

const DEFAULTS: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
}

const CHOICES: Schema = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: {
      type: 'string',
      oneOf: [
        { const: 'value1', title: 'First Option' },
        { const: 'value2', title: 'Second Option' },
        { const: 'value3', title: 'Third Option' },
      ],
    },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: {
      type: 'array',
      items: {
        anyOf: [
          { const: 'value1', title: 'First Choice' },
          { const: 'value2', title: 'Second Choice' },
          { const: 'value3', title: 'Third Choice' },
        ],
      },
    },
  },
}
