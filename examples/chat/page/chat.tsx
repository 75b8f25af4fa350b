import { useChat } from '@ai-sdk/react'
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses, type UIMessage } from 'ai'
import { CallCard, type Holdpoint, TraceTimeline, useHoldpoint } from 'holdpoint/react'
import { type ReactElement, useEffect, useRef, useState } from 'react'
import type { Order } from '../orders.ts'
import type { Connection } from './app.tsx'

/** What the server says to a page that opens. */
export interface Session {
  readonly id: string
  readonly user: string
  readonly model: string
  readonly service: boolean
  readonly messages: UIMessage[]
  /** Is an answer being written? */
  readonly isWriting: boolean
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

/** As near to the end of the chat as this, a person is reading its end. */
const NEAR_PX = 80

const CONNECTION: Readonly<Record<Connection, string>> = {
  there: '',
  lost: 'The connection is lost. Trying again …',
  back: 'The connection was lost for a moment. Above is what the server has.',
  unheard: 'The connection was lost, and your message did not arrive. It stands below again.',
}

interface ChatProps {
  readonly session: Session
  readonly connection: Connection
  /** What is being typed: it outlives the connection. */
  readonly draft: string
  readonly onDraft: (text: string) => void
  readonly onSaid: () => void
  readonly onLost: (shown: readonly UIMessage[]) => void
  /** The answer that was to be resumed has ended meanwhile. */
  readonly onLate: () => void
}

export function Chat({ session, connection, draft, onDraft, onSaid, onLost, onLate }: ChatProps): ReactElement {
  // What is resumed goes on with what the server had stored, which is what this page was opened with.
  const [transport] = useState(() => {
    const asks: typeof fetch = async (...asked) => {
      const response = await fetch(...asked)
      if (response.status === 204) onLate()
      return response
    }
    return new DefaultChatTransport({ resumeStreamIsReplay: false, fetch: asks })
  })
  const chat = useChat({
    id: session.id,
    messages: session.messages,
    transport,
    resume: session.isWriting,
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
    // What the browser throws when a connection breaks is a TypeError; what the server says of itself is not.
    onError: (error) => {
      if (error instanceof TypeError) onLost(chat.messages)
    },
  })
  const holdpoint = useHoldpoint(chat, { trustedKeys: session.trustedKeys })
  const { messages, status, error, sendMessage } = chat
  const end = useEndInSight(messages)
  const isBusy = status === 'submitted' || status === 'streaming'
  const say = (text: string): boolean => {
    if (isBusy || connection === 'lost' || text.trim() === '') return false
    onSaid()
    end.hold()
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
          {error === undefined || connection === 'lost' ? null : (
            <p className="trouble" role="alert">
              The server did not answer. What ran meanwhile stands in the orders.
            </p>
          )}
          <p className="trouble" role="status">
            {CONNECTION[connection]}
          </p>
          <div className="tries" ref={end.ref}>
            {TRIES.map((text) => (
              <button key={text} type="button" className="plain" aria-disabled={isBusy} onClick={() => say(text)}>
                {text}
              </button>
            ))}
          </div>
          <Composer say={say} text={draft} onText={onDraft} />
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

/** Keeps the end of the chat in sight while it grows, unless the person has gone up to read. */
function useEndInSight(messages: readonly UIMessage[]) {
  const ref = useRef<HTMLDivElement>(null)
  const isHeld = useRef(true)
  useEffect(() => {
    const note = (): void => {
      isHeld.current = (ref.current?.getBoundingClientRect().bottom ?? 0) < innerHeight + NEAR_PX
    }
    addEventListener('scroll', note, { passive: true })
    return () => removeEventListener('scroll', note)
  }, [])
  useEffect(() => {
    if (isHeld.current && messages.length > 0) ref.current?.scrollIntoView({ block: 'end' })
  }, [messages])
  const hold = (): void => {
    isHeld.current = true
  }
  return { ref, hold }
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

interface ComposerProps {
  readonly say: (text: string) => boolean
  readonly text: string
  readonly onText: (text: string) => void
}

function Composer({ say, text, onText }: ComposerProps): ReactElement {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (say(text)) onText('')
      }}
    >
      <input
        aria-label="Message"
        placeholder="Ask about an order, or for a refund"
        value={text}
        onChange={(event) => onText(event.target.value)}
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
      // Without a connection the table stays as it was; the chat says so, and opens everything again.
      .catch(() => undefined)
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
