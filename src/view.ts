import { recordAnswer } from './answer.ts'
import { isOpenFor, maySee } from './approval/entitled.ts'
import { arrive } from './arrive.ts'
import { type Ask, isSameAsk } from './ask.ts'
import { canonicalText } from './bytes/canonical.ts'
import { requestDigest } from './call/call-key.ts'
import { admitCall } from './gate.ts'
import type { GateParts } from './parts.ts'
import type { Arrival } from './pass.ts'
import { UNCLASSIFIED } from './pass.ts'
import { actor, scopeOf } from './principal.ts'
import type {
  Admission,
  AdmitOptions,
  Answered,
  AnswerOptions,
  ApprovalRecord,
  Call,
  Gate,
  Health,
  Json,
  LogHealth,
  Passkey,
  PolicyMisfit,
  Quarantine,
  Receipt,
  RunResult,
  Scope,
  Signer,
  ToolCoverage,
  ToolDefinition,
  ToolSeen,
  Where,
  Who,
} from './types.ts'

/** What the views of one gate share. */
export interface SharedState {
  readonly parts: GateParts
  /** Live admissions by call key: a host's approval hook and its wrapped `execute` share one. */
  readonly live: Map<string, Ask & { readonly admission: Promise<Admission> }>
  /** Calls that `run` is running: a duplicate joins. */
  readonly running: Map<string, Ask & { readonly result: Promise<RunResult<unknown>> }>
  readonly fallback: { readonly agent: string; readonly osUser: boolean }
  readonly environment: Scope['environment']
  /** A trace id for a conversation, stable under this gate's key; a random one without. */
  readonly traceOf: (conversation: string | undefined) => string
  /** Calls that are being decided now; the surplus is refused. What runs does not count: a slow tool must not shut the gate. */
  readonly deciding: { count: number; readonly most: number }
  /** What keeps the coverage for other processes, where they can read the receipts too. */
  readonly coverageFile: { close(): Promise<void> } | undefined
  /** What keeps the log of the receipts, where the gate keeps one. */
  readonly log: { health(): LogHealth; close(): Promise<void> } | undefined
  /** The gate was closed: the same options now give a new one. */
  readonly closed: () => void
}

/** A gate seen by one principal in one conversation, or by whoever `actingAs` says. */
export class GateView implements Gate {
  readonly #shared: SharedState
  readonly #scope: Scope | undefined

  constructor(shared: SharedState, scope?: Scope) {
    this.#shared = shared
    this.#scope = scope
  }

  get scope(): Scope | undefined {
    return this.#scope ?? this.#acting()
  }

