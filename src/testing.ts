import { readPolicyFiles } from './config/policy-files.ts'
import type { ConfigOptions } from './config/schema.ts'
import { createGate } from './create-gate.ts'
import { AbsentAnswer } from './decide/absent.ts'
import { createCedarPoint } from './policy/cedar.ts'
import { createFunctionPoint, type PolicyFunction } from './policy/function.ts'
import { withOutage } from './policy/outage.ts'
import { generateSigner } from './receipt/sign.ts'
import { createMemoryStore } from './store/memory.ts'
import { createPinMemory } from './store/pin-memory.ts'
import type {
  Clock,
  Gate,
  GateEvent,
  Materiality,
  OwnPlaces,
  PolicyDecisionPoint,
  ReadLabel,
  Receipt,
  RefusalCode,
  Signer,
  Store,
  Surface,
} from './types.ts'

export { generateSigner } from './receipt/sign.ts'
export { faultStore } from './store/fault.ts'
export { createMemoryStore } from './store/memory.ts'
export { createSqliteStore } from './store/sqlite.ts'

/** What a test sets; everything has a default that keeps the test on one machine, in memory, without a clock. */
export interface TestGateOptions {
  /** Cedar text, shipped policy name, point or function. Default: everything is permitted. */
  readonly policy?: string | PolicyDecisionPoint | PolicyFunction
  /** The operator's words on tools. */
  readonly tools?: Record<
    string,
    { readonly materiality?: Materiality; readonly surface?: Surface; readonly reads?: readonly ReadLabel[] }
  >
  /** The operator's own mail domains and hosts. */
  readonly own?: OwnPlaces
  readonly failMode?: { readonly low?: 'open' | 'closed' }
  readonly timeoutMs?: number
  readonly permitTtlMs?: number
  readonly server?: string
  readonly store?: Store
  readonly signer?: Signer
  /** The passkeys of people, and which yeses have to be signed by them. */
  readonly approvals?: ConfigOptions['approvals']
  /** Signs what people answer. */
  readonly approver?: Signer
  readonly clock?: Clock
  readonly observe?: { readonly until: number }
  readonly onReceiptLoss?: { readonly low: 'refuse' | 'run' }
}

/** One call as the gate saw it. */
export interface SeenCall {
  readonly tool: string
  readonly materiality: Materiality
  readonly outcome: 'permitted' | 'refused'
  readonly code?: RefusalCode
}

/** How a policy point is away. */
export type Outage = 'silent' | 'refused'

/** A gate with hands on its surroundings. */
export interface TestGate extends Gate {
  /**
   * The policy point goes away until `heal()`. `silent`, the default: every question hangs until its time is up. `refused`: it is told
   * at once that nobody is there.
   */
  outage(kind?: Outage): void
  heal(): void
  /** Every decision so far. */
  readonly calls: readonly SeenCall[]
  readonly events: readonly GateEvent[]
  readonly store: Store
  readonly signer: Signer
  readonly approver: Signer
  receipts(): Promise<readonly Receipt[]>
}

const PERMIT_ALL = '@id("permit-all")\npermit (principal, action, resource);\n'

/**
 * A real gate for tests: your policy, a memory store, a fresh key, and an outage switch.
 *
 * @example
 * const gate = testGate({ policy: 'ask/v1' })
 * gate.outage()
 */
export function testGate(options: TestGateOptions = {}): TestGate {
  const store = options.store ?? createMemoryStore(options.clock === undefined ? {} : { now: options.clock.now })
  const signer = options.signer ?? generateSigner()
  const approver = options.approver ?? generateSigner()
  const events: GateEvent[] = []
  let out: Outage | undefined
  const server = options.server ?? 'test'
  const during = async (): Promise<never> => {
    if (out === 'silent') return await new Promise<never>(() => undefined)
    throw new AbsentAnswer('unavailable', 'the test says that nobody is there')
  }
  const point = withOutage(innerPoint(options.policy, server), () => out !== undefined, during)
  const gate = createGate({
    config: false,
    server,
    policy: point,
    ...(options.tools === undefined ? {} : { tools: options.tools }),
    ...(options.approvals === undefined ? {} : { approvals: options.approvals }),
    ...(options.own === undefined ? {} : { own: options.own }),
    ...(options.failMode === undefined ? {} : { failMode: options.failMode }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options.permitTtlMs === undefined ? {} : { permitTtlMs: options.permitTtlMs }),
    ...(options.observe === undefined ? {} : { observe: options.observe }),
    ...(options.onReceiptLoss === undefined ? {} : { onReceiptLoss: options.onReceiptLoss }),
    events: [(event) => events.push(event)],
    effects: {
      store,
      signer,
      approver,
      pins: createPinMemory(),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    },
  })
  const controls = {
    outage: (kind: Outage = 'silent') => {
      out = kind
    },
    heal: () => {
      out = undefined
      // Nobody waits for the breaker: a test has no thirty seconds.
      gate.isolate(point.id, 'healed by the test')
      gate.release(point.id)
    },
    events,
    store,
    signer,
    approver,
    receipts: () => collect(store.receipts()),
  }
  return Object.defineProperty(Object.assign(gate, controls), 'calls', {
    get: () => events.flatMap(seenCall),
  }) as unknown as TestGate
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

function innerPoint(policy: TestGateOptions['policy'], server: string): PolicyDecisionPoint {
  if (policy === undefined) return createCedarPoint([{ path: 'permit-all.cedar', text: PERMIT_ALL }])
  if (typeof policy === 'function') return createFunctionPoint(policy, { server })
  if (typeof policy !== 'string') return policy
  const shipped = /^[a-z]+\/v\d+$/.test(policy)
  return createCedarPoint(
    shipped ? readPolicyFiles(policy, '.', () => 'testGate options') : [{ path: 'test.cedar', text: policy }],
  )
}

function seenCall(event: GateEvent): readonly SeenCall[] {
  if (event.event !== 'decision-made') return []
  return [
    {
      tool: event.tool,
      materiality: event.materiality,
      outcome: event.code === undefined ? 'permitted' : 'refused',
      ...(event.code === undefined ? {} : { code: event.code }),
    },
  ]
}
