/** Takes recorded runs through a real gate, and counts what it would have done. */
import { signedAnswer } from '../../answer.ts'
import { randomBytes } from '../../bytes/digest.ts'
import { createGate } from '../../create-gate.ts'
import { generateSigner } from '../../receipt/sign.ts'
import { createMemoryStore } from '../../store/memory.ts'
import type { Gate, PolicyMisfit, RefusalCode, Signer, Store } from '../../types.ts'
import type { RecordedCall, RecordedRun } from './recorded-runs.ts'
import type { RunTools } from './run-tools.ts'

/**
 * What becomes of a call: it runs, it waits for a person's yes, nobody's yes lets it run, or it does not fit its tool, so that no
 * policy is asked.
 */
export type Fate = 'ran' | 'asked' | 'stopped' | 'unfit'

/** A recorded call under some policies. */
export interface Replayed {
  readonly call: RecordedCall
  readonly fate: Fate
  /** Why it did not run at once. */
  readonly code?: RefusalCode
}

/** A recorded run under some policies, call by call. */
export interface ReplayedRun {
  readonly id: string
  readonly calls: readonly Replayed[]
}

/** All runs under some policies. */
export interface Replay {
  readonly runs: readonly ReplayedRun[]
  /** Policies that do not fit the tools: medium and high calls of that server are refused for it. */
  readonly misfits: readonly (PolicyMisfit & { readonly server: string })[]
}

/** Where a gate finds its configuration, and the policies in place of the configured ones. */
export interface PolicySet {
  readonly config: string | { readonly file: string }
  readonly policies: readonly string[] | undefined
}

/**
 * Replays runs, each as one conversation of a user of its own, on a store that forgets.
 *
 * What a person would be asked is answered with yes where the call is the user's, and with nothing where the recording marks it
 * malicious. The rest of a run goes on as it was recorded, whatever was stopped before.
 *
 * @throws HoldpointError for a configuration or policies that do not load
 */
export async function replayRuns(runs: readonly RecordedRun[], tools: RunTools, set: PolicySet): Promise<Replay> {
  const store = createMemoryStore()
  const approver = generateSigner()
  const gate = createGate({
    config: set.config,
    ...(set.policies === undefined ? {} : { policies: [...set.policies] }),
    // Nobody signs in a rehearsal.
    approvals: {},
    effects: { store, signer: generateSigner() },
    events: [() => undefined],
  })
  try {
    const misfits = [...tools.servers].flatMap(([server, definitions]) =>
      gate.register(definitions, { server }).map((misfit) => ({ ...misfit, server })),
    )
    const replayed: ReplayedRun[] = []
    for (const [index, { id, calls }] of runs.entries()) {
      // A user for each run: what a day may cost is counted by user.
      const user = `run-${index + 1}`
      const view = gate.as({ user }, { conversation: user, channel: 'chat' })
      const fates: Replayed[] = []
      for (const call of calls) fates.push({ call, ...(await fateOf(call, view, { store, approver })) })
      replayed.push({ id, calls: fates })
    }
    return { runs: replayed, misfits }
  } finally {
    await gate.close()
  }
}

/** The recording and the definition do not go together: no merit of a policy, and no fault of one. */
const UNFIT: ReadonlySet<RefusalCode> = new Set(['arguments_rejected', 'tool_unknown'])

async function fateOf(
  call: RecordedCall,
  view: Gate,
  { store, approver }: { readonly store: Store; readonly approver: Signer },
): Promise<Omit<Replayed, 'call'>> {
  const { tool, server, input } = call
  const first = await view.admit({ tool, server, input }, { wait: false })
  if (first.outcome === 'permitted') {
    await carryOut(first)
    return { fate: 'ran' }
  }
  const { code } = first.refusal
  if (first.request === undefined) return { fate: UNFIT.has(code) ? 'unfit' : 'stopped', code }
  if (call.malicious) return { fate: 'asked', code }
  // Whoever is asked, in whichever role, says yes.
  for (let person = 1; person <= first.request.quorum; person += 1) {
    const said = { answer: 'approved', by: `replay-${person}`, channel: 'chat', at: Date.now() } as const
    await store.answer(first.request.ref, signedAnswer(approver, first.request, said, randomBytes))
  }
  const second = await view.admit({ tool, server, input }, { wait: false })
  if (second.outcome === 'refused') return { fate: 'stopped', code: second.refusal.code }
  await carryOut(second)
  return { fate: 'asked', code }
}

/** Nothing is called: the gate hears that the call went well, so that what sessions add up is what it would have been. */
async function carryOut(admission: Extract<Awaited<ReturnType<Gate['admit']>>, { outcome: 'permitted' }>) {
  admission.begin()
  await admission.settle({ status: 'ok' })
}
