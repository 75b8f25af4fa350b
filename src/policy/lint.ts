import { type DetailedError, type Schema, type ValidationError, validate } from '@cedar-policy/cedar-wasm/nodejs'
import { nearest } from '../bytes/nearest.ts'
import type { PolicyMisfit, ToolDefinition } from '../types.ts'
import { type Attributes, optional, recordOf, STRING } from './cedar-type.ts'
import type { LoadedPolicy } from './load.ts'
import { entitiesNamed, type NamedEntity } from './names.ts'
import { rawPaths } from './raw-paths.ts'
import { scopeOf, serverOf, toolsMeant, toolsNamed } from './scope.ts'
import { offsetOfByte, placeIn } from './source.ts'
import { strayPaths } from './stray-paths.ts'
import { commonTypes, contextType } from './tool-type.ts'
import { usesOf } from './uses.ts'
import { ACTION_GROUPS } from './vocabulary.ts'

/** Learns a server's tools and says which policies do not fit them. */
export type Linter = (server: string, tools: readonly ToolDefinition[]) => readonly PolicyMisfit[]

/**
 * Checks policies against tools as they are registered, by Cedar's strict validation over a schema made of the tools:
 * misspelt arguments, comparisons of the wrong type, optional arguments that are read without asking `has` first.
 *
 * A policy that is about other servers' tools alone is left in peace. In the schema an action is in every tier and every
 * surface, since arguments can move a call; and, once more, in none, so that a condition on the tier hides no mistake.
 */
export function createLinter(policies: readonly LoadedPolicy[]): Linter {
  const context = usesOf(policies)
  const common = commonTypes(context)
  const known = new Map<string, Map<string, ToolDefinition>>()
  return (server, tools) => {
    const ofServer = known.get(server) ?? new Map<string, ToolDefinition>()
    for (const tool of tools) ofServer.set(tool.name, tool)
    known.set(server, ofServer)
    const ids = [...ofServer.keys()].map((name) => `${server}/${name}`)
    const relevant = policies.filter((policy) => concerns(policy, server))
    const misspelt = relevant.flatMap((policy) => misspeltTools(policy, server, ids))
    if (relevant.length === 0) return []

    // UNTRUSTED: a server that lists other tools each time would make every listing dearer. Of the tools that are not listed
    // now, only those matter that a policy names.
    const named = new Set(relevant.flatMap(toolsNamed))
    const listed = new Set(tools.map(({ name }) => name))
    const linted = [...ofServer.values()].filter(({ name }) => listed.has(name) || named.has(`${server}/${name}`))

    const actions = linted.map((tool) => ({
      id: `${server}/${tool.name}`,
      context: contextType(tool.inputSchema, context),
    }))
    const others = relevant.flatMap(toolsNamed).filter((id) => !ids.includes(id))
    const groupings = relevant.some((policy) => asksForGroup(policy)) ? [true, false] : [true]
    const passes = groupings.map((inGroups) => runPass(relevant, schemaOf(actions, others, { common, inGroups })))
    const mistakes = passes.flatMap(({ mistakes }) => mistakes)
    const idle = relevant.filter(
      (policy) =>
        passes.every(({ impossible }) => impossible.has(policy.id)) &&
        toolsMeant(policy)?.some((id) => ids.includes(id)) === true,
    )
    const strays = relevant.flatMap((policy) => {
      const meant = toolsMeant(policy) ?? []
      const tools = linted.filter(({ name }) => meant.includes(`${server}/${name}`))
      return strayPaths(policy, tools).map(({ within, message }) => misfit(policy, within, message))
    })
    return unique([
      ...misspelt,
      ...mistakes,
      ...strays,
      ...idle
        .filter((policy) => ![...mistakes, ...strays].some((mistake) => mistake.policy === policy.id))
        .map((policy) =>
          misfit(policy, 0, 'this policy can never apply to the tools that it names; check the names after `has`'),
        ),
      ...relevant.flatMap((policy) => rawPaths(policy).map(({ within, message }) => misfit(policy, within, message))),
    ])
  }
}

/** Is the policy about this server's tools? One that names only others' tools, or another server, is not. */
function concerns(policy: LoadedPolicy, server: string): boolean {
  const named = scopeOf(policy).server
  if (named !== undefined && named !== server) return false
  return toolsMeant(policy)?.some((id) => serverOf(id) === server) ?? true
}

/** Does a condition, beside the scope, ask which tier or surface the call is of? */
function asksForGroup(policy: LoadedPolicy): boolean {
  const isGroup = ({ type, id }: NamedEntity): boolean => type === 'Action' && ACTION_GROUPS.has(id)
  return entitiesNamed(policy.json, policy.clauses).filter(isGroup).length > scopeOf(policy).groups.length
}

/** A tool that the server does not have but almost has. One that is unlike all of them may belong to another agent. */
function misspeltTools(policy: LoadedPolicy, server: string, ids: readonly string[]): readonly PolicyMisfit[] {
  return toolsNamed(policy).flatMap((id) => {
    if (ids.includes(id) || !id.startsWith(`${server}/`)) return []
    const guess = nearest(id, ids)
    if (guess === undefined) return []
    return [misfit(policy, Math.max(0, policy.text.indexOf(`"${id}"`)), `no tool ${id}; did you mean "${guess}"?`)]
  })
}

