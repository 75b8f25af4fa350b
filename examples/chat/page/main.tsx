import 'holdpoint/react/style.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App, openSession } from './app.tsx'

const root = document.getElementById('root')
if (root === null) throw new Error('the page has no place for the chat')
createRoot(root).render(
  <StrictMode>
    <App first={await openSession()} />
  </StrictMode>,
)
