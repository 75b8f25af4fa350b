/** holdpoint/react over the messages of both majors, as an app that is type-checked sees it. */
import { type UseChatHelpers, useChat } from '@ai-sdk/react'
import type { UIMessage } from 'ai'
import type { UIMessage as UIMessage6 } from 'ai-v6'
import type { ReactElement } from 'react'
import type { HoldpointData as ServerData } from '../../adapters/ai-sdk/index.ts'
import {
  ApprovalRequest,
  CallCard,
  type ChatCall,
  callsIn,
  type HoldpointData,
  LegibleText,
  postAnswer,
  ReceiptBadge,
  Refusal,
  type RequestPart,
  TraceTimeline,
  useHoldpoint,
} from '../../adapters/react/index.ts'

type Message = UIMessage<unknown, { holdpoint: HoldpointData }>

// What the server says is what the page reads.
export const said: HoldpointData = {} as ServerData

export function Chat(): ReactElement {
  const chat: UseChatHelpers<Message> = useChat<Message>()
  const holdpoint = useHoldpoint(chat, { trustedKeys: [{ kty: 'OKP' }], now: () => 0 })
  // @ts-expect-error keys are keys, not a text
  useHoldpoint(chat, { trustedKeys: 'key' })
  const calls: readonly ChatCall[] = holdpoint.calls
  for (const call of calls) {
    // @ts-expect-error a call that cannot be read has nothing to believe
    void call.data
    if (call.kind === 'known') {
      const data: HoldpointData = call.data
      void data
    }
  }
  return (
    <>
      <TraceTimeline calls={calls} />
      <TraceTimeline calls={calls}>{({ entries }) => entries.map(({ title }) => title)}</TraceTimeline>
      {calls.map((call, at) => (
        <CallCard key={`${at}`} call={call} holdpoint={holdpoint} />
      ))}
      {calls.map((call) =>
        call.kind === 'known' ? (
          <Refusal key={call.toolCallId} call={call}>
            {({ refusal, next }) => `${refusal.code} ${next}`}
          </Refusal>
        ) : null,
      )}
    </>
  )
}

export function Approver({
  request,
  data,
}: {
  readonly request: RequestPart
  readonly data: HoldpointData
}): ReactElement {
  return (
    <>
      <ApprovalRequest request={request} onAnswer={postAnswer('/approvals')} />
      <ApprovalRequest request={request} onAnswer={({ ref, answer }) => [ref, answer]}>
        {({ approval, approve }) => (
          <button type="button" onClick={() => approve('fine')}>
            {approval.state}
          </button>
        )}
      </ApprovalRequest>
      {/* @ts-expect-error an answer has to go somewhere */}
      <ApprovalRequest request={request} />
      <ReceiptBadge data={data}>{({ check }) => check.state}</ReceiptBadge>
      <LegibleText text={request.argumentsText} />
    </>
  )
}

export const six = (messages: readonly UIMessage6[]): readonly ChatCall[] => callsIn(messages)
