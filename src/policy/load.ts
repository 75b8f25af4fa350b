import {
  type DetailedError,
  type PolicyJson,
  policySetTextToParts,
  policyToJson,
} from '@cedar-policy/cedar-wasm/nodejs'
import { canonicalText } from '../bytes/canonical.ts'
import { sha256 } from '../bytes/digest.ts'
import { lineOf } from '../bytes/place.ts'
import { HoldpointError } from '../errors.ts'
import type { Obligation } from '../types.ts'
import { readAnnotations } from './annotations.ts'
import { checkNames } from './names.ts'
import { offsetOfByte, placeIn, splitPolicies } from './source.ts'
import { chainOf, readTerm, type Term, walk } from './term.ts'
import type { Disclosure } from './vocabulary.ts'

/** A policy file as it was read: its name for errors, and its text. */
export interface PolicyText {
  readonly path: string
  readonly text: string
  /** For text that was made of something else: where the reason of each of its lines was written, `file:line:column`. */
  readonly places?: readonly string[]
}

/** One policy, where it stands and what its annotations say. */
export interface LoadedPolicy {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  /** `file:line` of the first line of the policy. */
  readonly at: string
  readonly file: PolicyText
  /** UTF-16 offset of `text` in the file. */
  readonly offset: number
  readonly text: string
  readonly json: PolicyJson
  readonly clauses: readonly Clause[]
  /** `confirmation` or `approval:<role>`: the permit counts only once a person said so. */
  readonly requires: string | undefined
  /** How many different persons must say so. */
  readonly quorum: number
  /** What the model and the person are told when this policy refuses. */
  readonly refusal: string | undefined
  readonly obligation: Obligation | undefined
  readonly disclose: Disclosure
}

/** A `when` or `unless`. */
export interface Clause {
  readonly kind: 'when' | 'unless'
  readonly body: Term
}

/** All policies of a gate. */
export interface PolicySet {
  /** SHA-256 of the canonical list of (id, text), in order of id. */
  readonly digest: string
  /** In order of id. */
  readonly policies: readonly LoadedPolicy[]
}

/**
 * Reads policy files: every policy keyed by its `@id`, with its file and line.
 *
 * INVARIANT I4: there is always a policy; a set without one is an error, not a gate that refuses or runs everything.
 *
 * @throws HoldpointError ERR_POLICY with `at` = `file:line` for text that does not parse, a missing or duplicate `@id`, an
 * annotation, action group, entity type or context member that does not exist, a template, or an empty set
 */
export function loadPolicies(files: readonly PolicyText[]): PolicySet {
  const byId = new Map<string, LoadedPolicy>()
  for (const policy of files.flatMap((file) => readFile(file))) {
    const earlier = byId.get(policy.id)
    if (earlier !== undefined) {
      throw policyError(policy.file, policy.offset, `@id("${policy.id}") is taken by the policy at ${earlier.at}`)
    }
    byId.set(policy.id, policy)
  }
  if (byId.size === 0) {
    const where = files.map((file) => file.path).join(', ')
    throw new HoldpointError('ERR_POLICY', `no policy in ${where === '' ? 'no file' : where}: nothing could ever run`, {
      ...(files[0] === undefined ? {} : { at: `${files[0].path}:1` }),
    })
  }
  const policies = [...byId.values()].sort((one, other) => (one.id < other.id ? -1 : 1))
  return { policies, digest: sha256(canonicalText(policies.map(({ id, text }) => [id, text]))) }
}

function readFile(file: PolicyText): readonly LoadedPolicy[] {
  const split = policySetTextToParts(file.text)
  if (split.type === 'failure') throw parseError(file, split.errors)
  const parts = splitPolicies(file.text)
  if (split.policy_templates.length > 0) {
    const template = parts.find((part) => split.policy_templates.includes(part.text))
    throw policyError(
      file,
      template?.offset ?? 0,
      'templates (?principal, ?resource) are not supported: write the policy out',
    )
  }
  // Our own split gives the lines, Cedar's is the truth: they must agree on every policy.
  const known = new Set(split.policies)
  if (parts.length !== split.policies.length || parts.some((part) => !known.has(part.text))) {
    throw policyError(file, 0, 'the file could not be split into its policies')
  }
  return parts.map((part) => readPolicy(file, part.text, part.offset))
}

function readPolicy(file: PolicyText, text: string, offset: number): LoadedPolicy {
  const parsed = policyToJson(text)
  if (parsed.type === 'failure') throw parseError(file, parsed.errors, offset)
  const { json } = parsed
  const fail = (within: number, message: string): HoldpointError => policyError(file, offset + within, message)
  const annotations = readAnnotations(json, text, fail)
  const clauses = json.conditions.map((clause) => ({ kind: clause.kind, body: readTerm(clause.body) }))
  checkNames(json, clauses, text, fail)
  if (json.effect === 'forbid' && annotations.requires !== undefined && !clauses.some(readsApproval)) {
    const remedy = 'add the yes that lifts it, such as unless { context.approval.confirmed }'
    throw fail(0, `@requires on a forbid that does not read context.approval would ask in vain: ${remedy}`)
  }
  const at = lineOf(placeIn(file, offset))
  return { ...annotations, effect: json.effect, at, file, offset, text, json, clauses }
}

function readsApproval({ body }: Clause): boolean {
  let reads = false
  walk(body, (term) => {
    const chain = chainOf(term)
    reads ||= chain?.variable === 'context' && chain.path[0] === 'approval'
  })
  return reads
}

function parseError(file: PolicyText, errors: readonly DetailedError[], base = 0): HoldpointError {
  const [first] = errors
  const location = first?.sourceLocations?.[0]
  const offset = location === undefined ? base : base + offsetOfByte(file.text.slice(base), location.start)
  const what = (first?.message ?? 'the text does not parse').replace(/^failed to parse polic\w+ from string: /, '')
  const expected = location?.label ?? first?.help
  return policyError(file, offset, expected === null || expected === undefined ? what : `${what}; ${expected}`)
}

/** The one shape of a load error: `file:line:column: what is wrong`, and `file:line` as `at`. */
function policyError(file: PolicyText, offset: number, message: string): HoldpointError {
  const place = placeIn(file, offset)
  return new HoldpointError('ERR_POLICY', `${place}: ${message}`, { at: lineOf(place) })
}
