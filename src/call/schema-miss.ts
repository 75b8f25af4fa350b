import type { OutputUnit } from '@cfworker/json-schema'
import { pointerToken } from '../bytes/pointer.ts'
import type { SchemaMiss } from '../types.ts'

/** Keywords that only say that something further down missed. */
const WRAPPERS = new Set(
  (
    '$ref $recursiveRef allOf anyOf oneOf if properties patternProperties additionalProperties unevaluatedProperties ' +
    'propertyNames dependentSchemas items prefixItems additionalItems unevaluatedItems'
  ).split(' '),
)

interface Miss extends SchemaMiss {
  readonly keyword: string
  /** Where the keyword stands in the schema. */
  readonly stands: string
}

/** The innermost alternative that a keyword stands in. */
const ALTERNATIVE = /^.*\/(?:anyOf|oneOf)\/\d+(?=\/)/

/**
 * The one miss that helps most, in words that never quote an argument's value.
 *
 * Alternatives whose own `const` or `enum` misses were not meant, so what else misses in them is left out. Of the rest
 * it is the deepest, since that is where the arguments came furthest, and the first of several as deep.
 */
export function describeMiss(errors: readonly OutputUnit[]): SchemaMiss {
  const misses = errors.filter(({ keyword }) => !WRAPPERS.has(keyword)).map(inWords)
  const unmeant = new Set(misses.filter(tellsApart).map(alternativeOf))
  const meant = misses.filter((miss) => alternativeOf(miss) === undefined || !unmeant.has(alternativeOf(miss)))
  const candidates = meant.length > 0 ? meant : misses.filter(tellsApart)
  const best = candidates.reduce<Miss | undefined>((kept, next) => (depth(next) > depth(kept) ? next : kept), undefined)
  if (best === undefined) {
    // Only a wrapper speaks: more than one alternative of a `oneOf` fits.
    return {
      path: pathOf(errors.at(-1)?.instanceLocation ?? '#'),
      requires: 'must fit exactly one alternative of the schema',
    }
  }
  const alike = candidates.filter(({ keyword, path }) => keyword === best.keyword && path === best.path)
  const [first = best.requires, ...others] = new Set(alike.map(({ requires }) => requires))
  return { path: best.path, requires: [first, ...others.map((other) => other.replace(/^must be /, ''))].join(' or ') }
}

function depth(miss: Miss | undefined): number {
  return miss === undefined ? -1 : miss.path.split('/').length
}

function tellsApart({ keyword }: Miss): boolean {
  return keyword === 'const' || keyword === 'enum'
}

function alternativeOf({ stands }: Miss): string | undefined {
  return ALTERNATIVE.exec(stands)?.[0]
}

/** Reads the library's sentence: it is the only place where the keyword's own value stands. */
function inWords({ keyword, keywordLocation: stands, error, instanceLocation }: OutputUnit): Miss {
  const holder = pathOf(instanceLocation)
  const missing = MISSING.get(keyword)?.exec(error)?.[1]
  if (missing === undefined) return { keyword, stands, path: holder, requires: rule(keyword, error) }
  return { keyword, stands, path: `${holder}/${pointerToken(missing)}`, requires: 'is required' }
}

/** Keywords that speak of a member that is not there. */
const MISSING = new Map([
  ['required', /property "(.*)"\.$/s],
  ['dependentRequired', /does not have "(.*)"\.$/s],
  ['dependencies', /does not have "(.*)"\.$/s],
])

function rule(keyword: string, error: string): string {
  const last = (pattern: RegExp): string => pattern.exec(error)?.[1] ?? "what the tool's schema asks"
  switch (keyword) {
    case 'type':
      return `must be ${last(/Expected "(.*)"\.$/s)
        .split('", "')
        .map(withArticle)
        .join(' or ')}`
    case 'false':
      return 'is not a known argument'
    case 'const':
      return `must be ${clipped(last(/match (.*)\.$/s))}`
    case 'enum':
      return `must be one of ${clipped(last(/any of \[(.*)\]\.$/s))}`
    case 'minimum':
      return `must be at least ${last(/less than (?:or equal to)? *(\S+)\.$/)}`
    case 'maximum':
      return `must be at most ${last(/greater than (?:or equal to)? *(\S+)\.$/)}`
    case 'exclusiveMinimum':
      return `must be more than ${last(/less than (\S+)\.$/)}`
    case 'exclusiveMaximum':
      return `must be less than ${last(/equal to (\S+)\.$/)}`
    case 'multipleOf':
      return `must be a multiple of ${last(/multiple of (\S+)\.$/)}`
    case 'minLength':
      return `must have at least ${counted(last(/< (\d+)\)\.$/), 'character')}`
    case 'maxLength':
      return `must have at most ${counted(last(/> (\d+)\)\.$/), 'character')}`
    case 'minItems':
      return `must have at least ${counted(last(/< (\d+)\)\.$/), 'element')}`
    case 'maxItems':
      return `must have at most ${counted(last(/> (\d+)\)\.$/), 'element')}`
    case 'minProperties':
      return `must have at least ${counted(last(/at least (\d+) /), 'member')}`
    case 'maxProperties':
      return `must have at most ${counted(last(/at least (\d+) /), 'member')}`
    case 'pattern':
      return "must match the schema's pattern"
    case 'format':
      return `must be in the format ${last(/format "(.*)"\.$/s)}`
    case 'uniqueItems':
      return 'must not repeat an element'
    case 'not':
      return 'is excluded by the schema'
    default:
      return `must satisfy the schema's \`${keyword}\``
  }
}

function counted(count: string, thing: string): string {
  return `${count} ${thing}${count === '1' ? '' : 's'}`
}

function withArticle(type: string): string {
  if (type === 'null') return 'null'
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`
}

/** UNTRUSTED: a schema may list as much as it likes. */
function clipped(list: string): string {
  return list.length > 120 ? `${list.slice(0, 119)}…` : list.replaceAll('","', '", "')
}

/** The library's `#/a%20b` as a JSON Pointer. */
function pathOf(location: string): string {
  return decodeURIComponent(location.slice(1))
}
