import { HoldpointError } from '../errors.ts'
import type { GateEvent, Materiality, Obligation, Scope } from '../types.ts'

/** What a webhook is told of. */
export const WEBHOOK_EVENTS = ['approval.requested', 'failure.opened', 'override.used', 'call.announced'] as const
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number]

/** One receiver, as the operator writes it. */
export interface WebhookOptions {
  /** `https://…`; plain HTTP is for this machine alone. */
  readonly url: string
  /** The environment variable that holds the secret: `whsec_` and 24 to 64 bytes in base64. */
  readonly secret: { readonly env: string }
  /** Default: all of them. */
  readonly events?: readonly WebhookEvent[] | undefined
  /** Whom it stands for: of `call.announced` it then hears what is for them (`to`) alone. Default: everybody. */
  readonly to?: string | undefined
  /** The address of the approver's page, which a message about an approval links to. */
  readonly page?: string | undefined
}

/** A receiver that was checked. */
export interface Webhook {
  readonly url: URL
  readonly secret: Uint8Array
  readonly events: ReadonlySet<WebhookEvent>
  readonly to: string | undefined
  readonly page: URL | undefined
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/
const FEWEST_SECRET_BYTES = 24
const MOST_SECRET_BYTES = 64

/**
 * Checks one receiver. No message holds a secret.
 *
 * @throws HoldpointError ERR_CONFIG
 */
export function checkWebhook(
  options: WebhookOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Webhook {
  const { secret, events = WEBHOOK_EVENTS, to, page } = options
  return {
    url: address(options.url, 'url'),
    secret: secretOf(secret.env, environment[secret.env]),
    events: new Set(events),
    to,
    page: page === undefined ? undefined : address(page, 'page'),
  }
}

/**
 * What a webhook says of an event, as Standard Webhooks has it: a type, a time and data. Never arguments: whoever may read them
 * signs in on the approver's page.
 *
 * @returns `undefined` for what this webhook is not told
 */
export function messageOf(event: GateEvent, { events, page }: Webhook, at: number): string | undefined {
  const told = toldOf(event, page)
  if (told === undefined || !events.has(told.type)) return undefined
  return JSON.stringify({ type: told.type, timestamp: new Date(at).toISOString(), data: told.data })
}

/** A call that policy wants somebody to be told of before it runs. */
export interface Announced {
  readonly tool: string
  readonly materiality: Materiality
  readonly principal: Pick<Scope['principal'], 'type' | 'id' | 'tenant'>
}

/**
 * What a webhook says of a call that a permit obliges to announce (`notify`): which policy wants it, for whom, of which call. Never
 * arguments, nor what else a policy service may have put into the obligation.
 *
 * @returns `undefined` where it is for somebody else
 */
export function announcementOf(
  { id, properties }: Obligation,
  { tool, materiality, principal }: Announced,
  webhook: Webhook,
  at: number,
): string | undefined {
  const { to } = properties
  const isForThem = webhook.to === undefined || webhook.to === to
  if (!webhook.events.has('call.announced') || !isForThem) return undefined
  const { type, id: user, tenant } = principal
  const by = { type, id: user, ...(tenant === undefined ? {} : { tenant }) }
  const data = { policy: id, ...(to === undefined ? {} : { to }), tool, materiality, principal: by }
  return JSON.stringify({ type: 'call.announced', timestamp: new Date(at).toISOString(), data })
}

function toldOf(
  event: GateEvent,
  page: URL | undefined,
): { readonly type: WebhookEvent; readonly data: object } | undefined {
  switch (event.event) {
    case 'approval-requested': {
      const { ref, tool, requires } = event
      return {
        type: 'approval.requested',
        data: { ref, tool, requires, ...(page === undefined ? {} : { page: linkTo(page, ref) }) },
      }
    }
    case 'failure-opened': {
      const { tool, fault, receipt } = event
      return { type: 'failure.opened', data: { tool, fault, receipt } }
    }
    case 'override-used': {
      const { override, tool, use, most, receipt } = event
      return { type: 'override.used', data: { override, tool, use, most, receipt } }
    }
    default:
      return undefined
  }
}

function linkTo(page: URL, ref: string): string {
  const link = new URL(page)
  link.searchParams.set('ref', ref)
  return link.href
}

function address(given: string, key: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw unusable(`"${key}" must be an address such as https://hooks.example.com/holdpoint`)
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw unusable(`"${key}" must have neither a password nor a fragment`)
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    throw unusable(`"${key}" must be https: it leaves this machine`)
  return url
}

function secretOf(name: string, text: string | undefined): Uint8Array {
  if (text === undefined || text === '')
    throw unusable(`the environment variable ${name}, which "secret" names, is not set`)
  const coded = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1]
  const bytes = coded === undefined ? new Uint8Array(0) : Uint8Array.from(Buffer.from(coded, 'base64'))
  if (bytes.length >= FEWEST_SECRET_BYTES && bytes.length <= MOST_SECRET_BYTES) return bytes
  throw unusable(
    `the environment variable ${name} must hold whsec_ and ${FEWEST_SECRET_BYTES} to ${MOST_SECRET_BYTES} bytes in base64`,
  )
}

function unusable(because: string): HoldpointError {
  return new HoldpointError('ERR_CONFIG', `webhooks: ${because}`, { at: 'webhooks', because })
}
