/** The shop's risk desk: a policy service that speaks AuthZEN 1.0 on this machine, and can be switched off. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { z } from 'zod'

/** As much of a request as this service reads. */
const question = z.object({
  resource: z.object({ id: z.string() }),
  context: z.object({ arguments: z.record(z.string(), z.unknown()) }),
})

const DISPUTED: ReadonlySet<unknown> = new Set(['A-1044'])

/** What the risk desk says of a call: no refund of an order that is in dispute with the bank. */
function decide(body: unknown): { readonly decision: boolean; readonly context?: { readonly reason_user: string } } {
  const { resource, context } = question.parse(body)
  const { order, probe } = context.arguments
  switch (resource.id) {
    case 'shop/order':
      return { decision: true }
    case 'shop/refund':
      return DISPUTED.has(order)
        ? {
            decision: false,
            context: { reason_user: 'This order is in dispute with the bank; nothing of it is refunded.' },
          }
        : { decision: true }
    // What holdpoint asks before it believes a service: docs/policy-points.md, "The canary".
    case 'holdpoint/canary':
      return { decision: z.number().parse(probe) <= 0 }
    default:
      return { decision: false }
  }
}

/** A service on a free port of this machine. Off is off: its port takes no connections. */
export class PolicyService {
  #server: Server | undefined
  #port = 0

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get isOn(): boolean {
    return this.#server !== undefined
  }

  async switchOn(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer(async (request, response) => {
      try {
        const answer = decide(await json(request))
        const id = request.headers['x-request-id']
        if (id !== undefined) response.setHeader('x-request-id', id)
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
      } catch {
        response.writeHead(500).end()
      }
    })
    this.#server = server
    await once(server.listen(this.#port, '127.0.0.1'), 'listening')
    this.#port = (server.address() as AddressInfo).port
  }

  async switchOff(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
}