interface Action {
  readonly id: string
  readonly context: ReturnType<typeof contextType>
}

/** The schema of one server's tools, in Cedar's JSON form. */
function schemaOf(
  actions: readonly Action[],
  others: readonly string[],
  { common, inGroups }: { readonly common: Attributes; readonly inGroups: boolean },
): Schema {
  const groups = [...ACTION_GROUPS]
  const person = { memberOfTypes: ['Role'], shape: recordOf({ tenant: optional(STRING) }) }
  const declared = new Map<string, object>([...groups, ...others].map((id) => [id, {}]))
  for (const { id, context } of actions) {
    declared.set(id, {
      memberOf: inGroups ? groups.map((group) => ({ id: group })) : [],
      appliesTo: { principalTypes: ['User', 'Agent'], resourceTypes: ['Server'], context },
    })
  }
  const schema = {
    '': {
      commonTypes: common,
      entityTypes: { User: person, Agent: person, Role: {}, Server: {} },
      actions: Object.fromEntries(declared),
    },
  }
  return schema as unknown as Schema
}

interface Pass {
  readonly mistakes: readonly PolicyMisfit[]
  readonly impossible: ReadonlySet<string>
}

function runPass(policies: readonly LoadedPolicy[], schema: Schema): Pass {
  const byId = new Map(policies.map((policy) => [policy.id, policy]))
  const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]))
  const answer = validate({ validationSettings: { mode: 'strict' }, schema, policies: { staticPolicies } })
  if (answer.type === 'failure') {
    // The tools cannot be written as a schema, so nobody knows whether the policies fit: say so about each.
    const why = answer.errors.map(({ message }) => message).join('; ')
    return {
      mistakes: policies.map((policy) => misfit(policy, 0, `the tools cannot be checked against it: ${why}`)),
      impossible: new Set(),
    }
  }
  // The engine tells them in no order, and of two that say the same one is kept.
  const told = [...answer.validationErrors].sort((one, other) => (one.policyId < other.policyId ? 1 : -1))
  const mistakes = told.flatMap((error) => {
    const policy = byId.get(error.policyId)
    return policy === undefined ? [] : [mistakeOf(policy, error)]
  })
  const impossible = answer.validationWarnings.filter(({ error }) => error.message.includes('policy is impossible'))
  return { mistakes, impossible: new Set(impossible.map(({ policyId }) => policyId)) }
}

function mistakeOf(policy: LoadedPolicy, { error }: ValidationError): PolicyMisfit {
  const [place] = error.sourceLocations ?? []
  const start = place === undefined ? 0 : offsetOfByte(policy.text, place.start)
  const end = place === undefined ? 0 : offsetOfByte(policy.text, place.end)
  const unequal = neverEqual(error)
  if (unequal !== undefined) return misfit(policy, start, unequal)
  const about = (text: string): string => text.replace(/^for policy `[^`]*`, /, '')
  const hint = decimalHint(policy.text, start, end, error) ?? error.help
  return misfit(policy, start, hint === null ? about(error.message) : `${about(error.message)}; ${about(hint)}`)
}

/** A list of one kind of value that is asked whether it holds one of another: what the short form's `oneOf` becomes. */
function neverEqual({ message, help }: DetailedError): string | undefined {
  const [, one, other] = /the types (.+) and (.+) are not compatible/.exec(message) ?? []
  if (one === undefined || other === undefined || help?.includes('elements of the first operand') !== true)
    return undefined
  // A decimal and a whole number have Cedar's own words, and a remedy.
  if (kindOf(one) === kindOf(other)) return undefined
  return `${kindOf(one)} is never equal to ${kindOf(other)}: what the argument is and what is listed must be of one kind`
}

/** A Cedar type as a person calls its values. */
function kindOf(type: string): string {
  if (type.startsWith('Set<')) return 'a list'
  if (type.startsWith('{')) return 'a record'
  if (type === 'String') return 'a text'
  if (type === 'Long' || type === 'decimal') return 'a number'
  return type === 'Bool' || /^__cedar::internal::(True|False)$/.test(type) ? 'a boolean' : `a ${type}`
}

const METHODS: ReadonlyMap<string, string> = new Map([
  ['<', 'lessThan'],
  ['<=', 'lessThanOrEqual'],
  ['>', 'greaterThan'],
  ['>=', 'greaterThanOrEqual'],
])

/** `amount <= 500` on a decimal: how it is written instead. */
function decimalHint(text: string, start: number, end: number, error: DetailedError): string | undefined {
  if (!/\bdecimal\b/.test(error.message)) return undefined
  const [, operator = '', number = ''] = /^\s*(<=?|>=?)\s*(-?\d+)/.exec(text.slice(end)) ?? []
  const method = METHODS.get(operator)
  if (method !== undefined) return `write ${text.slice(start, end)}.${method}(decimal("${number}.0"))`
  return /\bLong\b/.test(error.message) ? 'write the number as a decimal: decimal("500.0")' : undefined
}

function misfit(policy: LoadedPolicy, within: number, message: string): PolicyMisfit {
  return { policy: policy.id, at: placeIn(policy.file, policy.offset + within), message }
}

function unique(misfits: readonly PolicyMisfit[]): readonly PolicyMisfit[] {
  return [...new Map(misfits.map((one) => [`${one.at}\n${one.message}`, one])).values()]
}
