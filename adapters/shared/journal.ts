import type {
  Admission,
  ApprovalRecord,
  Gate,
  Materiality,
  Notice,
  PermittedAdmission,
  Receipt,
  Refusal,
} from '../../src/index.ts'
import { FAILED_OPEN } from './wording.ts'

/** What became of one tool call, kept until the host's own stream has shown it to the person. */
export interface CallRecord {
  readonly callId: string
  /** The tool's name in the host. */
  readonly tool: string
  readonly outcome: 'permitted' | 'refused' | 'ungated'
  readonly materiality?: Materiality
  /** Why the call did not run; set late when a permit lapsed before the tool could begin. */
  refusal?: Refusal
  /** In observe mode, the refusal that would have been. */
  readonly observed?: Refusal
  /** No policy answered, and the operator lets low calls run then. */
  readonly failedOpen: boolean
  /** Set when a person could say yes: the request as it stood when the call was refused. */
  readonly request?: ApprovalRecord
  /** What the person should know of how it ran. */
  readonly notices: readonly Notice[]
  /** The decision, and once the tool has ended the outcome. */
  readonly receipts: Receipt[]
}

/** Calls that one journal remembers: a gate that serves many requests without views must not grow. */
const MOST_RECORDS = 1_000

/**
 * The calls of one gate or view, by principal, conversation and the host's call id: what `guardTools` writes and the host's
 * stream reads. Nothing here decides anything.
 */
export class Journal {
  readonly #gate: Gate
  readonly #records = new Map<string, CallRecord>()
  readonly #byAdmission = new WeakMap<Admission, CallRecord>()

  constructor(gate: Gate) {
    this.#gate = gate
  }

  /** The record of an admission: one, however many duplicates of the call share it. */
  note(callId: string, tool: string, admission: Admission): CallRecord {
    const known = this.#byAdmission.get(admission)
    if (known !== undefined) return known
    const record = this.#keep(recordOf(callId, tool, admission))
    this.#byAdmission.set(admission, record)
    return record
  }

  /** A tool that ran where no gate can stand. */
  noteUngated(callId: string, tool: string, receipt: Receipt | undefined): CallRecord {
    return this.#keep({
      callId,
      tool,
      outcome: 'ungated',
      failedOpen: false,
      notices: [],
      receipts: receipt === undefined ? [] : [receipt],
    })
  }

  find(callId: string, partition: string = partitionOf(this.#gate)): CallRecord | undefined {
    return this.#records.get(`${partition}\n${callId}`)
  }

  /** Hosts reuse call ids: the newest call of an id is the one that is remembered. */
  #keep(record: CallRecord): CallRecord {
    const key = `${partitionOf(this.#gate)}\n${record.callId}`
    this.#records.delete(key)
    this.#records.set(key, record)
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= MOST_RECORDS) break
      this.#records.delete(oldest)
    }
    return record
  }
}

const journals = new WeakMap<Gate, Journal>()

/** The journal of a gate or view. */
export function journalOf(gate: Gate): Journal {
  const known = journals.get(gate)
  if (known !== undefined) return known
  const journal = new Journal(gate)
  journals.set(gate, journal)
  return journal
}

/** Whose calls: one gate without views may serve several people through `actingAs`, and none may see another's. */
export function partitionOf(gate: Gate): string {
  const { scope } = gate
  if (scope === undefined) return ''
  const { principal, conversation } = scope
  return JSON.stringify([principal.type, principal.id, principal.tenant ?? null, conversation ?? null])
}

function recordOf(callId: string, tool: string, admission: Admission): CallRecord {
  const receipts = admission.receipt === undefined ? [] : [admission.receipt]
  if (admission.outcome === 'refused') {
    const { refusal, request } = admission
    return {
      callId,
      tool,
      outcome: 'refused',
      materiality: refusal.materiality,
      refusal,
      failedOpen: false,
      notices: [],
      receipts,
      ...(request === undefined ? {} : { request }),
    }
  }
  const { materiality, failedOpen, observed } = admission
  return {
    callId,
    tool,
    outcome: 'permitted',
    materiality,
    failedOpen,
    notices: noticesOf(admission),
    receipts,
    ...(observed === undefined ? {} : { observed }),
  }
}

/** The gate's own notices; that a call failed open is one whoever gave the admission (I5). */
function noticesOf({ notices = [], failedOpen }: PermittedAdmission): readonly Notice[] {
  const isTold = !failedOpen || notices.some(({ kind }) => kind === 'failed_open')
  return isTold ? notices : [{ kind: 'failed_open', message: FAILED_OPEN }, ...notices]
}
