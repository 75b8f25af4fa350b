/** The gate of a process that decides about a call and ends before the call does. */
import { randomBytes } from 'node:crypto'
import { canonicalText } from '../../bytes/canonical.ts'
import { sha256 } from '../../bytes/digest.ts'
import { readConfig } from '../../config/read.ts'
import { assemble } from '../../create-gate/assemble.ts'
import { warnProcess } from '../../create-gate/process.ts'
import { resultText } from '../../exit-words.ts'
import { commitResult, saltFor } from '../../receipt/commit.ts'
import { readReceipt } from '../../receipt/read.ts'
import {
  dropHanded,
  type Given,
  type HandedCall,
  isOver,
  readHanded,
  takeHanded,
  writeHanded,
} from '../../store/handed.ts'
import type {
  Call,
  EventSink,
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
const SALT_BYTES = 16

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
  /** It ran with other arguments than were decided, or nobody knows with which: it counts as `unknown`. */
  | { readonly outcome: 'otherwise'; readonly receipt: Receipt }
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
    const options = { principal: 'os-user', events: [warnOfThisCall] } as const
    this.#parts = assemble(readConfig({ file: configFile }, {}), options, { keepsLog: false })
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
    const name = nameOf({ call, who, where })
    // INVARIANT I2: an id is one call's. With other arguments under it nobody could tell whose outcome is heard of.
    const admission = await view.admit({ ...call, idempotencyKey: name }, { signal, obliging: 'arguments' })
    if (admission.outcome === 'refused') return { outcome: 'refused', admission }
    const { receipt, callKey } = admission
    // A low call that may run without a receipt is for programs that stay: nobody could say how this one ended.
    if (receipt === undefined) throw new Error('the permit has no receipt')
    const begun = admission.begin()
    if (begun.outcome === 'refused')
      return { outcome: 'refused', admission: { outcome: 'refused', refusal: begun.refusal, receipt } }
    const now = Date.now()
    const { trace } = readReceipt(receipt.jws) as { readonly trace?: string }
    const handed = {
      decision: receipt.hash,
      callKey,
      trace: trace ?? '',
      at: now,
      until: now + LONGEST_CALL_MS,
      ended: false,
      given: givenOf(begun.input, randomBytes(SALT_BYTES).toString('base64url')),
    }
    // INVARIANT I1: what the host is about to run can be settled by whoever hears of it, before the host is told.
    try {
      writeHanded(this.#folder, name, handed)
    } catch (cause) {
      // It may be there in spite of that, and must not speak for a call of which the host hears that it may not run.
      dropHanded(this.#folder, name)
      await admission.settle({ status: 'not_executed' })
      throw cause
    }
    return { outcome: 'permitted', input: begun.input, admission }
  }

  /** Puts on record how a call went. */
  async end(told: HookCall, status: OutcomeStatus, result: unknown): Promise<Ended> {
    const name = nameOf(told)
    const handed = readHanded(this.#folder, name)
    if (handed === undefined || isOver(handed, Date.now())) return await this.#unadmitted(told)
    if (handed.ended) return { outcome: 'known' }
    const { recorder, store } = this.#parts
    await recorder.ready()
    // INVARIANT I2: a decision has one outcome, also where two processes hear of it at once, or one died in the middle.
    if (!takeHanded(this.#folder, name)) return { outcome: 'known' }
    if ((await store.holder(handed.callKey))?.status !== 'claimed') return await this.#unadmitted(told)
    // INVARIANT I3: what ran otherwise is not what was permitted, and nobody knows how that would have gone.
    const isAsDecided = isGiven(handed.given, told.call.input)
    const receipt = await (isAsDecided
      ? this.#record(handed, status, result)
      : this.#record(handed, 'unknown', undefined))
    if (receipt === undefined) throw new Error('the outcome could not be written')
    const { given: _, ...over } = handed
    writeHanded(this.#folder, name, { ...over, ended: true })
    if (isAsDecided) return { outcome: 'recorded', receipt }
    this.#see(told, 'ran with other arguments than were decided')
    return { outcome: 'otherwise', receipt }
  }

  async close(): Promise<void> {
    await this.#gate.close()
  }

  async #unadmitted(told: HookCall): Promise<Ended> {
    const because = 'ran without an admission'
    this.#see(told, because)
    return { outcome: 'unadmitted', receipt: await this.#view(told.who, told.where).markUngated(told.call, because) }
  }

  #see({ call }: HookCall, because: string): void {
    this.#gate.cover(HOST, [{ tool: call.tool, standing: 'unknown', because }], { server: call.server })
  }

  #view(who: Who, where: Where): Gate {
    return this.#gate.as(who, where)
  }

  async #record(handed: HandedCall, status: OutcomeStatus, result: unknown): Promise<Receipt | undefined> {
    const { recorder, store } = this.#parts
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

/**
 * What a host's model reads of a refused call is stderr. Of a server this process knows little but the tool that is called, so what is said
 * of others seems to fit nothing: `holdpoint policy lint` says what really does not.
 */
const warnOfThisCall: EventSink = (event) => {
  if (event.event === 'policy-misfitted') return
  if (event.event === 'programmer-warned' && event.code === 'tool_unknown') return
  warnProcess(event)
}

/** One call among all: hosts make its id unique in a conversation. */
function nameOf({ call: { server, tool, callId }, who, where }: Omit<HookCall, 'tools'>): string {
  const { user, agent } = who
  return sha256(canonicalText([user ?? null, agent ?? null, where.conversation ?? null, server, tool, callId]))
}

function givenOf(input: unknown, salt: string): Given {
  return { salt, digest: sha256(canonicalText(['hp-handed/1', salt, input])) }
}

/** INVARIANT I4: whose arguments nobody remembers, or whose have no canonical form, are not those that were decided. */
function isGiven(given: Given | undefined, input: unknown): boolean {
  if (given === undefined) return false
  try {
    return givenOf(input, given.salt).digest === given.digest
  } catch {
    return false
  }
}
