/** What an auditor trusts and knows, read from the files that the flags of `holdpoint verify` name. */
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { definitionDigest } from '../../bytes/definition-digest.ts'
import { sha256Bytes } from '../../bytes/digest.ts'
import { readPolicyFiles } from '../../config/policy-files.ts'
import { utf8 } from '../../log/encoding.ts'
import { readWitnessPolicy } from '../../log/witness-policy.ts'
import { loadPolicies } from '../../policy/load.ts'
import type { Check } from '../../receipt/verify-report.ts'
import type { BundleTrust } from '../../verify.ts'
import { situationOf } from '../context.ts'
import { reasonOf, UnusableInput } from '../exit.ts'
import { checkpointIn, logPolicyIn } from '../log-trust.ts'
import { toolsIn } from '../tool-lists.ts'
import { keysIn, passkeysIn } from '../trust.ts'

/** The flags that name anchors, beside `--keys`. */
export interface AnchorFlags {
  readonly log?: string
  readonly checkpoint?: readonly string[]
  readonly policies?: readonly string[]
  readonly definitions?: readonly string[]
  readonly overrideKeys?: readonly string[]
  readonly approvalKeys?: readonly string[]
  readonly passkeys?: readonly string[]
}

/** SHA-256, base64url: how receipts name policies and definitions. */
const DIGEST = /^[A-Za-z0-9_-]{43}$/

/**
 * Everything but the keys of gates.
 *
 * @throws UnusableInput naming the file; HoldpointError ERR_CONFIG, ERR_POLICY for policies that do not load
 */
export async function anchorsOf(flags: AnchorFlags): Promise<Omit<BundleTrust, 'keys'>> {
  const { log, checkpoint = [], policies, definitions, overrideKeys, approvalKeys, passkeys } = flags
  return {
    checkpoints: await Promise.all(checkpoint.map(async (file) => (await checkpointIn(file)).note)),
    ...(log === undefined ? {} : { log: await logPolicyIn(log) }),
    ...(policies === undefined ? {} : { policies: policies.flatMap(policyDigests) }),
    ...(definitions === undefined ? {} : { definitions: (await Promise.all(definitions.map(digestsOfTools))).flat() }),
    ...(overrideKeys === undefined ? {} : { override: overrideKeys.flatMap((file) => keysIn(file, 'override')) }),
    ...(approvalKeys === undefined ? {} : { approval: approvalKeys.flatMap((file) => keysIn(file, 'approval')) }),
    ...(passkeys === undefined ? {} : { passkeys: passkeys.flatMap(passkeysIn) }),
  }
}

/**
 * The checks that an anchor asks for: who says what they trust wants to know whether it was so.
 *
 * @throws HoldpointError ERR_CONFIG for a log policy that is none
 */
export function askedBy({
  log,
  checkpoints = [],
  policies,
  definitions,
  override,
  approval,
  passkeys,
}: Omit<BundleTrust, 'keys'>): readonly Check[] {
  const asksWitnesses = log !== undefined && readWitnessPolicy(sha256Bytes, utf8(log)).quorum.kind !== 'none'
  return [
    ...(definitions === undefined ? [] : (['definitions'] as const)),
    ...(policies === undefined ? [] : (['policies'] as const)),
    ...(override === undefined ? [] : (['overrides'] as const)),
    ...(approval === undefined && passkeys === undefined ? [] : (['approvals'] as const)),
    ...(log === undefined ? [] : (['inclusion'] as const)),
    ...(checkpoints.length === 0 ? [] : (['consistency'] as const)),
    ...(asksWitnesses ? (['witnesses'] as const) : []),
  ]
}

/**
 * The digests of one `--policies`: a list of digests, or one set, as a `holdpoint.yaml` or a list with commas makes it.
 *
 * A set is what a gate decides by as a whole, so its files have one digest together.
 */
function policyDigests(set: string): readonly string[] {
  const listed = digestsIn(set)
  if (listed !== undefined) return listed
  if (/^\.ya?ml$/.test(extname(set))) return [digestInForce(set)]
  const names = set.split(',').map((name) => name.trim())
  return [loadPolicies(readPolicyFiles(names, process.cwd(), () => '--policies')).digest]
}

function digestInForce(file: string): string {
  const { config, policies } = situationOf(file)
  if (config.options.points !== undefined) {
    throw new UnusableInput(
      `${file}: its "points" decide, whose digest is not worked out of files: take it from a receipt that you believe, and give a file of digests`,
    )
  }
  return loadPolicies(policies).digest
}

/** UNTRUSTED: definitions may be what a stranger's server listed. */
async function digestsOfTools(file: string): Promise<readonly string[]> {
  const listed = file === '-' ? undefined : digestsIn(file)
  if (listed !== undefined) return listed
  return (await toolsIn(file)).map(({ at, definition }) => {
    try {
      return definitionDigest(definition)
    } catch (error) {
      throw new UnusableInput(`${at}: has no digest: ${reasonOf(error)}`)
    }
  })
}

/** The digests of a file that holds nothing else, one a line, with comments behind `#`; `undefined` for any other file. */
function digestsIn(file: string): readonly string[] | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    // A folder, a list of names, or not there: whoever reads it as one of these says what is wrong.
    return undefined
  }
  const lines = text.split('\n').flatMap((line) => line.replace(/#.*/, '').trim() || [])
  return lines.length > 0 && lines.every((line) => DIGEST.test(line)) ? lines : undefined
}
