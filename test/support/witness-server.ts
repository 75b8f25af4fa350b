import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { readVerifierKey, type VerifierKey, writeVerifierKey } from '../../src/log/verifier-key.ts'
import { noteSigner } from './log-keys.ts'
import { Witness } from './witness.ts'

/** An answer that is put in place of the witness's own; `hang` never ends one, `swallow` keeps what it says to itself. */
export type Staged =
  | 'hang'
  | 'swallow'
  | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }

/** A witness that answers over HTTP on this machine. */
export interface WitnessServer {
  readonly url: string
  readonly key: VerifierKey
  /** A line of a tlog-policy. */
  readonly line: string
  /** Bodies of the requests so far. */
  readonly asked: string[]
  /** What to answer instead, until it is `undefined` again. */
  staged: Staged | undefined
  /** Lets it know a log, as an operator would: by its key. */
  know(vkey: string): void
  close(): Promise<void>
}

export async function startWitness(name: string): Promise<WitnessServer> {
  const signer = noteSigner(name, 'cosignature')
  const logs = new Map<string, readonly VerifierKey[]>()
  const witness = new Witness(signer, logs)
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    started.asked.push(body.toString('utf8'))
    const { staged } = started
    if (staged === 'hang') return
    if (request.method !== 'POST' || request.url !== '/prefix/add-checkpoint') {
      response.writeHead(405).end()
      return
    }
    if (staged !== undefined && staged !== 'swallow') {
      response.writeHead(staged.status, staged.headers).end(staged.body)
      return
    }
    const { status, body: said } = await witness.add(body, Math.floor(Date.now() / 1_000))
    if (staged === 'swallow') return
    response.writeHead(status, { 'content-type': status === 409 ? 'text/x.tlog.size' : 'text/plain' }).end(said)
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`
  const started: WitnessServer = {
    url,
    key: signer.key,
    line: `witness ${name} ${writeVerifierKey(signer.key)} ${url}`,
    asked: [],
    staged: undefined,
    know: (vkey) => {
      const key = readVerifierKey(sha256Bytes, vkey)
      logs.set(key.name, [key])
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return started
}
