import 'holdpoint/react/style.css'
import type { UIMessage } from 'ai'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Chat, type Session } from './chat.tsx'

const session: Session & { readonly messages: UIMessage[] } = await (await fetch('/api/session')).json()
const root = document.getElementById('root')
if (root === null) throw new Error('the page has no place for the chat')
createRoot(root).render(
  <StrictMode>
    <Chat session={session} />
  </StrictMode>,
)
