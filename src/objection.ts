import { shown } from './bytes/shown.ts'
import type { Leaving } from './exits.ts'
import type { GateParts } from './parts.ts'
import type { Considered } from './pass.ts'
import type { Contract, Json, Quarantine } from './types.ts'

const LONGEST_PATH = 128

/** A third party's tool is called that is not as it was pinned. */
export function quarantined(code: Quarantine): Leaving {
  return {
    code,
    sentence:
      code === 'tool_changed'
        ? 'This tool is not the one that was pinned: its server describes it anew, and the operator has not accepted that.'
        : "This tool is not among its server's pinned tools, and the operator has not accepted it.",
  }
}

/** What the gate itself has against a call, before any policy is asked. No policy can permit what is refused here. */
export function objection(
  parts: GateParts,
  considered: Considered,
  call: {
    readonly contract: Contract
    readonly callKey: string
    readonly input: Json
    readonly beside: Json | undefined
  },
): Leaving | undefined {
  const { principal } = considered.scope
  const { materiality } = considered.classification
  if (principal.basis === 'default' && materiality === 'high') {
    return {
      code: 'no_permit',
      sentence: 'Nobody said on whose behalf this call is made, and a call of high materiality needs that.',
    }
  }
  if (parts.tools.isMisfit(call.contract) && materiality !== 'low') {
    return {
      code: 'policy_error',
      sentence: "The policies do not fit this server's tools, so its medium and high calls are refused.",
    }
  }
  if (parts.exits.ranUnrecorded(call.callKey)) return { code: 'already_executed', basis: 'replay' }
  const { input, beside } = call
  const path = parts.ownFiles(beside === undefined ? input : { arguments: input, beside }, call.contract.tool)
  if (path === undefined) return undefined
  return {
    code: 'denied_by_policy',
    sentence: "This call names holdpoint's own files, which no call may touch.",
    constraints: [
      { policy: 'own-files', path: shown(path, LONGEST_PATH), requires: "not one of holdpoint's own files" },
    ],
  }
}
