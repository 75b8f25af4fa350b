import { useChat } from '@ai-sdk/react'
import {
  DefaultChatTransport,
  type DynamicToolUIPart,
  getToolName,
  isToolUIPart,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  type ToolUIPart,
  type UIMessage,
} from 'ai'
import { useState } from 'react'
import { createRoot } from 'react-dom/client'

type Answer = (answer: { readonly id: string; readonly approved: boolean }) => unknown

/** A tool call as an app draws it that has never heard of a gate: by the SDK's own states. */
function Call({ part, answer }: { readonly part: ToolUIPart | DynamicToolUIPart; readonly answer: Answer }) {
  const name = getToolName(part)
  switch (part.state) {
    case 'input-streaming':
    case 'input-available':
      return <p className="call">Calling {name} …</p>
    case 'approval-requested':
      return (
        <div className="call">
          <p>
            {name} wants to run with {JSON.stringify(part.input)}: {part.approval.requestReason}
          </p>
          <button type="button" onClick={() => void answer({ id: part.approval.id, approved: true })}>
            Allow
          </button>{' '}
          <button type="button" onClick={() => void answer({ id: part.approval.id, approved: false })}>
            Deny
          </button>
        </div>
      )
    case 'approval-responded':
      return (
        <p className="call">
          {name}: you {part.approval.approved ? 'allowed' : 'denied'} it
        </p>
      )
    case 'output-available':
      return (
        <p className="call">
          {name} ran: {JSON.stringify(part.output)}
        </p>
      )
    case 'output-error':
      return (
        <p className="call">
          {name} failed: {part.errorText}
        </p>
      )
    case 'output-denied':
      return (
        <p className="call">
          {name} was denied. {part.approval.reason}
        </p>
      )
  }
}

function Chat({ stored }: { readonly stored: UIMessage[] }) {
  const { messages, status, sendMessage, addToolApprovalResponse } = useChat({
    messages: stored,
    transport: new DefaultChatTransport({ api: `/chat${location.search}` }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  })
  const [text, setText] = useState('')
  return (
    <>
      {messages.map(({ id, parts }) => (
        <div className="message" key={id}>
          {parts.map((part, at) => {
            const key = `${id} ${at}`
            if (part.type === 'text') return <p key={key}>{part.text}</p>
            return isToolUIPart(part) ? <Call key={key} part={part} answer={addToolApprovalResponse} /> : null
          })}
        </div>
      ))}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void sendMessage({ text })
          setText('')
        }}
      >
        <textarea aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
        <button type="submit">Send</button>
      </form>
      {status === 'submitted' || status === 'streaming' ? <output>writing</output> : null}
    </>
  )
}

const stored: UIMessage[] = await (await fetch('/stored')).json()
createRoot(document.querySelector('#root') ?? document.body).render(<Chat stored={stored} />)
