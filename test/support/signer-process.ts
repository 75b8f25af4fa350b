import { type ChildProcess, fork } from 'node:child_process'
import type { JsonObject, RemoteSigner } from '../../src/types.ts'
import type { SignerFault } from './signer-child.ts'

const CHILD = new URL('./signer-child.ts', import.meta.url).pathname

/** A signer in another process, with a hand on its faults. */
export interface SignerProcess {
  readonly signer: RemoteSigner
  /** What it does with this question, counted from 1 since the last `fail`; `none` where nobody says. */
  fail(fault: (question: number) => SignerFault): void
  /** Questions since the last `fail`. */
  asked(): number
  /** Most that waited at one time. */
  atOnce(): number
  /** How many were called off. */
  aborted(): number
  end(): void
}

export async function startSigner(): Promise<SignerProcess> {
  const child: ChildProcess = fork(CHILD, { stdio: 'ignore' })
  const waiting = new Map<number, { resolve(bytes: Uint8Array): void; reject(cause: Error): void }>()
  let next = 0
  let count = 0
  let aborted = 0
  let atOnce = 0
  let faultOf: (question: number) => SignerFault = () => 'none'
  const publicJwk = await new Promise<JsonObject>((resolve) =>
    child.once('message', (hello) => resolve((hello as { publicJwk: JsonObject }).publicJwk)),
  )
  child.on('message', (said) => {
    const { id, signature, error } = said as { id: number; signature?: string; error?: string }
    if (error !== undefined) waiting.get(id)?.reject(new Error(error))
    // A provider's library may give anything.
    else waiting.get(id)?.resolve(signature === undefined ? (null as never) : Buffer.from(signature, 'base64'))
    waiting.delete(id)
  })
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the signer is gone'))
    waiting.clear()
  })
  return {
    signer: {
      publicJwk,
      alg: 'Ed25519',
      sign: (bytes, { signal }) =>
        new Promise((resolve, reject) => {
          const id = next++
          count += 1
          signal.addEventListener('abort', () => {
            aborted += 1
          })
          waiting.set(id, { resolve, reject })
          atOnce = Math.max(atOnce, waiting.size)
          if (!child.connected) reject(new Error('the signer is gone'))
          else child.send({ id, bytes: Buffer.from(bytes).toString('base64'), fault: faultOf(count) })
        }),
    },
    fail: (fault) => {
      count = 0
      faultOf = fault
    },
    asked: () => count,
    atOnce: () => atOnce,
    aborted: () => aborted,
    end: () => void child.kill('SIGKILL'),
  }
}
