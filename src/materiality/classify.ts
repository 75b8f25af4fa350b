import { wordsOf } from '../bytes/words.ts'
import type { Classification, Contract, Evidence, Json, Materiality, Surface, ToolDefinition } from '../types.ts'
import { fromArguments } from './arguments.ts'
import { fromDescription } from './description.ts'
import { fromHints } from './hints.ts'
import { fromName, hasReadingVerb } from './name.ts'
import { outranks } from './rank.ts'
import { fromSchema } from './schema.ts'
import { namesADatabase } from './sql-tool.ts'

/** What is known of a tool before it is called. Worked out once per contract. */
interface Standing {
  readonly classification: Classification
  /** The operator named the tier, so nothing in a call can change it. */
  readonly settled: boolean
  readonly takesSql: boolean
}

const standings = new WeakMap<Contract, Standing>()
const NOTHING_KNOWN: Evidence = {
  source: 'default',
  argues: 'high',
  at: 'name',
  because: 'its name does not say what it does',
}

const TAKES_ANYTHING: Evidence = {
  source: 'schema',
  argues: 'high',
  surface: 'unknown',
  at: '',
  because: 'no schema says what this tool takes',
}

/**
 * Weighs the harm that a wrong call could do: the highest tier that any evidence argues for.
 *
 * INVARIANT I8: the operator decides alone, and only the operator lowers; all other evidence joins by maximum. Only the
 * name can say `low`; a tool whose name says nothing is `high`. Deterministic and synchronous.
 */
export function classify(contract: Contract, input: Json): Classification {
  const { classification, settled, takesSql } = standingOf(contract)
  if (settled) return classification
  const raised = fromArguments(input, { materiality: classification.materiality, takesSql, own: contract.own ?? {} })
  if (raised.length === 0) return classification
  // INVARIANT I8: what a model writes may add a surface and take none away, or it could choose which rules and sums hold for it.
  const { surface } = classification
  const own = VAGUE.has(surface) ? operatorOf(contract)?.surface : surface
  // A tool that says nothing of itself goes on saying nothing, whatever else the call touches.
  return join([...classification.evidence, ...raised], own, raised, surface === 'unknown' ? [surface] : [])
}

/** Surfaces that say too little to be kept when a call's own arguments say more. */
const VAGUE: ReadonlySet<Surface> = new Set(['read', 'unknown'])

function standingOf(contract: Contract): Standing {
  const known = standings.get(contract)
  if (known !== undefined) return known
  const standing = weigh(contract)
  standings.set(contract, standing)
  return standing
}

function weigh(contract: Contract): Standing {
  const word = operatorOf(contract)
  const { name, description, inputSchema, annotations } = contract.definition
  const words = wordsOf(name)
  const said = fromName(words)
  const named = said.length === 0 ? [NOTHING_KNOWN] : said
  const schema = fromSchema(inputSchema, highestOf(named), hasReadingVerb(words))
  const evidence = [
    ...named,
    ...(takesAnything(contract.definition) ? [TAKES_ANYTHING] : []),
    ...schema.evidence,
    ...fromDescription(description),
    ...fromHints(annotations),
  ]
  if (word?.materiality === undefined) {
    return {
      classification: join(evidence, word?.surface),
      settled: false,
      takesSql: schema.speaksOfSql || namesADatabase(words),
    }
  }
  const surface = word.surface ?? join(evidence, undefined).surface
  const decided: Evidence = {
    source: word.basis,
    argues: word.materiality,
    surface,
    at: word.source,
    because: 'the operator says so',
  }
  return {
    classification: { materiality: word.materiality, surface, surfaces: [surface], evidence: [decided] },
    settled: true,
    takesSql: false,
  }
}

/** A third party must say what its tool takes; an own tool is the operator's, who has its code. */
function takesAnything({ origin, inputSchema }: ToolDefinition): boolean {
  return origin === 'third-party' && (inputSchema === undefined || Object.keys(inputSchema).length === 0)
}

interface Word {
  readonly materiality?: Materiality
  readonly surface?: Surface
  readonly source: string
  readonly basis: 'operator' | 'definition'
}

/** The configuration, or `metadata.holdpoint` on an own tool. A third party that declares something declares nothing. */
function operatorOf({ operator, definition }: Contract): Word | undefined {
  if (operator?.materiality !== undefined) return { ...operator, basis: 'operator' }
  const declared = declaredBy(definition)
  if (declared === undefined) return operator === undefined ? undefined : { ...operator, basis: 'operator' }
  return { ...declared, ...operator, source: 'metadata.holdpoint', basis: 'definition' }
}

function declaredBy({ origin, declared }: ToolDefinition): ToolDefinition['declared'] {
  return origin === 'own' ? declared : undefined
}

function highestOf(evidence: readonly Evidence[]): Materiality {
  let highest: Materiality = 'low'
  for (const { argues } of evidence) if (outranks(argues, highest)) highest = argues
  return highest
}

/** Unless it is `known`, the surface is that of the strongest evidence that names one; the first of several as strong. */
function join(
  evidence: readonly Evidence[],
  known: Surface | undefined,
  raised: readonly Evidence[] = [],
  kept: readonly Surface[] = [],
): Classification {
  let strongest: Evidence | undefined
  for (const each of evidence) {
    if (each.surface === undefined) continue
    if (strongest === undefined || outranks(each.argues, strongest.argues)) strongest = each
  }
  const surface = known ?? strongest?.surface ?? 'unknown'
  const others = raised.flatMap((each) => each.surface ?? [])
  return {
    materiality: highestOf(evidence),
    surface,
    surfaces: [...new Set([surface, ...kept, ...others])],
    evidence: most(evidence),
  }
}

/** A stranger can make any number of pieces; a receipt keeps eight, so they are the strongest. */
const MOST_PIECES = 8

function most(evidence: readonly Evidence[]): readonly Evidence[] {
  if (evidence.length <= MOST_PIECES) return evidence
  const byWeight = (tier: Materiality) => evidence.filter(({ argues }) => argues === tier)
  return [...byWeight('high'), ...byWeight('medium'), ...byWeight('low')].slice(0, MOST_PIECES)
}