  as(who: Who, where: Where = {}): Gate {
    return new GateView(this.#shared, this.#resolve(who, where))
  }

  register(
    tools: readonly ToolDefinition[],
    options: { readonly server?: string; readonly pinned?: boolean } = {},
  ): readonly PolicyMisfit[] {
    const { tools: known, settings } = this.#shared.parts
    const server = options.server ?? settings.server
    return options.pinned === true ? known.registerPinned(tools, server) : known.register(tools, server)
  }

  quarantined(server: string): ReadonlyMap<string, Quarantine> {
    return this.#shared.parts.tools.quarantined(server)
  }

  async admit(call: Call, options: AdmitOptions = {}): Promise<Admission> {
    const scope = this.#required()
    return await this.#admitted(scope, arrive(this.#shared.parts, scope, call), options)
  }

  async run<T>(call: Call, execute: (input: Json) => T | Promise<T>, asked: AdmitOptions = {}): Promise<RunResult<T>> {
    const options = { ...asked, obliging: 'all' as const }
    const scope = this.#required()
    const arrival = arrive(this.#shared.parts, scope, call)
    const { callKey } = arrival
    if (callKey === undefined) return await this.#ran(scope, arrival, execute, options)
    const running = this.#shared.running.get(callKey)
    // A live duplicate joins the first; the same key with other arguments is the store's to refuse (`key_reuse`).
    const ask = { scope, arrival, requires: options.requires, obliging: options.obliging }
    if (running !== undefined && isSameAsk(running, ask)) return (await running.result) as RunResult<T>
    const result = this.#ran(scope, arrival, execute, options)
    if (running === undefined) {
      this.#shared.running.set(callKey, { ...ask, result })
      const forget = () => this.#shared.running.delete(callKey)
      result.then(forget, forget)
    }
    return await result
  }

  async answer(ref: string, answer: 'approved' | 'declined', options: AnswerOptions = {}): Promise<Answered> {
    return await recordAnswer(this.#shared.parts, this.#required(), ref, answer, options)
  }

  async request(ref: string): Promise<ApprovalRecord | undefined> {
    const { parts } = this.#shared
    const scope = this.#required()
    await parts.recorder.ready()
    const record = await parts.store.get(ref)
    return record !== undefined && maySee(record, scope) ? record : undefined
  }

  async approvals(options: { readonly for?: 'me' | 'anyone' } = {}): Promise<readonly ApprovalRecord[]> {
    const { parts } = this.#shared
    const scope = this.#required()
    await parts.recorder.ready()
    const records = (await parts.store.pending()).filter((record) => maySee(record, scope))
    if (options.for === 'anyone') return records
    const canSign = this.passkeys().length > 0
    return records.filter((record) => isOpenFor(record, scope) && (record.passkey !== true || canSign))
  }

  passkeys(): readonly Passkey[] {
    return this.#shared.parts.passkeys.of(this.#required())
  }

  async requestFor(call: Call): Promise<ApprovalRecord | undefined> {
    const { parts } = this.#shared
    const scope = this.#required()
    const { contract, snapshot } = arrive(parts, scope, call)
    if (contract === undefined || snapshot === undefined) return undefined
    await parts.recorder.ready()
    return await parts.store.find(
      requestDigest({ scope, contract, inputDigest: snapshot.digest, policyDigest: parts.panel.policyDigest }),
    )
  }

  async markUngated(call: Pick<Call, 'tool' | 'server' | 'callId'>, because: string): Promise<Receipt | undefined> {
    const { parts } = this.#shared
    const scope = this.#required()
    const arrival = arrive(parts, scope, { ...call, input: {} })
    parts.coverage.admitted(placeOf(scope), tripwireOf(arrival))
    await parts.recorder.ready().catch(() => undefined)
    return await parts.exits.ungated(
      { scope, arrival, classification: UNCLASSIFIED, startedAt: parts.clock.monotonic() },
      because,
    )
  }

  cover(host: string, tools: readonly ToolSeen[], options: { readonly server?: string } = {}): void {
    const { coverage, settings } = this.#shared.parts
    coverage.cover(host, options.server ?? settings.server, tools)
  }

  coverage(): readonly ToolCoverage[] {
    return this.#shared.parts.coverage.list()
  }

  reportRun(host: string, call: { readonly tool: string; readonly server?: string; readonly callId: string }): boolean {
    const { coverage, settings } = this.#shared.parts
    return coverage.reportRun(placeOf(this.#required()), host, call.server ?? settings.server, call.tool, call.callId)
  }

  warn(code: string, message: string): void {
    this.#shared.parts.emit({ event: 'programmer-warned', code, message })
  }

  health(): Health {
    const { panel, exits, holds } = this.#shared.parts
    const { log } = this.#shared
    return {
      mode: exits.observing() ? 'observe' : 'enforce',
      points: panel.health(),
      held: holds.held,
      ...(log === undefined ? {} : { log: log.health() }),
    }
  }

  isolate(point: string, because: string): boolean {
    return this.#shared.parts.panel.isolate(point, because)
  }

  release(point: string): boolean {
    return this.#shared.parts.panel.release(point)
  }

  async addKey(fresh: Signer): Promise<Receipt> {
    return await this.#shared.parts.recorder.addKey(fresh)
  }

  async retireKey(kid: string): Promise<Receipt> {
    return await this.#shared.parts.recorder.retireKey(kid)
  }

  async ready(): Promise<void> {
    const { recorder, panel, passkeys } = this.#shared.parts
    await Promise.all([recorder.ready(), panel.rehearse(), passkeys.ready()])
  }

  async close(): Promise<void> {
    this.#shared.closed()
    try {
      await this.#shared.coverageFile?.close()
      await this.#shared.parts.recorder.close()
    } finally {
      // Last, so that the seals are in it.
      await this.#shared.log?.close()
    }
  }

  async #admitted(scope: Scope, arrival: Arrival, options: AdmitOptions): Promise<Admission> {
    const { live, parts, deciding } = this.#shared
    const { callKey } = arrival
    if (callKey === undefined) return await this.#decided(scope, arrival, options)
    const known = live.get(callKey)
    const asked = { scope, arrival, requires: options.requires, obliging: options.obliging }
    if (known !== undefined && isSameAsk(known, asked)) return await known.admission
    if (deciding.count >= deciding.most) return await parts.exits.overloaded(scope, arrival)
    deciding.count += 1
    const admission = this.#decided(scope, arrival, options).finally(() => {
      deciding.count -= 1
    })
    if (known !== undefined) return await admission
    live.set(callKey, { ...asked, admission })
    let permitted = false
    try {
      const admitted = await admission
      permitted = admitted.outcome === 'permitted'
      return admitted
    } finally {
      // A permit stays until it is settled; a refusal is judged anew each time.
      if (!permitted) live.delete(callKey)
    }
  }

  async #decided(scope: Scope, arrival: Arrival, options: AdmitOptions): Promise<Admission> {
    const { parts } = this.#shared
    const admission = await admitCall(parts, scope, arrival, options)
    if (admission.outcome === 'permitted') parts.coverage.admitted(placeOf(scope), tripwireOf(arrival))
    return admission
  }

  async #ran<T>(
    scope: Scope,
    arrival: Arrival,
    execute: (input: Json) => T | Promise<T>,
    options: AdmitOptions,
  ): Promise<RunResult<T>> {
    const admission = await this.#admitted(scope, arrival, options)
    if (admission.outcome === 'refused')
      return { outcome: 'refused', refusal: admission.refusal, receipts: present(admission.receipt) }
    const begun = admission.begin()
    if (begun.outcome === 'refused')
      return { outcome: 'refused', refusal: begun.refusal, receipts: present(admission.receipt) }
    let result: T
    try {
      result = await execute(begun.input)
    } catch (error) {
      await admission.settle({ status: options.signal?.aborted === true ? 'cancelled' : 'tool_error', error })
      throw error
    }
    const shown = admission.reveal(result) as T
    const outcome = await admission.settle({ status: 'ok', result: shown })
    const { failedOpen, notices } = admission
    const receipts = present(admission.receipt, outcome)
    return { outcome: 'ran', result: shown, receipts, failedOpen, ...(notices === undefined ? {} : { notices }) }
  }

  #required(): Scope {
    return this.scope ?? this.#resolve({}, {})
  }

  #acting(): Scope | undefined {
    const said = actor()
    return said === undefined ? undefined : this.#resolve(said.who, said.where)
  }

  #resolve(who: Who, where: Where): Scope {
    const { fallback, environment, traceOf } = this.#shared
    const scope = scopeOf(who, where, fallback, () => traceOf(where.conversation))
    // The operator's own name of the environment is no host's to change: overrides are signed for it.
    const name = environment['name'] === undefined ? {} : { name: environment['name'] }
    return { ...scope, environment: { ...environment, ...scope.environment, ...name } }
  }
}

/** Where a call id means one call. */
function placeOf({ principal, conversation }: Scope): string {
  return canonicalText({ principal, conversation })
}

function tripwireOf({ server, call, callId }: Arrival): { server: string; tool: string; callId: string } {
  return { server, tool: call.tool, callId }
}

function present(...receipts: readonly (Receipt | undefined)[]): readonly Receipt[] {
  return receipts.filter((receipt) => receipt !== undefined)
}
