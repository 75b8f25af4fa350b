import { encodeBase64url } from './bytes/base64url.ts'
import type { Limits } from './bytes/canonical.ts'
import { callKey } from './call/call-key.ts'
import { snapshot } from './call/snapshot.ts'
import { HoldpointError } from './errors.ts'
import type { GateParts } from './parts.ts'
import { type Arrival, optional } from './pass.ts'
import { findReservedKey } from './policy/encode.ts'
import type { Call, Contract, RandomBytes, Scope } from './types.ts'

/**
 * Reads a call: the one snapshot, and which tool and key it is of. Synchronous, so that nothing can change the caller's
 * object between the check and the use (I3). Never throws for what the call holds.
 */
export function arrive(parts: GateParts, scope: Scope, said: Call): Arrival {
  const call = readOnce(said)
  const server = call.server ?? parts.settings.server
  const contract = parts.tools.find(server, call.tool, call.definition)
  const minted = call.callId === undefined
  const arrival = { call, server, contract, minted, callId: call.callId ?? mintId(parts.random) }
  const read = readArguments(call, contract, parts.settings.limits)
  if (read.snapshot === undefined || contract === undefined) return { ...arrival, ...read, callKey: undefined }
  const key = callKey({
    scope,
    contract,
    callId: arrival.callId,
    inputDigest: read.snapshot.digest,
    ...optional('step', call.step),
    ...optional('idempotencyKey', call.idempotencyKey),
  })
  return { ...arrival, ...read, callKey: key }
}

/** UNTRUSTED: each member of the call is read here, and from the caller's object never again. */
function readOnce({ tool, server, input, inputText, beside, callId, step, idempotencyKey, definition }: Call): Call {
  return {
    tool,
    ...optional('server', server),
    ...optional('input', input),
    ...optional('inputText', inputText),
    ...optional('beside', beside),
    ...optional('callId', callId),
    ...optional('step', step),
    ...optional('idempotencyKey', idempotencyKey),
    ...optional('definition', definition),
  }
}

function readArguments(
  call: Call,
  contract: Contract | undefined,
  limits: Limits,
): Pick<Arrival, 'snapshot' | 'input' | 'rejected'> {
  try {
    const taken = snapshot(call, limits)
    const input = taken.parse()
    const reserved = findReservedKey(input)
    if (reserved !== undefined)
      return { snapshot: taken, input, rejected: { path: reserved, because: 'is a reserved name' } }
    const miss = contract?.check(input)
    return {
      snapshot: taken,
      input,
      rejected: miss === undefined ? undefined : { path: miss.path, because: miss.requires },
    }
  } catch (cause) {
    if (cause instanceof HoldpointError) {
      const { at: path = '', because = 'could not be read' } = cause
      return { ...UNREAD, rejected: { path, because } }
    }
    return { ...UNREAD, rejected: { path: '', because: 'could not be read' } }
  }
}

const UNREAD = { snapshot: undefined, input: undefined }

function mintId(random: RandomBytes): string {
  return `minted-${encodeBase64url(random(12))}`
}
