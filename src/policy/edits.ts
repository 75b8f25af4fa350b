import { addDecimals, decimalText } from '../bytes/decimal.ts'
import type { EvaluationRequest, Json, JsonSchema } from '../types.ts'
import { own, shapeOf, valueAt } from './shape.ts'
import { type Subject, subjectOf } from './subject.ts'
import type { Term } from './term.ts'
import { comparisonIn } from './words.ts'

/** Another value for one argument. */
export interface Edit {
  readonly path: readonly string[]
  readonly pointer: string
  /** What it was; absent where it was not given. */
  readonly from?: { readonly from: Json }
  readonly value: Json
}

type Argument = Extract<Subject, { about: 'argument' }>

/**
 * Values of arguments with which a condition, or its denial, could come to hold: those at the boundary, nearest first. Nothing
 * where no single value suggests itself, as for a pattern or a condition on the principal.
 */
export function editsFor(
  term: Term,
  wanted: boolean,
  request: EvaluationRequest,
  schema: JsonSchema | undefined,
): readonly Edit[] {
  const input = request.context.arguments
  const edit = (argument: Pick<Argument, 'path' | 'pointer'>, value: Json | undefined): readonly Edit[] => {
    const before = valueAt(input, argument.path)
    if (value === undefined || value === before) return []
    return [
      {
        path: argument.path,
        pointer: argument.pointer,
        ...(before === undefined ? {} : { from: { from: before } }),
        value,
      },
    ]
  }
  if (term.kind === 'unary' && term.operator === '!') return editsFor(term.of, !wanted, request, schema)
  const asked = term.kind === 'get' ? subjectOf(term) : undefined
  if (asked?.about === 'argument' && asked.fact === undefined) return edit(asked, wanted)

  const comparison = comparisonIn(term, wanted)
  if (comparison !== undefined) {
    const { operator, subject: left, other } = comparison
    const subject = subjectOf(left)
    const bound = literal(other, request)
    if (subject?.about === 'surroundings') return edit(AMOUNT, roomLeft(subject.name, operator, bound, request))
    if (subject === undefined || bound === undefined) return []
    if (subject.fact === 'length') return edit(subject, shortened(valueAt(input, subject.path), operator, bound))
    if (subject.fact === 'host' || subject.fact === 'domain')
      return edit(subject, operator === '==' ? atHost(valueAt(input, subject.path), bound) : undefined)
    if (subject.fact !== undefined && subject.fact !== 'amount') return []
    return edit(subject, atBoundary(operator, bound, valueAt(input, subject.path), isWhole(subject, input, schema)))
  }
  return wanted && term.kind === 'binary' ? membership(term, request, edit) : []
}

const AMOUNT = { path: ['amount'], pointer: '/amount' }

function membership(
  { operator, left, right }: Extract<Term, { kind: 'binary' }>,
  request: EvaluationRequest,
  edit: (argument: Argument, value: Json | undefined) => readonly Edit[],
): readonly Edit[] {
  const input = request.context.arguments
  const [container, member] = [subjectOf(left), subjectOf(right)]
  const listed = literals(left, request)
  if (member?.about === 'argument' && listed.length > 0) {
    const before = valueAt(input, member.path)
    if (operator === 'contains') return edit(member, asBefore(listed[0], before))
    // Every element must be on the list: those that are stay.
    if (operator === 'containsAll' && Array.isArray(before)) {
      return edit(
        member,
        (before as readonly Json[]).filter((element) => listed.includes(element)),
      )
    }
    return []
  }
  if (container?.about !== 'argument') return []
  const [place] =
    operator === 'contains' ? [literal(right, request)] : operator === 'containsAny' ? literals(right, request) : []
  const before = valueAt(input, container.path)
  if (typeof place !== 'string') return []
  if (container.fact === 'ancestors') return edit(container, inFolder(before, place))
  return container.fact === 'domains' ? edit(container, atHost(before, place)) : []
}

/** The value of a literal, or of a fact of the environment. Decimals are numbers here. */
function literal(term: Term, request: EvaluationRequest): Json | undefined {
  if (term.kind === 'value') return isPlain(term.value) ? term.value : undefined
  if (term.kind === 'unary' && term.operator === 'neg') {
    const inner = literal(term.of, request)
    return typeof inner === 'number' ? -inner : undefined
  }
  if (term.kind === 'call' && term.name === 'decimal') {
    const [text] = term.inputs
    return text?.kind === 'value' ? Number(text.value) : undefined
  }
  const subject = subjectOf(term)
  const name = subject?.about === 'surroundings' ? subject.name.split('.') : []
  return name[0] === 'context' && name[1] === 'environment'
    ? valueAt(request.context.environment, name.slice(2))
    : undefined
}

