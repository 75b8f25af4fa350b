import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'

/** What a fault has to work with: the connection, and how the policy service would permit this very request. */
export interface Scene {
  readonly socket: Socket
  /** The body of a permit for this request. */
  readonly permit: string
  /** The same body denying. */
  readonly deny: string
  /** The body of a permit for some other request. */
  readonly otherPermit: string
  /** `x-request-id: …` of this request, with its line end; `''` where nothing is echoed. */
  readonly echo: string
  /** Where a server listens that permits everything. */
  readonly elsewhere: string
}

/** What kind of policy service is played. */
export type Kind = 'authzen' | 'opa' | 'cerbos'

/** How a gate must take a fault: as an answer, as nobody's, or as one that cannot be trusted. */
export type Taken = 'permit' | 'absent' | 'wrong'

/** A way in which a policy service answers, or does not. */
export interface Fault {
  readonly taken: Taken
  /** Is it over only when the time is up? */
  readonly lasts?: true
  /** The services that can have it: those whose answers say which request they are for. Default: all. */
  readonly kinds?: readonly Kind[]
  play(scene: Scene): void
}

interface Parts {
  readonly status?: string
  readonly type?: string
  readonly headers?: string
  readonly length?: number | 'none'
}

/** The bytes of a reply. */
function reply(scene: Scene, body: string | Buffer, parts: Parts = {}): Buffer {
  const { status = '200 OK', type = 'application/json', headers = '', length = Buffer.byteLength(body) } = parts
  const framing = length === 'none' ? '' : `content-length: ${length}\r\n`
  const head = `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\n${framing}${scene.echo}${headers}\r\n`
  return Buffer.concat([Buffer.from(head), Buffer.from(body)])
}

/** A permit under another status, and other headers. */
function permitAs(status: string, headers = ''): Fault['play'] {
  return (scene) => scene.socket.write(reply(scene, scene.permit, { status, headers }))
}

/** A 200 with another body. */
function body(change: (scene: Scene) => string | Buffer): Fault['play'] {
  return (scene) => scene.socket.write(reply(scene, change(scene)))
}

/** Puts members in front of those of the permit. */
function withMembers(members: string): Fault['play'] {
  return body(({ permit }) => permit.replace('{', `{${members},`))
}

/** Writes again and again until the other side goes away. */
function forever(socket: Socket, everyMs: number, write: () => void): void {
  const timer = setInterval(write, everyMs)
  socket.once('close', () => clearInterval(timer))
}

const PADDING = 'x'.repeat(1 << 20)

