/** The gate of a proxy: of the flags alone, unless a configuration was named. */
import { resolve } from 'node:path'
import { type GateTerms, type Operator, settledWithin } from '../../../adapters/mcp-proxy/index.ts'
import { SHIPPED_POLICIES } from '../../config/schema.ts'
import { createGate } from '../../create-gate.ts'
import { pinFolder } from '../../store/pin-files.ts'
import type { Gate, Who } from '../../types.ts'
import { warningsOf } from '../../warnings.ts'
import { situationOf } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import { shown, storeOf } from '../receipts.ts'
import type { GatePlan } from './plan.ts'

/** How long the last receipts may take, ms. */
const LONGEST_CLOSING_MS = 5_000

/** A gate that is open, and what a proxy needs of it. */
export interface OpenedGate {
  readonly terms: GateTerms
  /** Says to the operator what protects what, once it does. */
  readonly announce: () => void
  /** The last receipts are written then. Never rejects. */
  readonly close: () => Promise<void>
}

/**
 * Opens it whole, or not at all: policies, pins, key and store are read before anything is served.
 *
 * No `holdpoint.yaml` of the working directory is read: a host starts this anywhere, and the folder may be the agent's own.
 *
 * @throws HoldpointError ERR_CONFIG, ERR_POLICY, ERR_PINS, ERR_KEY, ERR_STORE
 */
export async function openGate(
  plan: GatePlan,
  operator: Pick<Operator, 'tell' | 'note' | 'refused'>,
): Promise<OpenedGate> {
  const { servers, config, principal, observeUntil } = plan
  const policies = plan.policies?.map((one) =>
    SHIPPED_POLICIES.some((shipped) => shipped === one) ? one : resolve(one),
  )
  const gate = createGate({
    config: config === undefined ? false : { file: config },
    ...(policies === undefined ? {} : { policies }),
    ...(observeUntil === undefined ? {} : { observe: { until: observeUntil } }),
    principal: 'os-user',
    name: 'mcp-proxy',
    events: [
      (event) => {
        for (const [, message] of warningsOf(event)) operator.note(message)
      },
    ],
  })
  const viewFor = (who: Who | undefined, conversation: string): Gate =>
    gate.as(who ?? (principal === undefined ? {} : { user: principal }), { conversation })
  if (viewFor(undefined, 'none').scope?.principal.basis === 'default')
    throw new UnusableInput('this account has no name to ask under: say who asks, with --principal USER')
  const situation = situationOf(config ?? false)
  const { config: loaded, places } = situation
  if (places.store.kind !== 'memory') for (const server of servers) pinFolder(places.pins).read(server)
  await gate.ready()

  const names = policies ?? loaded.policyFiles.map(({ path }) => path)
  const kept = places.store.kind === 'memory' ? 'memory alone' : shown(storeOf(situation))
  return {
    announce: () => {
      operator.tell(`gate in front of ${servers.join(', ')}; policies: ${names.join(', ')}; receipts: ${kept}`)
      if (observeUntil === undefined) return
      operator.tell(
        `OBSERVING until ${observeUntil}: NOTHING IS PROTECTED. Every call runs, also those that the policies refuse; the receipts say so`,
      )
    },
    terms: {
      gate,
      viewFor,
      note: (line) => operator.note(line),
      refused: (admission) => operator.refused(admission),
    },
    close: async () => {
      const failed = (cause: unknown) =>
        operator.tell(`the last receipts: ${cause instanceof Error ? cause.message : cause}`)
      await settledWithin(LONGEST_CLOSING_MS, gate.close().catch(failed))
    },
  }
}
