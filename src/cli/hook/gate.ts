/** The gate of a process that decides about a call and ends before the call does. */
import { canonicalText } from '../../bytes/canonical.ts'
import { sha256 } from '../../bytes/digest.ts'
import { readConfig } from '../../config/read.ts'
import { assemble } from '../../create-gate/assemble.ts'
import { resultText } from '../../exit-words.ts'
import { commitResult, saltFor } from '../../receipt/commit.ts'
import { readReceipt } from '../../receipt/read.ts'
import { type HandedCall, readHanded, writeHanded } from '../../store/handed.ts'
import type {
  Call,
  Gate,
  OutcomeStatus,
  PermittedAdmission,
  Receipt,
  RefusedAdmission,
  ToolDefinition,
  Where,
  Who,
} from '../../types.ts'
import { UnusableInput } from '../exit.ts'

/** As `holdpoint coverage` calls whatever starts the command. */
const HOST = 'hook'

/** How long a host may take to say how a call went, ms. After that it counts as `unknown`. */
const LONGEST_CALL_MS = 24 * 60 * 60_000

/** One call as its host tells of it. */
export interface HookCall {
  readonly call: Call & { readonly callId: string; readonly server: string; readonly definition: ToolDefinition }
  /** Everything of this server that is known, the tool among it. */
  readonly tools: readonly ToolDefinition[]
  readonly who: Who
  readonly where: Where
}

/** What became of a call that the host says has run. */
export type Ended =
  | { readonly outcome: 'recorded'; readonly receipt: Receipt }
  | { readonly outcome: 'known' }
  /** Nobody permitted it. Its use is on record. */
  | { readonly outcome: 'unadmitted'; readonly receipt: Receipt | undefined }

/** What the host is told of a call that may run. */
export type Let =
  | { readonly outcome: 'permitted'; readonly input: unknown; readonly admission: PermittedAdmission }
  | { readonly outcome: 'refused'; readonly admission: RefusedAdmission }

/** A gate for one event of a host. */
export class BriefGate {
  readonly #parts: ReturnType<typeof assemble>
  readonly #folder: string

  /** @throws HoldpointError ERR_CONFIG, ERR_POLICY, ERR_KEY; UnusableInput for a store that another process could not read */
  constructor(configFile: string) {
    this.#parts = assemble(readConfig({ file: configFile }, {}), { principal: 'os-user' }, { keepsLog: false })
    const { store } = this.#parts.places
    if (store.kind !== 'folder') {
      throw new UnusableInput(
        `${configFile}: a hook decides in one process and hears of the outcome in another, so "store" must be a folder, not ${store.kind}`,
      )
    }
    this.#folder = store.folder
  }

  get #gate(): Gate {
    return this.#parts.gate
  }

  /** Decides, and begins what is permitted: from here on the host runs it. */
  async decide({ call, tools, who, where }: HookCall, signal: AbortSignal): Promise<Let> {
    const view = this.#view(who, where)
    view.register(tools, { server: call.server })
    view.cover(HOST, [{ tool: call.tool, standing: 'gated' }], { server: call.server })
    const admission = await view.admit(call, { signal, obliging: 'arguments' })
    if (admission.outcome === 'refused') return { outcome: 'refused', admission }
    const { receipt, callKey } = admission
    // A low call that may run without a receipt is for programs that stay: nobody could say how this one ended.
    if (receipt === undefined) throw new Error('the permit has no receipt')
    const now = Date.now()
    const { trace } = readReceipt(receipt.jws) as { readonly trace?: string }
    const handed = {
      decision: receipt.hash,
      callKey,
      trace: trace ?? '',
      at: now,
      until: now + LONGEST_CALL_MS,
      ended: false,
    }
    // INVARIANT I1: what the host is about to run can be settled by whoever hears of it, before the host is told.
    try {
      writeHanded(this.#folder, nameOf(call, where), handed)
    } catch (cause) {
      await admission.settle({ status: 'not_executed' })
      throw cause
    }
    const begun = admission.begin()
    if (begun.outcome === 'begun') return { outcome: 'permitted', input: begun.input, admission }
    return { outcome: 'refused', admission: { outcome: 'refused', refusal: begun.refusal, receipt } }
  }

  /** Puts on record how a call went. */
  async end({ call, who, where }: HookCall, status: OutcomeStatus, result: unknown): Promise<Ended> {
    const name = nameOf(call, where)
    const handed = readHanded(this.#folder, name)
    if (handed === undefined || handed.until <= Date.now()) {
      const because = 'ran without an admission'
      this.#gate.cover(HOST, [{ tool: call.tool, standing: 'unknown', because }], { server: call.server })
      const receipt = await this.#view(who, where).markUngated(call, because)
      return { outcome: 'unadmitted', receipt }
    }
    if (handed.ended) return { outcome: 'known' }
    const receipt = await this.#record(handed, status, result)
    if (receipt === undefined) throw new Error('the outcome could not be written')
    writeHanded(this.#folder, name, { ...handed, ended: true })
    return { outcome: 'recorded', receipt }
  }

  async close(): Promise<void> {
    await this.#gate.close()
  }

  #view(who: Who, where: Where): Gate {
    return this.#gate.as(who, where)
  }

  async #record(handed: HandedCall, status: OutcomeStatus, result: unknown): Promise<Receipt | undefined> {
    const { recorder, store } = this.#parts
    await recorder.ready()
    const { decision, callKey, trace, at } = handed
    const salt = (await store.sidecar(decision))?.salt
    const text = result === undefined ? undefined : resultText(result)
    const committed =
      salt === undefined || text === undefined
        ? {}
        : { result: { commit: commitResult(saltFor('result', salt), text), bytes: Buffer.byteLength(text) } }
    const us = Math.max(0, Math.round((Date.now() - at) * 1_000))
    return await recorder.outcome(
      { kind: 'outcome', decision, status, us, ...(trace === '' ? {} : { trace }), ...committed },
      { decision, status, callKey },
    )
  }
}

/** One call among all: hosts make its id unique in a conversation. */
function nameOf({ server, tool, callId }: HookCall['call'], { conversation }: Where): string {
  return sha256(canonicalText([conversation ?? null, server, tool, callId]))
}
