import { sha256 } from '../bytes/digest.ts'
import { jsonPointer } from '../bytes/pointer.ts'
import { requirementOf, roleIn } from '../bytes/requirement.ts'
import type { ShortCondition, ShortRule } from '../types.ts'
import type { PolicyText } from './load.ts'

/** A line of Cedar text, and where its reason was written. */
interface Line {
  readonly text: string
  readonly at: string
}

/** One policy of a rule. */
interface Part {
  readonly name: 'deny' | 'permit' | 'asked' | 'otherwise'
  readonly effect: 'permit' | 'forbid'
  readonly at: string
  readonly annotations?: readonly string[]
  readonly clauses?: readonly Line[]
}

const LONGEST_NAME = 100

/**
 * Policy files and the rules of the short form, as the one list that makes a policy set.
 *
 * The text of a rule depends on the rule alone, never on the tool's schema: numbers are compared as the decimal that is derived
 * of each, so that the digest of the set is known before any tool is.
 */
export function withShortForm(files: readonly PolicyText[], rules: readonly ShortRule[]): readonly PolicyText[] {
  const [first] = rules
  if (first === undefined) return files
  const lines = rules.flatMap((rule) => partsOf(rule).flatMap((part) => written(rule, part)))
  const text = lines.map((line) => line.text).join('\n')
  return [...files, { path: first.at.replace(/:\d+:\d+$/, ''), text, places: lines.map(({ at }) => at) }]
}

/**
 * The policies of one rule. INVARIANT I4: beside the permit stands a forbid of everything else, so that no other policy (the
 * default one permits any call that a person confirms) lets a call run which the rule does not.
 */
function partsOf({ at, says }: ShortRule): readonly Part[] {
  switch (says.kind) {
    case 'deny':
      return [{ name: 'deny', effect: 'forbid', at }]
    case 'permit':
      return [{ name: 'permit', effect: 'permit', at }]
    case 'permit-when': {
      const { conditions, otherwise } = says
      const yes = otherwise.ask === undefined ? undefined : yesOf(otherwise.ask)
      const { quorum = 1 } = otherwise
      const annotations = [
        ...(yes === undefined ? [] : [`@requires(${quoted(yes.requires)})`]),
        ...(quorum > 1 ? [`@quorum("${quorum}")`] : []),
        ...(otherwise.say === undefined ? [] : [`@refusal(${quoted(otherwise.say)})`]),
      ]
      const left = { at: otherwise.at, annotations }
      const lifted = yes === undefined ? [] : [{ text: `unless { ${yes.holds} }`, at: otherwise.at }]
      return [
        ...(conditions.length === 0
          ? []
          : [{ name: 'permit', effect: 'permit', at, clauses: clauseOf('when', conditions, at) } as const]),
        ...(yes === undefined ? [] : [{ name: 'asked', effect: 'permit', ...left } as const]),
        { name: 'otherwise', effect: 'forbid', ...left, clauses: [...clauseOf('unless', conditions, at), ...lifted] },
      ]
    }
  }
}

function written({ name, tool }: ShortRule, part: Part): readonly Line[] {
  const { at, effect, annotations = [], clauses = [] } = part
  const head = [
    `@id(${quoted(idOf(name, part.name))})`,
    ...annotations,
    `${effect} (principal, action == Action::${quoted(tool)}, resource)`,
  ]
  const lines = [...head.map((text) => ({ text, at })), ...clauses]
  return [
    ...lines.map((line, index) => (index === lines.length - 1 ? { ...line, text: `${line.text};` } : line)),
    { text: '', at },
  ]
}

/** `when { … }` with a line for each condition; nothing where there are none. */
function clauseOf(kind: 'when' | 'unless', conditions: readonly ShortCondition[], at: string): readonly Line[] {
  if (conditions.length === 0) return []
  const terms = conditions.flatMap((condition) => termsOf(condition).map((text) => ({ text, at: condition.at })))
  const joined = terms.map(({ text, at: place }, index) => ({
    text: index === terms.length - 1 ? `  ${text}` : `  ${text} &&`,
    at: place,
  }))
  return [{ text: kind, at }, { text: '{', at }, ...joined, { text: '}', at }]
}

/** What must hold of one argument. Each value is asked for before it is read, so that a rule never errs. */
function termsOf({ path, max, min, oneOf, under, host }: ShortCondition): readonly string[] {
  const pointer = quoted(jsonPointer(path))
  const derived = (fact: string, ...conditions: readonly string[]): readonly string[] => [
    `context.derived has ${pointer}`,
    `context.derived[${pointer}] has ${fact}`,
    ...conditions.map((condition) => `context.derived[${pointer}].${fact}.${condition}`),
  ]
  const numbers = oneOf?.filter((value) => typeof value === 'number') ?? []
  const amounts = [
    ...(min === undefined ? [] : [`greaterThanOrEqual(${decimal(min)})`]),
    ...(max === undefined ? [] : [`lessThanOrEqual(${decimal(max)})`]),
  ]
  const listed = numbers.length > 0 ? `[${numbers.map(decimal).join(', ')}]` : undefined
  return [
    ...(amounts.length > 0 || listed !== undefined ? derived('amount', ...amounts) : []),
    ...(listed === undefined ? [] : [`${listed}.contains(context.derived[${pointer}].amount)`]),
    ...(oneOf === undefined || listed !== undefined ? [] : among(path, oneOf)),
    ...(under === undefined ? [] : derived('ancestors', within(under))),
    ...(host === undefined ? [] : derived('domains', within(host))),
  ]
}

/** `context.arguments has currency && ["EUR"].contains(context.arguments.currency)`, through every record on the way. */
function among(path: readonly string[], values: NonNullable<ShortCondition['oneOf']>): readonly string[] {
  let record = 'context.arguments'
  const asked = path.map((name) => {
    const has = `${record} has ${isIdentifier(name) ? name : quoted(name)}`
    record += isIdentifier(name) ? `.${name}` : `[${quoted(name)}]`
    return has
  })
  const list = values.map((value) => (typeof value === 'string' ? quoted(value) : String(value)))
  return [...asked, `[${list.join(', ')}].contains(${record})`]
}

function within(values: readonly string[]): string {
  const [only] = values
  if (values.length === 1 && only !== undefined) return `contains(${quoted(only)})`
  return `containsAny([${values.map(quoted).join(', ')}])`
}

function yesOf(ask: string): { readonly requires: string; readonly holds: string } {
  const requires = requirementOf(ask)
  const role = roleIn(requires)
  const holds = role === undefined ? 'context.approval.confirmed' : `context.approval.roles.contains(${quoted(role)})`
  return { requires, holds }
}

/** `yaml/refund/permit`. A name that is too long for an id is cut and told from others by its digest. */
function idOf(name: string, part: string): string {
  const short = name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 9)}.${sha256(name).slice(0, 8)}`
  return `yaml/${short}/${part}`
}

/** The schema of the configuration saw to it that four places hold it. */
function decimal(number: number): string {
  const text = String(number)
  return `decimal("${text.includes('.') ? text : `${text}.0`}")`
}

const KEYWORDS: ReadonlySet<string> = new Set('true false if then else in is like has __cedar'.split(' '))

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !KEYWORDS.has(name)
}

/** A Cedar string literal. Whatever is not plain and printable is written as an escape. */
function quoted(text: string): string {
  const escaped = text.replaceAll(/["\\\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
  return `"${escaped}"`
}
