/** Asks the policies about every call of a table, and says what differs from what was expected. */
import { dirname, resolve } from 'node:path'
import { Contracts } from '../../call/contract.ts'
import { derive } from '../../call/derived.ts'
import { readPolicyFiles } from '../../config/policy-files.ts'
import { onlyServicesDecide, toolId } from '../../config/read.ts'
import { readAnswer } from '../../decide/answer.ts'
import { CLOSED, createOpenBudget, rule } from '../../decide/fail-mode.ts'
import { surfacesOf } from '../../evaluation.ts'
import { classify } from '../../materiality/classify.ts'
import { createCedarPoint } from '../../policy/cedar.ts'
import type {
  Contract,
  Counted,
  Decision,
  EvaluationRequest,
  JsonObject,
  JsonSchema,
  OperatorWord,
  PolicyDecisionPoint,
  SessionFacts,
  Sums,
  Surface,
  ToolDefinition,
} from '../../types.ts'
import type { Situation } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import { byServer } from './known-tools.ts'
import type { ReadTable, Row } from './table.ts'

/** How one case went. */
export interface CaseResult {
  readonly name: string
  /** `file:line:column`, or the file. */
  readonly at: string
  /** What differs from what was expected; empty when all is well. */
  readonly problems: readonly string[]
}

const CLOCK = { now: () => 0, monotonic: () => 0 }
const NEVER = new AbortController().signal

/**
 * Runs a table. Its tools are classified, its facts derived, its answers read and turned into codes by the same code as in the
 * gate; nothing is recorded, and nobody is asked.
 *
 * @param known tools beside those of the table
 * @throws UnusableInput for a call of a tool that nobody described
 * @throws HoldpointError for policies that do not load
 */
export function runTable(
  { file, table, at }: ReadTable,
  situation: Situation,
  known: readonly Contract[],
): readonly CaseResult[] {
  const tools = toolsOf(table.tools ?? {}, situation, known)
  const points = createPoints(dirname(resolve(file)), situation)
  const fitting: CaseResult = {
    name: 'the policies fit the tools',
    at: file,
    problems: byServer([...tools.values()]).flatMap(({ server, definitions }) =>
      points(table.policies)
        .register(server, definitions)
        .map((misfit) => `${misfit.at}: ${misfit.message} (${misfit.policy})`),
    ),
  }
  const rows = table.cases.map((row, index): CaseResult => {
    const contract = tools.get(toolId(row.call, situation.config.server))
    if (contract === undefined) {
      throw new UnusableInput(
        `${at(index)}: "${row.call}" is not among the tools; add it under "tools" or with --tools`,
      )
    }
    const environment = row.environment ?? table.environment ?? situation.config.options.environment ?? {}
    const problems = judged(row, contract, points(row.policies ?? table.policies), environment)
    return { name: row.it, at: at(index), problems }
  })
  return [fitting, ...rows]
}

/** A point for each list of policies, each made once. */
function createPoints(folder: string, { config, policies }: Situation) {
  const made = new Map<string, PolicyDecisionPoint>()
  return (named: string | readonly string[] | undefined): PolicyDecisionPoint => {
    if (named === undefined && onlyServicesDecide(config))
      throw new UnusableInput('services decide here ("points"), and a table tests policies: name them with "policies:"')
    const key = JSON.stringify(named ?? null)
    const point =
      made.get(key) ??
      createCedarPoint(named === undefined ? policies : readPolicyFiles(named, folder, () => 'policies of the table'))
    made.set(key, point)
    return point
  }
}

function toolsOf(
  described: NonNullable<ReadTable['table']['tools']>,
  situation: Situation,
  known: readonly Contract[],
): ReadonlyMap<string, Contract> {
  const contracts = new Contracts(situation.config.options.own)
  const tools = new Map(known.map((contract) => [contract.id, contract]))
  for (const [name, said] of Object.entries(described)) {
    const id = toolId(name, situation.config.server)
    const before = tools.get(id)
    const definition: ToolDefinition = {
      ...(before?.definition ?? { origin: 'own' }),
      name: id.slice(id.indexOf('/') + 1),
      ...(said?.description === undefined ? {} : { description: said.description }),
      ...(said?.schema === undefined ? {} : { inputSchema: said.schema as JsonSchema }),
    }
    const { words } = situation.config
    const word: OperatorWord = {
      ...words.get(id),
      ...(said?.materiality === undefined ? {} : { materiality: said.materiality }),
      ...(said?.surface === undefined ? {} : { surface: said.surface }),
      source: 'the table',
    }
    const server = id.slice(0, id.indexOf('/'))
    const [contract] = contracts.register(server, [definition], new Map([[definition.name, word]]))
    if (contract !== undefined) tools.set(id, contract)
  }
  return tools
}

