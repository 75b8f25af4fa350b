import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

/** A server that permits whatever it is asked; over TLS where it has a certificate. */
export async function startPermissiveServer(identity?: {
  readonly cert: string
  readonly key: string
}): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const permit: RequestListener = (request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json').end('{"decision":true}')
  }
  const server = identity === undefined ? createServer(permit) : createTlsServer(identity, permit)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
