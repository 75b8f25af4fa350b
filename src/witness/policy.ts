/** The witnesses that a log's operator names: a C2SP tlog-policy in which every witness has an address. */
import { HoldpointError } from '../errors.ts'
import type { Sha256 } from '../log/ports.ts'
import { writeVerifierKey } from '../log/verifier-key.ts'
import { type KnownParty, readWitnessPolicy, type WitnessPolicy } from '../log/witness-policy.ts'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Reads the policy under which a log asks for cosignatures.
 *
 * @param file its name, for errors
 * @throws HoldpointError ERR_CONFIG; `at` is file and line
 */
export function readAskedWitnesses(sha256: Sha256, bytes: Uint8Array, file: string): WitnessPolicy {
  const policy = readPolicy(sha256, bytes, file)
  if (policy.witnesses.length === 0) throw unusable(file, 'names no witness')
  for (const witness of policy.witnesses) {
    const wrong = wrongAddress(witness)
    if (wrong !== undefined) throw unusable(`${file}:${lineWith(bytes, witness)}`, wrong)
  }
  return policy
}

/** Reads a policy. @param file its name, for errors @throws HoldpointError ERR_CONFIG; `at` is file and line */
export function readPolicy(sha256: Sha256, bytes: Uint8Array, file: string): WitnessPolicy {
  try {
    return readWitnessPolicy(sha256, bytes)
  } catch (cause) {
    if (!(cause instanceof HoldpointError)) throw cause
    const line = /^line (\d+)$/.exec(cause.at ?? '')?.[1]
    const what = cause.message.replace(/^(?:line \d+ of )?the witness policy /, '')
    throw unusable(line === undefined ? file : `${file}:${line}`, what, cause)
  }
}

/** What is wrong with where a witness is to be asked; `undefined` when nothing is. */
function wrongAddress({ url }: KnownParty): string | undefined {
  if (url === undefined) return 'has no address: write "witness name vkey https://…"'
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:'))
    return 'has an address that is none: write "witness name vkey https://…"'
  if (parsed.username !== '' || parsed.password !== '') return 'has an address with a password in it'
  if (parsed.search !== '' || parsed.hash !== '') return 'has an address with a query or a fragment'
  if (parsed.protocol === 'http:' && !LOOPBACK.test(parsed.hostname))
    return 'is on another machine over plain HTTP, where whoever is on the way can say that the log has gone on: use https'
  return undefined
}

/** From 1: the line that defines a witness, found by its key, which no other line may repeat. */
function lineWith(bytes: Uint8Array, { key }: KnownParty): number {
  const vkey = writeVerifierKey(key)
  const lines = new TextDecoder().decode(bytes).split('\n')
  return lines.findIndex((line) => line.split(/[\t ]+/).includes(vkey)) + 1
}

function unusable(at: string, what: string, cause?: unknown): HoldpointError {
  return new HoldpointError('ERR_CONFIG', `${at}: the witness policy ${what}`, { at, cause })
}
