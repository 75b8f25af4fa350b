import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import {
  ApprovalRequest,
  CallCard,
  type ChatMessage,
  TraceTimeline,
  useHoldpoint,
} from '../../../adapters/react/index.ts'

/** What the test put into the page. */
interface Shown {
  readonly messages: readonly ChatMessage[]
  readonly trustedKeys?: readonly Record<string, string>[]
  readonly timeline?: boolean
  /** An approver's own page, without a chat. */
  readonly approver?: boolean
  /** How the server takes an answer. */
  readonly answering?: 'at once' | 'never' | 'fails'
}

declare global {
  interface Window {
    shown: Shown
    sent: unknown[]
  }
}

window.sent = []

function Gallery({ messages, trustedKeys = [], timeline, approver, answering }: Shown) {
  const [count, setCount] = useState(0)
  const addToolApprovalResponse = async (response: unknown) => {
    window.sent.push(response)
    if (answering === 'never') await new Promise(() => undefined)
    if (answering === 'fails') throw new Error('the server is away')
    setCount(count + 1)
  }
  const holdpoint = useHoldpoint({ messages, addToolApprovalResponse }, { trustedKeys })
  if (timeline === true) return <TraceTimeline calls={holdpoint.calls} trustedKeys={trustedKeys} />
  if (approver === true)
    return holdpoint.calls.map((call) =>
      call.kind === 'known' && call.data.request !== undefined ? (
        <ApprovalRequest
          key={call.toolCallId}
          request={call.data.request}
          onAnswer={(answer) => {
            window.sent.push(answer)
          }}
        />
      ) : null,
    )
  return messages
    .flatMap(({ parts }) => parts)
    .map((part, at) => {
      const call = holdpoint.callOf(part)
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a test do not move
      return call === undefined ? null : <CallCard key={at} call={call} holdpoint={holdpoint} />
    })
}

const root = createRoot(document.querySelector('#root') ?? document.body)
root.render(
  <StrictMode>
    <Gallery {...window.shown} />
  </StrictMode>,
)
