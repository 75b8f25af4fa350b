import { OWN_OBLIGATIONS, type RedactOutput, readObligation } from './bytes/obligation.ts'
import { pathOf } from './bytes/pointer.ts'
import { shown } from './bytes/shown.ts'
import { snapshot } from './call/snapshot.ts'
import type { Wanted } from './consent.ts'
import { type Amended, type ArgumentObligation, amend, changesBetween } from './decide/changes.ts'
import type { Readied } from './evaluation.ts'
import type { Leaving } from './exits.ts'
import { classify } from './materiality/classify.ts'
import type { GateParts } from './parts.ts'
import type { Considered } from './pass.ts'
import { findReservedKey } from './policy/encode.ts'
import { knowsPlace } from './policy/shape.ts'
import type { AdmitOptions, ApprovalRecord, Decision, Json, Obligation, Snapshot } from './types.ts'

/** The arguments that obligations made of a call's own, and all that made them so. */
export interface AmendedCall {
  readonly snapshot: Snapshot
  readonly input: Json
  readonly changes: Amended['changes']
  /** Every obligation on arguments that was owed so far: each of them holds of these. */
  readonly owed: readonly ArgumentObligation[]
  readonly obligations: readonly Obligation[]
  readonly times: number
  /** A yes to the arguments as they were. It is no yes to these, and is used up with them where they need none of their own. */
  readonly spends: ApprovalRecord | undefined
  /**
   * The yes that the permit waits for whose obligations these are. It stays owed, also where the policies permit these arguments
   * without one: nobody but that permit has changed the call.
   */
  readonly wanted: Wanted | undefined
}

/** How often a policy may want other arguments of one call. */
const MOST_TIMES = 3
const LONGEST_PLACE = 128

/** What a permit wants of the arguments. */
export type Amending =
  | { readonly kind: 'none' }
  | { readonly kind: 'amended'; readonly to: AmendedCall }
  | { readonly kind: 'unmet'; readonly sentence: string }

/** Obligations, and the yes that their permit waits for, where it is still to come. */
export interface Owing {
  readonly obligations: readonly Obligation[]
  readonly wanted?: Wanted
}

/**
 * Reads what a permit obliges to of the arguments, and makes them so. Whatever was owed before stays owed: a limit is not undone
 * by what a policy says of the limited call.
 *
 * INVARIANT I3: what is made here is a snapshot of its own, which is decided anew; nothing runs with arguments that were not
 * decided.
 */
export function amending(
  { settings }: Pick<GateParts, 'settings'>,
  considered: Considered,
  call: Readied,
  { obligations, wanted }: Owing,
  consent: ApprovalRecord | undefined,
): Amending {
  const before = considered.amended
  const owed: ArgumentObligation[] = [...(before?.owed ?? [])]
  for (const obligation of obligations) {
    const read = readObligation(obligation)
    if (read.kind === 'unusable') return unmet(`${obligation.type} ${read.because}`)
    // INVARIANT I4: a tool that does not know the switch would run in earnest, and all would be told that it did not.
    if (read.kind === 'dry_run' && !knowsPlace(call.contract.definition.inputSchema, pathOf(read.path)))
      return unmet(`dry_run at ${shown(read.path, LONGEST_PLACE)}, which the tool's schema does not name`)
    if (read.kind === 'limit' || read.kind === 'dry_run') owed.push(read)
  }
  if (owed.length === 0) return { kind: 'none' }
  const asked = considered.arrival.snapshot ?? call.taken
  const places = owed.map(({ kind, path }) => `${kind} at ${shown(path, LONGEST_PLACE)}`).join(', ')
  const now = amend(call.taken.parse(), owed)
  if (now === undefined) return unmet(places)
  if (now.changes.length === 0) return { kind: 'none' }
  if ((before?.times ?? 0) >= MOST_TIMES) return unmet(`${places}, and never settles`)
  const { input } = now
  try {
    const taken = snapshot({ input, beside: call.taken.parseBeside() }, settings.limits)
    if (findReservedKey(input) !== undefined || call.contract.check(input) !== undefined)
      return unmet(`${places}, and the tool does not take that`)
    return {
      kind: 'amended',
      to: {
        snapshot: taken,
        input,
        changes: changesBetween(asked.parse(), input, owed),
        owed,
        obligations: [
          ...(before?.obligations ?? []),
          ...obligations.filter(({ type }) => type === 'limit' || type === 'dry_run'),
        ],
        times: (before?.times ?? 0) + 1,
        spends: consent ?? before?.spends,
        wanted: wanted ?? before?.wanted,
      },
    }
  } catch {
    return unmet(places)
  }
}

/**
 * Makes the arguments as they are owed, where they are not yet: the call is `amended` and has to be decided anew. Otherwise `none`, or
 * why it cannot be.
 *
 * INVARIANT I3: a host that did not say that it runs the tool with what it is given gets no permit for other arguments.
 */
export function takeUp(
  parts: Pick<GateParts, 'settings'>,
  considered: Considered,
  call: Readied,
  owing: Owing,
  { consent, options }: { readonly consent: ApprovalRecord | undefined; readonly options: AdmitOptions },
): 'none' | 'amended' | Leaving {
  const wanted = amending(parts, considered, call, owing, consent)
  if (wanted.kind === 'none') return 'none'
  if (wanted.kind === 'unmet') return { code: 'obligation_unmet', sentence: wanted.sentence }
  if (options.obliging === undefined) return { code: 'obligation_unmet' }
  considered.amended = wanted.to
  reclassify(considered, call)
  return 'amended'
}

/** The call as its obligations have left it. */
export function amendedCall({ amended }: Considered, call: Readied): Readied {
  return amended === undefined ? call : { ...call, taken: amended.snapshot }
}

/** Judges a call by the arguments that it would run with. */
export function reclassify(considered: Considered, { contract }: Readied): void {
  const input = considered.amended?.input ?? considered.arrival.input ?? {}
  considered.classification = classify(contract, input)
}

/** What nobody may see of the result. */
export function redactionsOf(decision: Decision | undefined): readonly RedactOutput[] {
  if (decision?.kind !== 'permit') return []
  return decision.obligations.flatMap((obligation) => {
    const read = readObligation(obligation)
    return read.kind === 'redact_output' ? [read] : []
  })
}

/** Does it keep parts of the result back? */
export function isRedaction({ type }: Obligation): boolean {
  return type === 'redact_output'
}

/** Is this one that the gate meets by itself? */
export function isOwn({ type }: Obligation): boolean {
  return OWN_OBLIGATIONS.some((own) => own === type)
}

function unmet(what: string): Amending {
  return { kind: 'unmet', sentence: `The permit of this call obliges to what cannot be done: ${what}.` }
}
