import {
  AssistantRuntimeProvider,
  ComposerPrimitive,
  MessagePrimitive,
  ThreadPrimitive,
  type ToolCallMessagePartProps,
} from '@assistant-ui/react'
import { AssistantChatTransport, useChatRuntime } from '@assistant-ui/react-ai-sdk'
import { lastAssistantMessageIsCompleteWithApprovalResponses, type UIMessage } from 'ai'
import { createRoot } from 'react-dom/client'

/**
 * A call of a tool that has no look of its own. assistant-ui's own fallback is copied into each app, so no package has it; this one shows
 * the same fields under the same conditions: any call is one that was used, its arguments and its result stand behind that line, and the
 * line opens by itself where an answer is due.
 */
function Call({ toolName, argsText, result, status, approval, respondToApproval }: ToolCallMessagePartProps) {
  const isDue = status.type === 'requires-action' && approval?.approved === undefined
  return (
    <details className="call" open={isDue}>
      <summary>
        Used tool: <b>{toolName}</b>
      </summary>
      <pre>{argsText}</pre>
      {isDue ? (
        <p>
          <button type="button" onClick={() => void respondToApproval({ approved: true })}>
            Allow
          </button>{' '}
          <button type="button" onClick={() => void respondToApproval({ approved: false })}>
            Deny
          </button>
        </p>
      ) : null}
      {result === undefined ? null : (
        <pre className="result">{typeof result === 'string' ? result : JSON.stringify(result, null, 2)}</pre>
      )}
    </details>
  )
}

function Message() {
  return (
    <MessagePrimitive.Root className="message">
      <MessagePrimitive.Parts components={{ tools: { Fallback: Call } }} />
    </MessagePrimitive.Root>
  )
}

function Chat({ messages }: { readonly messages: UIMessage[] }) {
  const runtime = useChatRuntime({
    messages,
    transport: new AssistantChatTransport({ api: `/chat${location.search}` }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  })
  return (
    <AssistantRuntimeProvider runtime={runtime}>
      <ThreadPrimitive.Root>
        <ThreadPrimitive.Viewport>
          <ThreadPrimitive.Messages components={{ UserMessage: Message, AssistantMessage: Message }} />
        </ThreadPrimitive.Viewport>
        <ComposerPrimitive.Root>
          <ComposerPrimitive.Input aria-label="Message" />
          <ComposerPrimitive.Send>Send</ComposerPrimitive.Send>
        </ComposerPrimitive.Root>
        <ThreadPrimitive.If running>
          <output>writing</output>
        </ThreadPrimitive.If>
      </ThreadPrimitive.Root>
    </AssistantRuntimeProvider>
  )
}

const stored: UIMessage[] = await (await fetch('/stored')).json()
createRoot(document.querySelector('#root') ?? document.body).render(<Chat messages={stored} />)
