import { once } from 'node:events'
import http, { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { Reply } from '../../../adapters/mcp-proxy/http/reply.ts'

const server = createServer()
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

it('hears of a client that has gone already, so that nothing is kept open for it', async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const asking = http.get({ port: (server.address() as AddressInfo).port, agent: false })
  asking.on('error', () => undefined)
  const [request, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse]
  asking.destroy()
  await once(response, 'close')
  await new Promise<void>((left) => {
    const reply = new Reply({ request, response, who: undefined }, () => {
      expect(reply.isUnopened).toBe(false)
      left()
    })
  })
})
