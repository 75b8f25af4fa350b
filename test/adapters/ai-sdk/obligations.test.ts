/** What a permit obliges to, through the real AI SDK: the tool gets it, the model is told in a line, the person sees the change. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardTools, respond } from '../../../adapters/ai-sdk/index.ts'
import { testGate } from '../../../src/testing.ts'
import { chunksOf } from './driver.ts'
import { said, scriptedModel, sdkOf, type UiMessage } from './sdk.ts'

const SECRET = 'eve@example.com'
const POLICY = String.raw`
@id("few") @obligation("limit:{\"path\":\"/rows\",\"max\":5}") permit (principal, action, resource);
@id("dry") @obligation("dry_run:{\"path\":\"/dryRun\"}") permit (principal, action, resource);
@id("kept") @obligation("redact_output:{\"paths\":[\"/people/*/email\"]}") permit (principal, action, resource);`
const inputSchema = z.object({ rows: z.number().int(), dryRun: z.boolean().optional() })
const USER: UiMessage = { id: 'u1', role: 'user', parts: [{ type: 'text', ...{ text: 'go' } }] }

for (const major of [7, 6] as const) {
  describe(`streamText on ai ${major}`, () => {
    it.each([
      ['a tool that answers once', false],
      ['a tool that shows previews', true],
    ])('limits, dries and redacts %s, and says so', async (_, hasPreviews) => {
      const sdk = sdkOf(major)
      const ran: unknown[] = []
      const people = [{ name: 'Eve', email: SECRET }]
      const execute = hasPreviews
        ? async function* (input: unknown) {
            ran.push(input)
            yield { people: [] }
            yield `found ${SECRET}`
            yield { people }
          }
        : async (input: unknown) => {
            ran.push(input)
            return { people }
          }
      const me = testGate({ policy: POLICY }).as({ user: 'alice' }, { conversation: 'c1', channel: 'chat' })
      const guarded = guardTools({ find: sdk.tool({ description: 'finds people', inputSchema, execute }) }, me)
      const { model, prompts } = scriptedModel(major, [[said('find', { rows: 900 }, 'c1')]])
      const result = sdk.streamText({
        model,
        messages: await sdk.convertToModelMessages([USER], { tools: guarded.tools }),
        stopWhen: sdk.stepCountIs(3),
        onError: () => undefined,
        ...guarded,
      })
      let kept: readonly UiMessage[] = []
      const chunks = await chunksOf(
        respond(result, me, {
          originalMessages: [USER],
          generateMessageId: () => 'a1',
          onFinish: (event: { readonly messages: readonly UiMessage[] }) => {
            kept = event.messages
          },
        }),
      )
      expect(ran).toEqual([{ rows: 5, dryRun: true }])
      const told = JSON.stringify(prompts())
      for (const line of ['it ran with /rows = 5', 'it ran with /dryRun = true', 'keeps parts of this call'])
        expect(told).toContain(line)
      expect(told).toContain('[redacted]')
      for (const seen of [told, JSON.stringify(chunks), JSON.stringify(kept)]) expect(seen).not.toContain(SECRET)
      const outputs = chunks.filter(({ type }) => type === 'tool-output-available')
      expect(outputs.length > 1).toBe(hasPreviews)
      const [data] = kept.flatMap(({ parts }) => parts.filter(({ type }) => type === 'data-holdpoint'))
      expect(data?.data).toMatchObject({
        notices: [
          { kind: 'limited', changes: [{ path: '/rows', from: '900', to: '5' }] },
          { kind: 'dry_run', changes: [{ path: '/dryRun', to: 'true' }] },
          { kind: 'redacted', changes: [{ path: '/people/*/email' }] },
        ],
      })
    })
  })
}
