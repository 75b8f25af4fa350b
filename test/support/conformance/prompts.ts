import { completable, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { RED_PIXEL } from './parts.ts'

const WORDS = ['paris', 'park', 'party', 'test', 'testing']

/** The prompts that the scenarios ask for. The one that needs input first is among the rounds. */
export function registerPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'A prompt without arguments' }, () => ({
    messages: [user('This is a simple prompt for testing.')],
  }))
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'A prompt with two arguments', argsSchema: z.object({ arg1: word(), arg2: word() }) },
    ({ arg1, arg2 }) => ({ messages: [user(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A prompt that carries a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: {
              uri: resourceUri,
              mimeType: 'text/plain',
              text: 'Embedded resource content for testing.',
            },
          },
        },
        user('Please process the embedded resource above.'),
      ],
    }),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt that carries an image' }, () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: RED_PIXEL, mimeType: 'image/png' } },
      user('Please analyze the image above.'),
    ],
  }))
}

function user(text: string) {
  return { role: 'user' as const, content: { type: 'text' as const, text } }
}

function word() {
  return completable(z.string(), (typed) => WORDS.filter((candidate) => candidate.startsWith(typed)))
}
