/**
 * What the approver's page does. Plain JavaScript for any browser of the last years, in one closure.
 *
 * UNTRUSTED: what it draws comes from models. It writes by `textContent` alone, and the page's policy lets nothing else be done.
 * INVARIANT I3: the digest that it posts is worked out from the text on the page, where the browser can.
 */
export const SCRIPT = `
(() => {
  'use strict'
  const status = document.getElementById('status')
  const list = document.getElementById('requests')
  const ref = new URLSearchParams(location.search).get('ref')
  const at = location.pathname + (ref === null ? '' : '?ref=' + encodeURIComponent(ref))
  let ahead = 0

  const add = (parent, name, text) => {
    const element = document.createElement(name)
    if (text !== undefined) element.textContent = text
    parent.append(element)
    return element
  }
  const say = (text) => { status.textContent = text }

  const digest = async (text) => {
    if (globalThis.crypto?.subtle === undefined) return undefined
    const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
    return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  }

  const answer = async (request, pre, said, reason, buttons, outcome) => {
    for (const button of buttons) button.disabled = true
    const again = (text) => {
      outcome.textContent = text
      for (const button of buttons) button.disabled = false
    }
    try {
      const shown = (await digest(pre.textContent)) ?? request.shown
      const body = { ref: request.ref, answer: said, shown }
      if (reason !== '') body.reason = reason
      const response = await fetch(location.pathname, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        credentials: 'same-origin',
        body: JSON.stringify(body),
      })
      const told = await response.json()
      if (response.ok && told.outcome === 'recorded') {
        const state = told.request.state
        outcome.textContent = state === 'declined' ? 'Declined. It does not run.'
          : state === 'pending' ? 'Your yes is recorded. It waits for somebody else’s too.'
          : 'Approved, once.'
        return
      }
      const text = 'Not recorded: ' + told.message + (told.code === undefined ? '' : ' (' + told.code + ')')
      if (response.status >= 500) again(text)
      else outcome.textContent = text
    } catch {
      again('Not known whether it was recorded: the server could not be reached. Load the page again.')
    }
  }

  const draw = (request) => {
    const card = add(list, 'article')
    const heading = add(card, 'h2', request.ref)
    heading.id = request.ref
    card.setAttribute('aria-labelledby', request.ref)
    const pre = add(card, 'pre', request.question)
    pre.tabIndex = 0
    pre.setAttribute('aria-label', 'What is asked')
    if (request.previousShown !== undefined) {
      add(card, 'p', 'Last approved before, for this tool and person:')
      add(card, 'pre', request.previousShown)
    }
    for (const one of request.answers) add(card, 'p', one.answer + ' by ' + one.by)
    const left = add(card, 'p')
    const outcome = document.createElement('p')
    outcome.setAttribute('role', 'status')
    if (request.state !== 'pending') {
      left.textContent = 'It is ' + request.state + '.'
      return
    }
    const buttons = []
    if (request.yours) {
      const label = add(card, 'label', 'Reason (whoever asked reads it)')
      const reason = add(label, 'textarea')
      reason.maxLength = 512
      reason.rows = 2
      for (const [name, said, text] of [['yes', 'approved', 'Approve once'], ['no', 'declined', 'Decline']]) {
        const button = add(card, 'button', text)
        button.type = 'button'
        button.className = name
        button.addEventListener('click', () => answer(request, pre, said, reason.value.trim(), buttons, outcome))
        buttons.push(button)
      }
    } else add(card, 'p', 'It waits for somebody else.')
    card.append(outcome)
    const tick = () => {
      const seconds = Math.ceil((request.expiresAt - Date.now() - ahead) / 1000)
      if (seconds > 0) {
        left.textContent = 'Open for another ' + (seconds < 60 ? seconds + ' s' : Math.ceil(seconds / 60) + ' min') + '.'
        return
      }
      left.textContent = 'It has run out, unanswered.'
      for (const button of buttons) button.disabled = true
      clearInterval(timer)
    }
    const timer = setInterval(tick, 1000)
    tick()
  }

  const look = async () => {
    try {
      const response = await fetch(at, { headers: { accept: 'application/json' }, credentials: 'same-origin' })
      const told = await response.json()
      if (!response.ok) return say(told.message)
      ahead = told.now - Date.now()
      for (const request of told.requests) draw(request)
      say(told.requests.length === 0 ? 'Nothing waits for you.' : told.requests.length + (told.requests.length === 1 ? ' request' : ' requests'))
    } catch {
      say('The approvals cannot be reached. Load the page again.')
    }
  }
  void look()
})()
`
