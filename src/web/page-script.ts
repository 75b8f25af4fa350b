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
  const isRegistering = new URLSearchParams(location.search).has('passkey')
  let ahead = 0
  let passkeys = []

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

  const toBase64url = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  const fromBase64url = (text) =>
    Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))

  /* Those of this page's own origin, under one RP ID. */
  const usable = () => {
    const here = passkeys.filter(({ origin }) => origin === location.origin)
    return here.filter(({ rpId }) => rpId === here[0].rpId)
  }

  /* The challenge is the gate's passkeyChallenge: canonical JSON of the answer that is about to be sent. */
  const signed = async ({ ref, req }, { answer, reason, shown }) => {
    const text = JSON.stringify({ answer, reason, ref, req, shown, typ: 'holdpoint-passkey', v: 1 })
    const { id, response } = await navigator.credentials.get({
      publicKey: {
        challenge: await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)),
        rpId: usable()[0].rpId,
        allowCredentials: usable().map(({ credentialId }) => ({ type: 'public-key', id: fromBase64url(credentialId) })),
        userVerification: 'required',
        timeout: 120000,
      },
    })
    const { authenticatorData, clientDataJSON, signature } = response
    return {
      credentialId: id,
      authenticatorData: toBase64url(authenticatorData),
      clientDataJSON: toBase64url(clientDataJSON),
      signature: toBase64url(signature),
    }
  }

  /* Line by line, so that what wraps stays behind the mark of its own line. The text is the question's, character by character. */
  const write = (pre, text) => {
    const lines = text.split('\\n')
    for (const [at, line] of lines.entries())
      add(pre, 'span', at === lines.length - 1 ? line : line + '\\n').className = line.startsWith('┆') ? 'argument' : 'line'
  }

  const answer = async (request, pre, said, reason, { buttons, outcome, close }, withPasskey) => {
    for (const button of buttons) button.disabled = true
    const again = (text) => {
      outcome.textContent = text
      for (const button of buttons) button.disabled = false
    }
    const ended = (text) => {
      close()
      outcome.textContent = text
      outcome.focus()
    }
    try {
      const shown = (await digest(pre.textContent)) ?? request.shown
      const body = { ref: request.ref, answer: said, shown }
      if (reason !== '') body.reason = reason
      if (withPasskey) {
        outcome.textContent = 'Your passkey is asked for…'
        const made = await signed(request, body).catch(() => undefined)
        if (made === undefined) return again('Not signed, so nothing was recorded.')
        body.passkey = made
      }
      const response = await fetch(location.pathname, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        credentials: 'same-origin',
        body: JSON.stringify(body),
      })
      const told = await response.json()
      if (response.ok && told.outcome === 'recorded') {
        const state = told.request.state
        return ended(state === 'declined' ? 'Declined. It does not run.'
          : state === 'pending' ? 'Your yes is recorded. It waits for somebody else’s too.'
          : 'Approved, once.')
      }
      const text = 'Not recorded: ' + told.message + (told.code === undefined ? '' : ' (' + told.code + ')')
      if (response.status >= 500) again(text)
      else ended(text)
    } catch {
      again('Not known whether it was recorded: the server could not be reached. Load the page again.')
    }
  }

  const draw = (request) => {
    const card = add(list, 'article')
    const heading = add(card, 'h2', request.ref)
    heading.id = request.ref
    card.setAttribute('aria-labelledby', request.ref)
    const pre = add(card, 'pre')
    write(pre, request.question)
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
    outcome.tabIndex = -1
    outcome.className = 'outcome'
    if (request.state !== 'pending') {
      left.textContent = 'It is ' + request.state + '.'
      return
    }
    const buttons = []
    const controls = add(card, 'div')
    controls.className = 'controls'
    card.append(outcome)
    const close = () => {
      clearInterval(timer)
      controls.remove()
      left.remove()
    }
    if (request.yours) {
      const label = add(controls, 'label', 'Reason (whoever asked reads it)')
      const reason = add(label, 'textarea')
      reason.maxLength = 512
      reason.rows = 2
      const parts = { buttons, outcome, close }
      const canSign = usable().length > 0
      const offered = []
      if (canSign) offered.push(['yes', 'approved', 'Approve once, with your passkey', true])
      if (request.passkey !== true) offered.push([canSign ? 'plain' : 'yes', 'approved', 'Approve once', false])
      else if (!canSign) add(controls, 'p', 'A yes has to be signed by your passkey, and that is of another page.')
      offered.push(['no', 'declined', 'Decline', false])
      for (const [name, said, text, withPasskey] of offered) {
        const button = add(controls, 'button', text)
        button.type = 'button'
        button.className = name
        button.addEventListener('click', () => answer(request, pre, said, reason.value.trim(), parts, withPasskey))
        buttons.push(button)
      }
    } else add(controls, 'p', 'It waits for somebody else.')
    const tick = () => {
      const seconds = Math.ceil((request.expiresAt - Date.now() - ahead) / 1000)
      if (seconds > 0) {
        left.textContent = 'Open for another ' + (seconds < 60 ? seconds + ' s' : Math.ceil(seconds / 60) + ' min') + '.'
        return
      }
      close()
      outcome.textContent = 'It has run out, unanswered.'
    }
    const timer = setInterval(tick, 1000)
    tick()
  }

  /* Prints a new passkey for whoever runs the gate. Nothing is sent: a passkey counts once they have written it down. */
  const registering = ({ user, tenant }) => {
    const card = add(list, 'article')
    add(card, 'h2', 'A passkey for ' + user)
    add(card, 'p', 'Whoever runs this gate adds what is printed here to approvals.passkeys, once they know that it is from you.')
    const button = add(card, 'button', 'Make a passkey')
    button.type = 'button'
    button.className = 'yes'
    const outcome = add(card, 'p')
    outcome.setAttribute('role', 'status')
    const pre = add(card, 'pre')
    button.addEventListener('click', async () => {
      button.disabled = true
      try {
        const { id, response } = await navigator.credentials.create({
          publicKey: {
            challenge: crypto.getRandomValues(new Uint8Array(32)),
            rp: { id: location.hostname, name: 'holdpoint' },
            user: { id: crypto.getRandomValues(new Uint8Array(32)), name: user, displayName: user },
            pubKeyCredParams: [-7, -8].map((alg) => ({ type: 'public-key', alg })),
            excludeCredentials: usable().map(({ credentialId }) => ({ type: 'public-key', id: fromBase64url(credentialId) })),
            authenticatorSelection: { userVerification: 'required' },
            attestation: 'none',
          },
        })
        const how = response.getPublicKeyAlgorithm() === -8 ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' }
        const key = await crypto.subtle.importKey('spki', response.getPublicKey(), how, true, ['verify'])
        const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', key)
        const publicKey = { kty, crv, x, y }
        pre.textContent = JSON.stringify({ user, tenant, credentialId: id, publicKey, rpId: location.hostname, origin: location.origin })
        outcome.textContent = 'Made. It counts once it is among approvals.passkeys.'
      } catch {
        outcome.textContent = 'No passkey was made.'
        button.disabled = false
      }
    })
  }

  const look = async () => {
    try {
      const response = await fetch(at, { headers: { accept: 'application/json' }, credentials: 'same-origin' })
      const told = await response.json()
      if (!response.ok) return say(told.message)
      ahead = told.now - Date.now()
      passkeys = told.passkeys
      if (isRegistering) {
        registering(told.you)
        return say('')
      }
      for (const request of told.requests) draw(request)
      say(told.requests.length === 0 ? 'Nothing waits for you.' : told.requests.length + (told.requests.length === 1 ? ' request' : ' requests'))
    } catch {
      say('The approvals cannot be reached. Load the page again.')
    }
  }
  void look()
})()
`
