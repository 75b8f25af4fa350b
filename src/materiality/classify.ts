import type { Classification, Contract, Evidence, Json, Materiality, Surface, ToolDefinition } from '../types.ts'
import { fromArguments } from './arguments.ts'
import { fromDescription } from './description.ts'
import { fromHints } from './hints.ts'
import { fromName } from './name.ts'
import { outranks } from './rank.ts'
import { fromSchema } from './schema.ts'
import { takesSql } from './sql-tool.ts'

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
  because: 'nothing says what this tool does',
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
  const raised = fromArguments(input, { materiality: classification.materiality, takesSql })
  if (raised.length === 0) return classification
  return join([...classification.evidence, ...raised], operatorOf(contract)?.surface)
}

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
  const named = fromName(name)
  const evidence = [
    ...(named.length === 0 ? [NOTHING_KNOWN] : named),
    ...fromSchema(inputSchema),
    ...fromDescription(description),
    ...fromHints(annotations),
  ]
  if (word?.materiality === undefined) {
    return {
      classification: join(evidence, word?.surface),
      settled: false,
      takesSql: takesSql(contract.definition),
    }
  }
  const surface = word.surface ?? join(evidence, undefined).surface
  const said: Evidence = {
    source: word.basis,
    argues: word.materiality,
    surface,
    at: word.source,
    because: 'the operator says so',
  }
  return {
    classification: { materiality: word.materiality, surface, evidence: [said] },
    settled: true,
    takesSql: false,
  }
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

/** The surface is that of the strongest evidence that names one; the first of several as strong. */
function join(evidence: readonly Evidence[], surface: Surface | undefined): Classification {
  let materiality: Materiality = 'low'
  let strongest: Evidence | undefined
  for (const each of evidence) {
    if (outranks(each.argues, materiality)) materiality = each.argues
    if (each.surface === undefined) continue
    if (strongest === undefined || outranks(each.argues, strongest.argues)) strongest = each
  }
  return { materiality, surface: surface ?? strongest?.surface ?? 'unknown', evidence }
}
