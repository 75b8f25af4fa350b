import type { UIMessage } from 'ai'
import { type ReactElement, useRef, useState } from 'react'
import { Chat, type Session } from './chat.tsx'

/** How the connection fares, as far as the person has to know. */
export type Connection = 'there' | 'lost' | 'back' | 'unheard'

const AGAIN_MS = 500

/** Asks the server what it has of this chat. */
export async function openSession(): Promise<Session> {
  return await (await fetch('/api/session')).json()
}

/**
 * The chat, which is opened again where the connection was lost. What the server has counts then, not what this page made of half an
 * answer, and nothing that was sent is sent again by itself: a message that did not arrive goes back to where it was written, and a
 * question whose answer did not arrive is asked again.
 */
export function App({ first }: { readonly first: Session }): ReactElement {
  const [{ session, visit }, setOpened] = useState({ session: first, visit: 0 })
  const [connection, setConnection] = useState<Connection>('there')
  const [draft, setDraft] = useState('')
  const isReopening = useRef(false)

  const reopen = async (): Promise<Session> => {
    const session = await untilItAnswers(openSession)
    setOpened(({ visit }) => ({ session, visit: visit + 1 }))
    return session
  }
  const regain = async (shown: readonly UIMessage[]): Promise<void> => {
    if (isReopening.current) return
    isReopening.current = true
    setConnection('lost')
    const { messages } = await reopen()
    const unheard = shown.filter(({ id, role }) => role === 'user' && messages.every((kept) => kept.id !== id))
    setDraft((draft) => [...unheard.map(textOf), draft].filter((text) => text !== '').join(' '))
    setConnection(unheard.length > 0 ? 'unheard' : 'back')
    isReopening.current = false
  }
  return (
    <Chat
      key={visit}
      session={session}
      connection={connection}
      draft={draft}
      onDraft={setDraft}
      onSaid={() => setConnection('there')}
      onLost={(shown) => void regain(shown)}
      onLate={() => void reopen()}
    />
  )
}

async function untilItAnswers<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch {
      await new Promise((tried) => setTimeout(tried, AGAIN_MS))
    }
  }
}

function textOf({ parts }: UIMessage): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join(' ')
}
