import { HoldpointError } from './errors.ts'
import { claimOf, type Readied } from './evaluation.ts'
import type { Override } from './override/live.ts'
import type { GateParts } from './parts.ts'
import type { Considered } from './pass.ts'
import { leave, type Round, type Step } from './step.ts'
import type { SessionSeen } from './types.ts'

/** What a permit rests on. */
export interface Grounds extends Round {
  readonly basis: 'pdp' | 'fail_open' | 'override'
  readonly override?: Override
  readonly seen: SessionSeen | undefined
}

/** INVARIANT I1, I2: the permit's receipt and its claim are durable, in one transaction, before an admission exists. */
export async function claim(parts: GateParts, considered: Considered, call: Readied, grounds: Grounds): Promise<Step> {
  const { exits, recorder } = parts
  const { consent, options, override } = grounds
  const { signal } = options
  const failedOpen = grounds.basis === 'fail_open'
  const basis = consent === undefined || grounds.basis !== 'pdp' ? grounds.basis : 'approval'
  const prepared = exits.permitDraft(considered, { consent, basis, override })
  try {
    const claimed = claimOf(parts, considered, call, grounds)
    const { receipt, committed } = await recorder.commit(prepared.draft, claimed, prepared.sidecar)
    if (committed.outcome === 'claimed' && receipt !== undefined) {
      if (override !== undefined) exits.overridden(considered, receipt, { ...override, use: committed.use ?? 0 })
      const permitted = exits.permitted(considered, receipt, {
        failedOpen,
        signal,
        salt: prepared.salt,
        override: override?.id,
      })
      if (!exits.ranUnrecorded(call.callKey)) return leave(permitted)
      // INVARIANT I2: another call with this key ran without a receipt while this one was being decided.
      await permitted.settle({ status: 'not_executed' })
      return leave(await exits.refused(considered, { code: 'already_executed', basis: 'replay' }))
    }
    if (committed.outcome === 'taken') return leave(await exits.taken(considered, committed))
    if (committed.outcome === 'override_spent' && override !== undefined) parts.overrides.spent(override)
    return { next: 'again', spent: committed.outcome === 'approval_spent' }
  } catch (cause) {
    const isLost = cause instanceof HoldpointError && (cause.code === 'ERR_STORE' || cause.code === 'ERR_SIGNER')
    return leave(exits.unwritten(considered, { failedOpen, isLost, signal }))
  }
}
