import { useChat } from '@ai-sdk/react'
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses, type UIMessage } from 'ai'
import { createRoot } from 'react-dom/client'
import { CallCard, type HoldpointData, useHoldpoint } from '../../../adapters/react/index.ts'

type Message = UIMessage<unknown, { holdpoint: HoldpointData }>

interface Stored {
  readonly messages: Message[]
  readonly trustedKeys: readonly Record<string, string>[]
}

/** A chat as an app writes it, with the real `useChat`. */
function Chat({ messages, trustedKeys }: Stored) {
  const chat = useChat<Message>({
    messages,
    transport: new DefaultChatTransport({ api: '/chat' }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  })
  const holdpoint = useHoldpoint(chat, { trustedKeys })
  return (
    <>
      {chat.messages.flatMap(({ id, parts }) =>
        parts.map((part, at) => {
          const call = holdpoint.callOf(part)
          const key = `${id} ${at}`
          if (call !== undefined) return <CallCard key={key} call={call} holdpoint={holdpoint} />
          return part.type === 'text' ? <p key={key}>{part.text}</p> : null
        }),
      )}
      <button type="button" id="send" onClick={() => void chat.sendMessage({ text: 'Refund it, please.' })}>
        Send
      </button>
      <output>{chat.status}</output>
    </>
  )
}

const stored: Stored = await (await fetch('/stored')).json()
createRoot(document.querySelector('#root') ?? document.body).render(<Chat {...stored} />)