function literals(term: Term, request: EvaluationRequest): readonly Json[] {
  return term.kind === 'set' ? term.items.flatMap((item) => literal(item, request) ?? []) : []
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** Does the argument take whole numbers only? Without a schema, one that was whole stays whole. */
function isWhole({ path }: Argument, input: Json, schema: JsonSchema | undefined): boolean {
  const kind = path.reduce((shape, step) => shape.member(step), shapeOf(schema)).numbers
  return kind === 'long' || (kind === 'by-value' && Number.isInteger(valueAt(input, path)))
}

const SMALLEST_STEP = 0.0001

function atBoundary(operator: string, bound: Json, before: Json | undefined, whole: boolean): Json | undefined {
  if (operator === '==') return asBefore(bound, before)
  if (typeof bound !== 'number') return undefined
  const step = whole ? 1 : SMALLEST_STEP
  switch (operator) {
    case '<=':
      return asBefore(whole ? Math.floor(bound) : bound, before)
    case '>=':
      return asBefore(whole ? Math.ceil(bound) : bound, before)
    case '<':
      return asBefore(whole ? Math.ceil(bound) - step : rounded(bound - step), before)
    case '>':
      return asBefore(whole ? Math.floor(bound) + step : rounded(bound + step), before)
    default:
      return undefined
  }
}

function rounded(value: number): number {
  return Number(value.toFixed(4))
}

/** A number that was written as text is written as text again. */
function asBefore(value: Json | undefined, before: Json | undefined): Json | undefined {
  return typeof value === 'number' && typeof before === 'string' ? String(value) : value
}

/** The amount that would just exhaust a budget: what the limit leaves after what was spent. */
function roomLeft(
  name: string,
  operator: string,
  limit: Json | undefined,
  request: EvaluationRequest,
): Json | undefined {
  if (operator !== '<=' || typeof limit !== 'number') return undefined
  const spent = spentBefore(name, request)
  if (spent === undefined) return undefined
  const limitText = decimalText(limit)
  const left = limitText === undefined ? undefined : addDecimals(limitText, `-${String(spent)}`)
  const amount = left === undefined ? 0 : Number(left)
  return amount > 0 ? amount : undefined
}

const AFTER = /^context\.session\.here(?:\.(hour|day))?(\.surface)?\.after$/

/** What `….after` adds this call's amount to; `undefined` for any other name. */
function spentBefore(name: string, { context: { session }, resource }: EvaluationRequest): Json | undefined {
  const [after, window, surface] = AFTER.exec(name) ?? []
  if (after === undefined) return undefined
  const counted = window === 'hour' ? session.hour : window === 'day' ? session.day : session
  const [spent] =
    surface === undefined ? own(counted.spent, resource.id) : own(counted.surfaces.spent, resource.properties.surface)
  return spent ?? '0.0'
}

function shortened(before: Json | undefined, operator: string, bound: Json): Json | undefined {
  if (!Array.isArray(before) || typeof bound !== 'number') return undefined
  const most = operator === '<=' || operator === '==' ? bound : operator === '<' ? bound - 1 : undefined
  return most === undefined || most >= before.length ? undefined : (before.slice(0, most) as readonly Json[])
}

/** The same file name in the right folder. */
function inFolder(before: Json | undefined, folder: string): Json | undefined {
  const name = typeof before === 'string' ? before.split(/[/\\]/).findLast((part) => /^[^.%~]/.test(part)) : undefined
  return name === undefined ? folder : `${folder === '/' ? '' : folder}/${name}`
}

/** The same address at another host. */
function atHost(before: Json | undefined, host: Json): Json | undefined {
  if (typeof host !== 'string') return undefined
  if (typeof before !== 'string') return undefined
  if (/^[^@\s/]+@[^@\s/]+$/.test(before)) return `${before.slice(0, before.indexOf('@'))}@${host}`
  const url = URL.parse(before)
  return url === null ? `https://${host}/` : `${url.protocol}//${host}${url.pathname}${url.search}`
}
