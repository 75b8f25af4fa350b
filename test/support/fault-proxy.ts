import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** What becomes of a whole reply of the engine on its way to the client. */
export type ProxyFault = (reply: Buffer, client: Socket) => void

/** Stands between a client and a real policy engine, and plays faults with the engine's own replies. */
export interface FaultProxy {
  readonly url: string
  /** From now on, replies fare so. */
  play(fault: ProxyFault): void
  /** From now on nobody listens there, and the connections that were open are gone. Also the end of the proxy. */
  stop(): Promise<void>
}

/** Hands each reply on as it came. */
export const handOn: ProxyFault = (reply, client) => {
  client.write(reply)
}

/** Hands a reply on after some time. */
export function late(ms: number): ProxyFault {
  return (reply, client) => {
    const timer = setTimeout(() => client.write(reply), ms)
    client.once('close', () => clearTimeout(timer))
  }
}

/** A few bytes at a time. */
export function sliced(everyMs: number, size: number): ProxyFault {
  return (reply, client) => {
    let next = 0
    const timer = setInterval(() => {
      client.write(reply.subarray(next, next + size))
      next += size
      if (next >= reply.length) clearInterval(timer)
    }, everyMs)
    client.once('close', () => clearInterval(timer))
  }
}

/** The first bytes, and then silence, the end of the connection, or its reset. */
export function cut(kept: (reply: Buffer) => number, then: 'stall' | 'end' | 'reset'): ProxyFault {
  return (reply, client) => {
    const bytes = reply.subarray(0, kept(reply))
    const stop = (): void => {
      if (then === 'end') client.end()
      if (then === 'reset') client.resetAndDestroy()
    }
    if (bytes.length === 0) stop()
    else client.write(bytes, stop)
  }
}

/** Up to the first byte of the body. */
export const headOf = (reply: Buffer): number => reply.indexOf('\r\n\r\n') + 4
/** Everything but the second half of the body. */
export const halfOf = (reply: Buffer): number => Math.floor((headOf(reply) + reply.length) / 2)
/** Everything but the last byte. */
export const nearlyAllOf = (reply: Buffer): number => reply.length - 1

/** A bit of the body is another one. */
export const corrupted: ProxyFault = (reply, client) => {
  const bytes = Buffer.from(reply)
  const at = bytes.indexOf('{', headOf(bytes))
  bytes[at] = (bytes[at] ?? 0) ^ 0x80
  client.write(bytes)
}

/** Every reply twice. */
export const doubled: ProxyFault = (reply, client) => {
  client.write(Buffer.concat([reply, reply]))
}

/**
 * Starts a proxy in front of an engine on this machine. It knows just enough of HTTP/1.1 to tell where a reply ends.
 *
 * @param port where the engine listens
 * @param ask changes what is asked, as a meddling proxy would
 */
export async function startFaultProxy(
  port: number,
  ask: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<FaultProxy> {
  let fault = handOn
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const engine = connect(port, '127.0.0.1')
    for (const socket of [client, engine]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        engine.destroy()
      })
    }
    client.on('data', (bytes) => engine.write(ask(bytes)))
    let buffered = Buffer.alloc(0)
    engine.on('data', (bytes) => {
      buffered = Buffer.concat([buffered, bytes])
      const end = endOf(buffered)
      if (end === undefined) return
      fault(buffered.subarray(0, end), client)
      buffered = buffered.subarray(end)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    play(next) {
      fault = next
    },
    async stop() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

/** Where the first reply of these bytes ends; `undefined` while it has not come whole. */
function endOf(bytes: Buffer): number | undefined {
  const head = headOf(bytes)
  if (head < 4) return undefined
  const length = /^content-length: *(\d+)/im.exec(bytes.subarray(0, head).toString('latin1'))?.[1]
  const last = bytes.indexOf('0\r\n\r\n', head)
  const end = length === undefined ? last + 5 : head + Number(length)
  return (length === undefined && last < 0) || bytes.length < end ? undefined : end
}
