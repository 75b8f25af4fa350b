import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { derive } from '../../src/call/derived.ts'
import { ask } from '../../src/decide/deadline.ts'
import { CLOSED, createOpenBudget, rule } from '../../src/decide/fail-mode.ts'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import type { Decision, EvaluationRequest, Json, JsonSchema, Materiality, Surface } from '../../src/types.ts'

/** A table beside a shipped policy: `policies/<name>.test.yaml`. */
interface Table {
  /** The shipped files that answer together. */
  readonly policies: readonly string[]
  readonly tools: {
    readonly [id: string]: {
      readonly materiality: Materiality
      readonly surface: Surface
      readonly schema?: JsonSchema
    }
  }
  readonly environment?: { readonly [name: string]: Json }
  readonly cases: readonly Case[]
}

interface Case {
  readonly it: string
  readonly policies?: readonly string[]
  readonly call: string
  readonly arguments?: Json
  readonly environment?: { readonly [name: string]: Json }
  readonly spent?: string
  readonly confirmed?: boolean
  readonly decision: Decision['kind']
  readonly code?: string
  readonly constraint?: { readonly path: string; readonly requires: string }
  readonly by?: readonly string[]
}

const folder = new URL('../../policies/', import.meta.url)
const tables = readdirSync(folder).filter((name) => name.endsWith('.test.yaml'))
const clock = { now: () => 0, monotonic: () => 0 }

function pointOf(names: readonly string[]) {
  return createCedarPoint(
    names.map((name) => ({ path: `${name}.cedar`, text: readFileSync(new URL(`${name}.cedar`, folder), 'utf8') })),
  )
}

function requestOf(table: Table, row: Case): EvaluationRequest {
  const tool = table.tools[row.call]
  if (tool === undefined) throw new Error(`${row.call} is not among the tools of the table`)
  const input = row.arguments ?? {}
  return {
    subject: { type: 'user', id: 'alice', properties: { roles: [] } },
    action: { name: 'tools/call' },
    resource: {
      type: 'tool',
      id: row.call,
      properties: {
        materiality: tool.materiality,
        surface: tool.surface,
        server: row.call.slice(0, row.call.indexOf('/')),
        definition: 'none',
      },
    },
    context: {
      arguments: input,
      ...derive(input),
      environment: row.environment ?? table.environment ?? {},
      session: { calls: {}, spent: row.spent === undefined ? {} : { [row.call]: row.spent } },
      approval: { confirmed: row.confirmed === true, roles: [] },
    },
  }
}

it('has a table beside every shipped policy', () => {
  const policies = readdirSync(folder).filter((name) => name.endsWith('.cedar'))
  expect(tables).toEqual(policies.map((name) => name.replace('.cedar', '.test.yaml')))
})

describe.each(tables)('%s', (name) => {
  const table = parse(readFileSync(new URL(name, folder), 'utf8')) as Table

  it.each(table.cases.map((row) => [row.it, row] as const))('%s', async (_, row) => {
    const point = pointOf(row.policies ?? table.policies)
    const request = requestOf(table, row)
    const schema = table.tools[row.call]?.schema
    const decision = await ask(point, request, { budgetMs: 1_000, clock, signal: undefined, schema })
    const { materiality } = request.resource.properties
    const ruling = rule(decision, materiality, CLOSED, createOpenBudget({ clock }), row.call)
    expect({ decision: decision.kind, code: ruling.kind === 'refuse' ? ruling.code : undefined }).toEqual({
      decision: row.decision,
      code: row.code,
    })
    if (row.by !== undefined) expect(decision.determining).toEqual(row.by)
    if (row.constraint !== undefined) {
      const { constraints } = point.explain(request, schema)
      expect(constraints.map(({ path, requires }) => ({ path, requires }))).toContainEqual(row.constraint)
    }
  })

  it('fits the tools of its table', () => {
    const point = pointOf(table.policies)
    const servers = new Map<string, string[]>()
    for (const id of Object.keys(table.tools)) {
      const server = id.slice(0, id.indexOf('/'))
      servers.set(server, [...(servers.get(server) ?? []), id])
    }
    for (const [server, ids] of servers) {
      const tools = ids.map((id) => {
        const schema = table.tools[id]?.schema
        const name = id.slice(server.length + 1)
        return { name, origin: 'own' as const, ...(schema === undefined ? {} : { inputSchema: schema }) }
      })
      expect(point.register(server, tools)).toEqual([])
    }
  })
})
