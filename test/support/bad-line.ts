import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** The line between a browser and a server, which can break. */
export interface BadLine {
  readonly url: string
  /** Every connection breaks now, and none comes about until it is mended. */
  cut(): void
  /** The same, as soon as the server has said these words. */
  cutAfter(words: string): void
  mend(): void
  close(): void
}

/** @param to the server, on this machine */
export async function startBadLine(to: string): Promise<BadLine> {
  const port = Number(new URL(to).port)
  const open = new Set<Socket>()
  let isCut = false
  let last: string | undefined
  const cut = (): void => {
    isCut = true
    last = undefined
    for (const socket of open) socket.destroy()
  }
  const server = createServer((client) => {
    if (isCut) {
      client.destroy()
      return
    }
    const far = connect(port, '127.0.0.1')
    for (const socket of [client, far]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        far.destroy()
      })
    }
    client.on('data', (bytes) => far.write(bytes))
    far.on('data', (bytes) => {
      const said = bytes.toString('latin1')
      client.write(bytes, () => {
        if (last !== undefined && said.includes(last)) cut()
      })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    cut,
    cutAfter: (words) => {
      last = words
    },
    mend: () => {
      isCut = false
    },
    close: () => {
      cut()
      server.close()
    },
  }
}