/** Everything that a policy service may do to its client, by name. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  healthy: { taken: 'permit', play: body(({ permit }) => permit) },
  'permit in chunks': {
    taken: 'permit',
    play: ({ socket, permit, echo }) => {
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${echo}transfer-encoding: chunked\r\n\r\n`
      socket.write(`${head}${Buffer.byteLength(permit).toString(16)}\r\n${permit}\r\n0\r\n\r\n`)
    },
  },
  'permit and closes': { taken: 'permit', play: (scene) => scene.socket.end(reply(scene, scene.permit)) },

  // Nobody answers.
  'says nothing': { taken: 'absent', lasts: true, play: () => undefined },
  'stops after its headers': {
    taken: 'absent',
    lasts: true,
    play: (scene) => scene.socket.write(reply(scene, '', { length: 900 })),
  },
  'trickles a byte at a time': {
    taken: 'absent',
    lasts: true,
    play: (scene) => {
      const bytes = reply(scene, scene.permit)
      let next = 0
      forever(scene.socket, 20, () => {
        scene.socket.write(bytes.subarray(next, next + 1))
        next += 1
      })
    },
  },
  'sends 103 for ever': {
    taken: 'absent',
    lasts: true,
    play: ({ socket }) => forever(socket, 2, () => socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n')),
  },
  'stops after 100': {
    taken: 'absent',
    lasts: true,
    play: ({ socket }) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'),
  },
  'stops inside its body': {
    taken: 'absent',
    lasts: true,
    play: (scene) => scene.socket.write(reply(scene, scene.permit, { length: scene.permit.length + 1 })),
  },
  'half a body': {
    taken: 'absent',
    play: (scene) => scene.socket.end(reply(scene, scene.permit, { length: scene.permit.length + 10 })),
  },
  'half a body in chunks': {
    taken: 'absent',
    play: ({ socket, permit, echo }) => {
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${echo}transfer-encoding: chunked\r\n\r\n`
      socket.end(`${head}${permit.length.toString(16)}\r\n${permit}\r\n`)
    },
  },
  'half its headers': { taken: 'absent', play: ({ socket }) => socket.end('HTTP/1.1 200 OK\r\ncontent-ty') },
  'closes without a word': { taken: 'absent', play: ({ socket }) => socket.end() },
  'resets the connection': { taken: 'absent', play: ({ socket }) => socket.resetAndDestroy() },
  'resets inside its body': {
    taken: 'absent',
    play: (scene) => {
      scene.socket.write(reply(scene, scene.permit.slice(0, 5), { length: 900 }), () => scene.socket.resetAndDestroy())
    },
  },
  '429 and a permit': { taken: 'absent', play: permitAs('429 Too Many Requests', 'retry-after: 7\r\n') },
  '502 and a permit': { taken: 'absent', play: permitAs('502 Bad Gateway') },
  '503 and a permit': { taken: 'absent', play: permitAs('503 Service Unavailable', 'retry-after: 7\r\n') },
  '503 that ends with its connection': {
    taken: 'absent',
    play: ({ socket }) => socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\nsorry'),
  },
  '504 and a permit': { taken: 'absent', play: permitAs('504 Gateway Timeout') },

  // Our own mistake.
  '401 and a permit': { taken: 'wrong', play: permitAs('401 Unauthorized') },
  '403 and a permit': { taken: 'wrong', play: permitAs('403 Forbidden') },
  '404 and a permit': { taken: 'wrong', play: permitAs('404 Not Found') },
  '400 and a permit': { taken: 'wrong', play: permitAs('400 Bad Request') },
  'redirects to a server that permits': {
    taken: 'wrong',
    play: (scene) => permitAs('307 Temporary Redirect', `location: ${scene.elsewhere}\r\n`)(scene),
  },

  // Somebody is speaking, and it is not an answer.
  '500 and a permit': { taken: 'wrong', play: permitAs('500 Internal Server Error') },
  '501 and a permit': { taken: 'wrong', play: permitAs('501 Not Implemented') },
  '201 and a permit': { taken: 'wrong', play: permitAs('201 Created') },
  '203 and a permit': { taken: 'wrong', play: permitAs('203 Non-Authoritative Information') },
  '204': { taken: 'wrong', play: ({ socket }) => socket.write('HTTP/1.1 204 No Content\r\n\r\n') },
  '206 and a permit': { taken: 'wrong', play: permitAs('206 Partial Content') },
  'a cached permit': { taken: 'wrong', play: permitAs('200 OK', 'age: 86400\r\n') },
  'a permit as HTML': {
    taken: 'wrong',
    play: (scene) => scene.socket.write(reply(scene, scene.permit, { type: 'text/html' })),
  },
  'a permit in UTF-16': {
    taken: 'wrong',
    play: (scene) => {
      const type = 'application/json; charset=utf-16'
      scene.socket.write(reply(scene, Buffer.from(scene.permit, 'utf16le'), { type }))
    },
  },
  'a permit of no stated length': {
    taken: 'wrong',
    play: (scene) => scene.socket.end(reply(scene, scene.permit, { length: 'none' })),
  },
  'a permit of no stated length, and the connection stays': {
    taken: 'wrong',
    play: (scene) => scene.socket.write(reply(scene, scene.permit, { length: 'none' })),
  },
  'two lengths': { taken: 'wrong', play: permitAs('200 OK', 'content-length: 5\r\n') },
  'a length and chunks': { taken: 'wrong', play: permitAs('200 OK', 'transfer-encoding: chunked\r\n') },
  'two types': { taken: 'wrong', play: permitAs('200 OK', 'content-type: text/html\r\n') },
  'two ids': { taken: 'wrong', play: permitAs('200 OK', 'x-request-id: a\r\nx-request-id: b\r\n') },
  'headers without end': { taken: 'wrong', play: permitAs('200 OK', `x-padding: ${'a'.repeat(40_000)}\r\n`) },
  'not HTTP at all': { taken: 'wrong', play: ({ socket }) => socket.write('220 mail.example.com ESMTP\r\n') },
  'malformed JSON': { taken: 'wrong', play: body(({ permit }) => permit.slice(0, -1)) },
  'no body': { taken: 'wrong', play: body(() => '') },
  'text after the JSON': { taken: 'wrong', play: body(({ permit }) => `${permit}}`) },
  'a byte order mark': { taken: 'wrong', play: body(({ permit }) => `\ufeff${permit}`) },
  'bytes that are no UTF-8': {
    taken: 'wrong',
    play: body(({ permit }) =>
      Buffer.concat([Buffer.from(permit.slice(0, -1)), Buffer.from([0x2c, 0x22, 0xff, 0x22])]),
    ),
  },
  'a member twice': { taken: 'wrong', play: withMembers('"decision":false,"result":false') },
  'a member twice, once in disguise': {
    taken: 'wrong',
    play: withMembers('"\\u0064ecision":false,"\\u0072esult":false'),
  },
  'a member that reaches prototypes': { taken: 'wrong', play: withMembers('"__proto__":{"decision":true}') },
  'a member that nobody knows': { taken: 'wrong', play: withMembers('"expires":"never"') },
  'the text "true"': { taken: 'wrong', play: body(({ permit }) => permit.replace('true', '"true"')) },
  'the number 1': { taken: 'wrong', play: body(({ permit }) => permit.replace('true', '1')) },
  'true in a list': { taken: 'wrong', play: body(({ permit }) => permit.replace('true', '[true]')) },
  'a bare true': { taken: 'wrong', play: body(() => 'true') },
  'depth 200 000': {
    taken: 'wrong',
    play: withMembers(`"context":${'['.repeat(200_000)}${']'.repeat(200_000)}`),
  },
  'depth 17': { taken: 'wrong', play: withMembers(`"x":${'['.repeat(17)}${']'.repeat(17)}`) },
  '50 MB': {
    taken: 'wrong',
    play: (scene) => {
      scene.socket.write(reply(scene, '{"x":"', { length: 50 << 20 }))
      forever(scene.socket, 1, () => scene.socket.write(PADDING))
    },
  },
  '50 MB in chunks': {
    taken: 'wrong',
    play: ({ socket, echo }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${echo}transfer-encoding: chunked\r\n\r\n`)
      forever(socket, 1, () => socket.write(`${PADDING.length.toString(16)}\r\n${PADDING}\r\n`))
    },
  },
  'a gzip bomb': {
    taken: 'wrong',
    play: (scene) => {
      const bomb = gzipSync(Buffer.from(`{"x":"${PADDING.repeat(5)}"}`))
      scene.socket.write(reply(scene, bomb, { headers: 'content-encoding: gzip\r\n' }))
    },
  },
  'a compressed permit': {
    taken: 'wrong',
    play: (scene) =>
      scene.socket.write(reply(scene, gzipSync(scene.permit), { headers: 'content-encoding: gzip\r\n' })),
  },
  'a second reply at once': {
    taken: 'wrong',
    play: (scene) => {
      scene.socket.write(Buffer.concat([reply(scene, scene.permit), reply(scene, scene.deny)]))
    },
  },
  'bytes after its reply': {
    taken: 'wrong',
    play: (scene) => scene.socket.write(Buffer.concat([reply(scene, scene.permit), Buffer.from('and so on')])),
  },

  'a permit for another request': {
    taken: 'wrong',
    kinds: ['authzen', 'cerbos'],
    play: (scene) => {
      const echo = scene.echo === '' ? '' : 'x-request-id: some-other-request\r\n'
      scene.socket.write(reply({ ...scene, echo }, scene.otherPermit))
    },
  },
  'a permit that names no request': {
    taken: 'wrong',
    kinds: ['authzen', 'cerbos'],
    play: (scene) => scene.socket.write(reply({ ...scene, echo: '' }, scene.otherPermit)),
  },
}
