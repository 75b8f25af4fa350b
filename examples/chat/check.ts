/** The story of this example, told to a running server over HTTP, as a page would. */
import assert from 'node:assert/strict'
import { DefaultChatTransport, readUIMessageStream, type UIMessage } from 'ai'
import { callsIn, type KnownCall } from 'holdpoint/react'
import type { Order } from './orders.ts'

/** @throws AssertionError where the story does not come true */
export async function checkStory(url: string): Promise<void> {
  const page = await fetch(url)
  assert.match(await page.text(), /<div id="root">/, 'the page was built')
  const session = await fetch(`${url}api/session`)
  const cookie = session.headers.get('set-cookie')?.split(';')[0] ?? ''
  const chatId: string = (await session.json()).id
  const transport = new DefaultChatTransport({ api: `${url}api/chat`, headers: { cookie } })
  let messages: UIMessage[] = []

  /** Sends what the chat holds, and takes in the answer. */
  const send = async (): Promise<KnownCall> => {
    const stream = await transport.sendMessages({
      chatId,
      messages,
      trigger: 'submit-message',
      messageId: undefined,
      abortSignal: undefined,
    })
    const last = messages.at(-1)
    const goesOn = last?.role === 'assistant'
    let answer: UIMessage | undefined
    for await (const message of readUIMessageStream({ stream, ...(goesOn ? { message: last } : {}) })) answer = message
    assert(answer !== undefined)
    messages = [...(goesOn ? messages.slice(0, -1) : messages), answer]
    const call = callsIn(messages).at(-1)
    assert(call?.kind === 'known')
    const { status, data } = call
    console.log(
      `${status.padEnd(9)} ${data.tool.padEnd(7)} ${data.refusal?.message ?? data.notices?.[0]?.message ?? ''}`,
    )
    return call
  }
  const say = async (text: string): Promise<KnownCall> => {
    messages = [...messages, { id: `u${messages.length}`, role: 'user', parts: [{ type: 'text', text }] }]
    return await send()
  }
  /** What `addToolApprovalResponse` of `useChat` does. */
  const answer = (id: string | undefined, approved: boolean): void => {
    assert(id !== undefined)
    messages = messages.map((message) => ({
      ...message,
      parts: message.parts.map((part) => {
        const { approval } = part as { readonly approval?: { readonly id: string } }
        if (approval?.id !== id) return part
        return {
          ...part,
          state: 'approval-responded',
          approval: { ...approval, approved },
        } as UIMessage['parts'][number]
      }),
    }))
  }
  const refunded = async (id: string): Promise<number | undefined> => {
    const orders: readonly Order[] = await (await fetch(`${url}api/orders`)).json()
    return orders.find((order) => order.id === id)?.refunded
  }
  const service = async (on: boolean): Promise<void> => {
    const headers = { 'content-type': 'application/json' }
    await fetch(`${url}api/service`, { method: 'POST', headers, body: JSON.stringify({ on }) })
  }

  assert.equal((await say('Where is A-1042?')).status, 'ran')
  assert.equal((await say('Refund 40 EUR of A-1042')).status, 'ran')
  assert.equal(await refunded('A-1042'), 40, 'a small refund runs')
  const answered = messages
  messages = answered.slice(0, -1)
  await assert.rejects(send(), /one message after another/, 'a message that comes twice is heard once')
  assert.equal(await refunded('A-1042'), 40)
  messages = answered

  const asked = await say('Refund 200 EUR of A-1042')
  assert.equal(asked.status, 'waiting')
  assert.equal(asked.data.request?.argumentsText, '{"amount":200,"order":"A-1042"}')
  assert.equal(await refunded('A-1042'), 40, 'a large one waits')
  answer(asked.approvalId, true)
  const history = structuredClone(messages)
  assert.equal((await send()).status, 'ran')
  assert.equal(await refunded('A-1042'), 240, 'and runs once it is approved')
  const stored: { messages: UIMessage[] } = await (await fetch(`${url}api/session`, { headers: { cookie } })).json()
  assert.deepEqual(stored.messages, JSON.parse(JSON.stringify(messages)), 'what is stored is what the page has')
  messages = history
  assert.equal((await send()).data.refusal?.code, 'already_executed')
  assert.equal(await refunded('A-1042'), 240, 'once, however often the same yes is sent')

  const forbidden = await say('Refund 900 EUR of A-1043')
  assert.equal(forbidden.data.refusal?.code, 'denied_by_policy')
  assert.deepEqual(
    forbidden.data.refusal?.constraints?.map(({ path }) => path),
    ['/amount'],
    'with its constraint',
  )
  const disputed = await say('Refund 20 EUR of A-1044')
  assert.match(disputed.data.refusal?.message ?? '', /in dispute/)

  await service(false)
  const unchecked = await say('Where is A-1041?')
  assert.equal(unchecked.status, 'ran')
  assert.deepEqual(
    unchecked.data.notices?.map(({ kind }) => kind),
    ['failed_open'],
  )
  assert.equal((await say('Refund 20 EUR of A-1041')).status, 'refused')
  assert.equal(await refunded('A-1041'), 0, 'nothing is paid while nobody checks')
  await service(true)
}