function judged(row: Row, contract: Contract, point: PolicyDecisionPoint, environment: JsonObject): readonly string[] {
  const input = (row.arguments ?? {}) as JsonObject
  const miss = contract.check(input)
  if (miss !== undefined) {
    // The gate refuses such a call before any policy is asked.
    const missed = `the arguments do not fit the tool: ${miss.path || 'they'} ${miss.requires}`
    return row.code === 'arguments_rejected' && row.decision === 'silence' ? [] : [missed]
  }
  const request = requestOf(row, contract, input, environment)
  const { inputSchema: schema } = contract.definition
  const decision = readAnswer(point.evaluate(request, { signal: NEVER, schema }))
  const { materiality } = request.resource.properties
  const ruling = rule(decision, materiality, CLOSED, createOpenBudget({ clock: CLOCK }), contract.id)
  const code = ruling.kind === 'refuse' ? ruling.code : undefined
  const by = decision.determining.length === 0 ? '' : ` by ${decision.determining.join(', ')}`
  return [
    ...(decision.kind === row.decision
      ? []
      : [`expected ${row.decision}, was ${decision.kind}${by}${detailOf(decision)}`]),
    ...(row.code === undefined || row.code === code ? [] : [`expected code ${row.code}, was ${code ?? 'none'}`]),
    ...differing('sentence', row.sentence, 'sentence' in decision ? decision.sentence : undefined),
    ...differing('by', row.by?.join(', '), decision.determining.join(', ')),
    ...missingConstraint(row, point, request, schema),
  ]
}

function missingConstraint(
  { constraint }: Row,
  point: PolicyDecisionPoint,
  request: EvaluationRequest,
  schema: JsonSchema | undefined,
): readonly string[] {
  if (constraint === undefined) return []
  const { constraints } = point.explain(request, schema)
  if (constraints.some(({ path, requires }) => path === constraint.path && requires === constraint.requires)) return []
  const said = constraints.map(({ path, requires }) => `${path} ${requires}`).join('; ')
  return [`expected the constraint ${constraint.path} ${constraint.requires}, was ${said === '' ? 'none' : said}`]
}

function differing(what: string, expected: string | undefined, actual: string | undefined): readonly string[] {
  return expected === undefined || expected === actual ? [] : [`expected ${what} "${expected}", was "${actual ?? ''}"`]
}

function detailOf(decision: Decision): string {
  return decision.kind === 'silence' && decision.cause.kind === 'wrong' ? ` (${decision.cause.detail})` : ''
}

function requestOf(row: Row, contract: Contract, input: JsonObject, environment: JsonObject): EvaluationRequest {
  const classification = classify(contract, input)
  const { materiality, surface } = classification
  const isAgent = row.user === undefined && row.agent !== undefined
  const who = isAgent
    ? { type: 'agent' as const, id: row.agent ?? '' }
    : { type: 'user' as const, id: row.user ?? 'alice' }
  return {
    subject: {
      ...who,
      properties: { roles: row.roles ?? [], ...(row.tenant === undefined ? {} : { tenant: row.tenant }) },
    },
    action: { name: 'tools/call' },
    resource: {
      type: 'tool',
      id: contract.id,
      properties: {
        materiality,
        ...surfacesOf(classification),
        server: contract.server,
        definition: contract.definitionDigest,
      },
    },
    context: {
      arguments: input,
      ...derive(input),
      environment,
      ...(row.agent === undefined || isAgent ? {} : { agent: row.agent }),
      session: sessionOf(row, contract.id, surface),
      approval: { confirmed: row.confirmed === true, roles: row.approved ?? [] },
    },
  }
}

/** What a row says of the session: all that happened is this tool's. */
function sessionOf({ calls, spent, hour, day, reads = [] }: Row, tool: string, surface: Surface): SessionFacts {
  const counted = (row: Pick<Row, 'calls' | 'spent'> = {}): Counted => {
    const by = (name: string): Sums => ({
      calls: row.calls === undefined ? {} : { [name]: row.calls },
      spent: row.spent === undefined ? {} : { [name]: row.spent },
    })
    return { ...by(tool), surfaces: by(surface) }
  }
  return {
    ...counted({ calls, spent }),
    hour: counted(hour),
    day: counted(day),
    private_data_read: reads.includes('private'),
    untrusted_content_read: reads.includes('untrusted'),
  }
}
