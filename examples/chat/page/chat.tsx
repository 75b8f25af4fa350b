import { useChat } from '@ai-sdk/react'
import { lastAssistantMessageIsCompleteWithApprovalResponses, type UIMessage } from 'ai'
import { CallCard, type Holdpoint, TraceTimeline, useHoldpoint } from 'holdpoint/react'
import { type ReactElement, useEffect, useState } from 'react'
import type { Order } from '../orders.ts'

/** What the server says to a page that opens. */
export interface Session {
  readonly id: string
  readonly user: string
  readonly model: string
  readonly service: boolean
  readonly messages: UIMessage[]
  /** In an app of your own, build the public key into the page: whoever can change this answer can change what verifies. */
  readonly trustedKeys: Parameters<typeof useHoldpoint>[1] extends infer Options | undefined
    ? NonNullable<(Options & { trustedKeys?: unknown })['trustedKeys']>
    : never
}

const TRIES = [
  'Where is A-1042?',
  'Refund 40 EUR of A-1042',
  'Refund 350 EUR of A-1042',
  'Refund 900 EUR of A-1043',
  'What are the rules?',
]

export function Chat({ session }: { readonly session: Session }): ReactElement {
  const chat = useChat({
    id: session.id,
    messages: session.messages,
    resume: true,
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  })
  const holdpoint = useHoldpoint(chat, { trustedKeys: session.trustedKeys })
  const { messages, status, error, sendMessage } = chat
  const isBusy = status === 'submitted' || status === 'streaming'
  const say = (text: string): boolean => {
    if (isBusy || text.trim() === '') return false
    void sendMessage({ text })
    return true
  }
  return (
    <>
      <header>
        <h1>Support desk</h1>
        <span className="who">
          {session.user}, with the {session.model}
        </span>
        <PolicyService isOnAtFirst={session.service} />
      </header>
      <main>
        <section className="talk" aria-label="Chat" aria-busy={isBusy}>
          <ol aria-live="polite">
            {messages.map((message) => (
              <Message key={message.id} message={message} holdpoint={holdpoint} />
            ))}
          </ol>
          {error === undefined ? null : (
            <p className="trouble" role="alert">
              The server did not answer. What ran meanwhile stands in the orders.
            </p>
          )}
          <div className="tries">
            {TRIES.map((text) => (
              <button key={text} type="button" className="plain" aria-disabled={isBusy} onClick={() => say(text)}>
                {text}
              </button>
            ))}
          </div>
          <Composer say={say} />
        </section>
        <aside>
          <OrderTable changed={status} />
          {holdpoint.calls.length === 0 ? null : (
            <section>
              <h2>What the assistant did</h2>
              <TraceTimeline calls={holdpoint.calls} trustedKeys={session.trustedKeys} />
            </section>
          )}
        </aside>
      </main>
    </>
  )
}

interface MessageProps {
  readonly message: UIMessage
  readonly holdpoint: Holdpoint
}

function Message({ message, holdpoint }: MessageProps): ReactElement {
  return (
    <li className={message.role === 'user' ? 'own' : 'theirs'}>
      {message.parts.map((part, at) => {
        const key = `${message.id} ${at}`
        const call = holdpoint.callOf(part)
        if (call !== undefined) return <CallCard key={key} call={call} holdpoint={holdpoint} />
        return part.type === 'text' ? <p key={key}>{part.text}</p> : null
      })}
    </li>
  )
}

function Composer({ say }: { readonly say: (text: string) => boolean }): ReactElement {
  const [text, setText] = useState('')
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (say(text)) setText('')
      }}
    >
      <input
        aria-label="Message"
        placeholder="Ask about an order, or for a refund"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="plain">
        Send
      </button>
    </form>
  )
}

/** Switches the policy service off and on again: not the gate. */
function PolicyService({ isOnAtFirst }: { readonly isOnAtFirst: boolean }): ReactElement {
  const [isOn, setOn] = useState(isOnAtFirst)
  const flip = async (): Promise<void> => {
    const response = await fetch('/api/service', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ on: !isOn }),
    })
    setOn((await response.json()).on === true)
  }
  return (
    <div className="service">
      <span role="status" data-on={isOn}>
        policy service {isOn ? 'on' : 'off'}
      </span>
      <button type="button" className="plain" onClick={() => void flip()}>
        Switch it {isOn ? 'off' : 'on'}
      </button>
    </div>
  )
}

/** The database as it stands, read again whenever an answer ends. */
function OrderTable({ changed }: { readonly changed: string }): ReactElement {
  const [orders, setOrders] = useState<readonly Order[]>([])
  useEffect(() => {
    let isCurrent = changed !== ''
    void fetch('/api/orders')
      .then(async (response) => await response.json())
      .then((read) => {
        if (isCurrent) setOrders(read)
      })
    return () => {
      isCurrent = false
    }
  }, [changed])
  return (
    <section>
      <h2>Orders</h2>
      <table>
        <thead>
          <tr>
            <th>Order</th>
            <th className="sum">Paid</th>
            <th className="sum">Refunded</th>
          </tr>
        </thead>
        <tbody>
          {orders.map(({ id, customer, item, paid, refunded }) => (
            <tr key={id} data-order={id}>
              <td>
                {id}
                <small>
                  {customer}, {item}
                </small>
              </td>
              <td className="sum">{paid.toFixed(2)}</td>
              <td className="sum refunded">{refunded.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
