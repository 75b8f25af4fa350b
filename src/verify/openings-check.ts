import { encodeBase64url } from '../bytes/base64url.ts'
import { canonicalText, utf8Length } from '../bytes/canonical.ts'
import { counted } from '../bytes/counted.ts'
import { isObject } from '../bytes/json.ts'
import { parseStrict } from '../bytes/strict-json.ts'
import { HoldpointError } from '../errors.ts'
import { utf8 } from '../log/encoding.ts'
import type { Findings } from '../receipt/findings.ts'
import type { Accepted } from '../receipt/intake.ts'
import { argumentsPreimage, requestPreimage, resultPreimage } from '../receipt/preimage.ts'
import type { Json } from '../types.ts'
import type { BundleOpening } from './bundle-text.ts'
import { sha256Bytes } from './ports.ts'
import { open, pass, type Verdict } from './report.ts'

/** How many receipts back an opening may be of: what a receipt committed to is kept so long. */
const MOST_BACK = 65_536
/** A line bounds the text; this bounds how it is nested. */
const LIMITS = { maxDepth: 96, maxNodes: 131_072, maxBytes: 1_048_576 }

/** What a receipt committed to. */
type Committed =
  | {
      readonly opens: 'request'
      readonly request: string
      readonly args: { readonly commit: string; readonly bytes: number } | undefined
      readonly server: string
      readonly tool: string
    }
  | { readonly opens: 'result'; readonly commit: string; readonly bytes: number }

/** That what was opened is what the receipts committed to. */
export class OpeningsCheck {
  readonly #findings: Findings
  readonly #committed = new Map<string, Committed>()
  #held = 0

  constructor(findings: Findings) {
    this.#findings = findings
  }

  see({ sighted, claims }: Accepted): void {
    const committed = committedBy(claims)
    if (committed === undefined) return
    this.#committed.set(sighted.hash, committed)
    if (this.#committed.size > MOST_BACK) this.#committed.delete(this.#committed.keys().next().value ?? '')
  }

  opening(opening: BundleOpening): void {
    const why = openingFault(opening, this.#committed.get(opening.receipt))
    if (why === undefined) this.#held += 1
    else this.#findings.fail({ index: -1, check: 'openings', why: `the opening of ${opening.receipt} ${why}` })
  }

  verdict(): Verdict {
    return this.#held === 0
      ? open('nothing was opened: whoever has the arguments and their salts can add them')
      : pass(
          `${counted(this.#held, 'request or result is', 'requests and results are')} what the receipts committed to`,
        )
  }
}

function committedBy(claims: Accepted['claims']): Committed | undefined {
  if (claims.kind === 'outcome' && claims.result !== undefined) return { opens: 'result', ...claims.result }
  if (claims.kind !== 'decision' || claims.request === undefined) return undefined
  const { server, name: tool } = claims.tool
  return { opens: 'request', request: claims.request, args: claims.args, server, tool }
}

function openingFault({ opens, salt, text }: BundleOpening, committed: Committed | undefined): string | undefined {
  if (committed === undefined)
    return `stands before its receipt, more than ${MOST_BACK} receipts behind it, or of none that commits`
  if (opens !== committed.opens) return `opens a ${opens}, and the receipt commits to a ${committed.opens}`
  if (committed.opens === 'result') {
    if (committed.bytes !== utf8Length(text) || digestOf(resultPreimage(salt, text)) !== committed.commit)
      return CHANGED
    return undefined
  }
  const request = canonical(text)
  if (request === undefined) return 'is not canonical JSON'
  if (digestOf(requestPreimage(salt, text)) !== committed.request) return CHANGED
  return argumentsFault(request, salt, committed)
}

const CHANGED = 'is not what the receipt committed to: the text or the salt was changed'

/** Two commitments of one receipt, to the request and to the arguments in it, have to be of the same arguments. */
function argumentsFault(
  request: Json,
  salt: string,
  { args, server, tool }: Extract<Committed, { readonly opens: 'request' }>,
): string | undefined {
  if (args === undefined) return undefined
  const context = isObject(request) ? request['context'] : undefined
  const given = isObject(context) ? context['arguments'] : undefined
  if (given === undefined) return 'holds no arguments, and the receipt commits to some'
  const text = canonicalText(given, LIMITS)
  const isSame =
    args.bytes === utf8Length(text) && digestOf(argumentsPreimage(salt, server, tool, text)) === args.commit
  return isSame ? undefined : 'holds other arguments than the receipt commits to'
}

/** The value of a text that is canonical, or nothing. */
function canonical(text: string): Json | undefined {
  try {
    const value = parseStrict(text, LIMITS)
    return canonicalText(value, LIMITS) === text ? value : undefined
  } catch (error) {
    if (error instanceof HoldpointError) return undefined
    throw error
  }
}

function digestOf(text: string): string {
  return encodeBase64url(sha256Bytes(utf8(text)))
}
