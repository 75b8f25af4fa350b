import { useChat } from '@ai-sdk/react'
import { AssistantRuntimeProvider, ComposerPrimitive, MessagePrimitive, ThreadPrimitive } from '@assistant-ui/react'
import { useAISDKRuntime } from '@assistant-ui/react-ai-sdk'
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses, type UIMessage } from 'ai'
import { createContext, useContext } from 'react'
import { createRoot } from 'react-dom/client'
import { CallCard, type Holdpoint, type HoldpointData, useHoldpoint } from '../../adapters/react/index.ts'

const Gate = createContext<Holdpoint | undefined>(undefined)

/** assistant-ui's part for `data-holdpoint`, drawn by our card. */
function Told({ data }: { readonly data: HoldpointData }) {
  const holdpoint = useContext(Gate)
  const call = holdpoint?.callWithId(data.toolCallId)
  return holdpoint === undefined || call === undefined ? null : <CallCard call={call} holdpoint={holdpoint} />
}

function Message() {
  return (
    <MessagePrimitive.Root className="message">
      <MessagePrimitive.Parts components={{ data: { by_name: { holdpoint: Told } } }} />
    </MessagePrimitive.Root>
  )
}

function Chat({ messages }: { readonly messages: UIMessage[] }) {
  const chat = useChat({
    messages,
    transport: new DefaultChatTransport({ api: '/chat' }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  })
  const runtime = useAISDKRuntime(chat)
  const holdpoint = useHoldpoint(chat)
  return (
    <AssistantRuntimeProvider runtime={runtime}>
      <Gate value={holdpoint}>
        <ThreadPrimitive.Root>
          <ThreadPrimitive.Messages components={{ UserMessage: Message, AssistantMessage: Message }} />
          <ComposerPrimitive.Root>
            <ComposerPrimitive.Input aria-label="Message" />
            <ComposerPrimitive.Send>Send</ComposerPrimitive.Send>
          </ComposerPrimitive.Root>
        </ThreadPrimitive.Root>
      </Gate>
    </AssistantRuntimeProvider>
  )
}

const stored: UIMessage[] = await (await fetch('/stored')).json()
createRoot(document.querySelector('#root') ?? document.body).render(<Chat messages={stored} />)
