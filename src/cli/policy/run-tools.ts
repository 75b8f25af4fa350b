/** Finds, among listed tools, the definitions of those that recorded runs called. */
import { Contracts } from '../../call/contract.ts'
import type { JsonObject, ToolDefinition } from '../../types.ts'
import { reasonOf } from '../exit.ts'
import type { ListedTool } from '../tool-lists.ts'
import { listedTools } from './known-tools.ts'
import { type RecordedCall, type RecordedRun, serverName } from './recorded-runs.ts'

/** What is known of the tools that some runs called; each is named `server/tool`. */
export interface RunTools {
  /** What a gate can be told, server by server. */
  readonly servers: ReadonlyMap<string, readonly ToolDefinition[]>
  /** In no tools file: they are judged by their names alone. */
  readonly undescribed: readonly string[]
  /** Judged without arguments that the definition requires and no recorded call gives: the host filled them in. */
  readonly adapted: readonly { readonly tool: string; readonly without: readonly string[] }[]
  /** No gate takes these, so their calls are refused. */
  readonly refused: readonly { readonly tool: string; readonly because: string }[]
}

/**
 * The definition of every tool that was called: the one of its name from its server, or from the one server that is called
 * alike. A tool of the same name elsewhere is another tool.
 *
 * @throws UnusableInput for a tools file that is none
 */
export async function toolsOfRuns(
  runs: readonly RecordedRun[],
  files: readonly string[],
  ownServer: string,
): Promise<RunTools> {
  const listed = byName((await Promise.all(files.map(listedTools))).flat())
  const contracts = new Contracts()
  const servers = new Map<string, ToolDefinition[]>()
  const undescribed: string[] = []
  const adapted: { tool: string; without: readonly string[] }[] = []
  const refused: { tool: string; because: string }[] = []
  for (const [id, calls] of byTool(runs)) {
    const [{ server, tool }] = calls
    const found = definitionFor(server, listed.get(tool) ?? [], ownServer)
    if (found === undefined) undescribed.push(id)
    const without = found === undefined ? [] : neverGiven(found, calls)
    if (without.length > 0) adapted.push({ tool: id, without })
    const definition = found === undefined ? { name: tool, origin: 'third-party' as const } : lacking(found, without)
    try {
      contracts.register(server, [definition], new Map())
      servers.set(server, [...(servers.get(server) ?? []), definition])
    } catch (error) {
      refused.push({ tool: id, because: reasonOf(error) })
    }
  }
  return { servers, undescribed, adapted, refused }
}

type Calls = readonly [RecordedCall, ...RecordedCall[]]

function byTool(runs: readonly RecordedRun[]): ReadonlyMap<string, Calls> {
  const groups = new Map<string, [RecordedCall, ...RecordedCall[]]>()
  for (const call of runs.flatMap(({ calls }) => calls)) {
    const id = `${call.server}/${call.tool}`
    const group = groups.get(id)
    if (group === undefined) groups.set(id, [call])
    else group.push(call)
  }
  return groups
}

function byName(listed: readonly ListedTool[]): ReadonlyMap<string, readonly ListedTool[]> {
  const names = new Map<string, ListedTool[]>()
  for (const tool of listed) names.set(tool.definition.name, [...(names.get(tool.definition.name) ?? []), tool])
  return names
}

function definitionFor(
  server: string,
  candidates: readonly ListedTool[],
  ownServer: string,
): ToolDefinition | undefined {
  const same = candidates.find((candidate) => serverName(candidate.server, ownServer) === server)
  if (same !== undefined) return same.definition
  const alike = candidates.filter((candidate) => isAlike(server, candidate.server ?? ''))
  return alike.length === 1 ? alike[0]?.definition : undefined
}

/** `datagov` and `Data.gov MCP Server`: one holds the other, when what every name has is left out. */
function isAlike(one: string, other: string): boolean {
  const [left, right] = [one, other].map((name) => name.toLowerCase().replace(/mcp|server|[^a-z0-9]/g, ''))
  if (left === undefined || right === undefined || left === '' || right === '') return false
  return left.includes(right) || right.includes(left)
}

/** Required arguments that no recorded call gives, although calls were made: not the model's to give. */
function neverGiven({ inputSchema }: ToolDefinition, calls: Calls): readonly string[] {
  const required = typeof inputSchema === 'object' ? inputSchema.required : undefined
  if (!Array.isArray(required)) return []
  return required.filter(
    (name): name is string => typeof name === 'string' && calls.every(({ input }) => !gives(input, name)),
  )
}

function gives(input: unknown, name: string): boolean {
  return typeof input === 'object' && input !== null && Object.hasOwn(input, name)
}

/** A definition without some of its required arguments. */
function lacking(definition: ToolDefinition, without: readonly string[]): ToolDefinition {
  const { inputSchema: schema } = definition
  if (without.length === 0 || typeof schema !== 'object') return definition
  const required = Array.isArray(schema.required) ? schema.required : []
  const properties = Object.entries((schema.properties ?? {}) as JsonObject)
  return {
    ...definition,
    inputSchema: {
      ...schema,
      required: required.filter((name) => typeof name !== 'string' || !without.includes(name)),
      properties: Object.fromEntries(properties.filter(([name]) => !without.includes(name))),
    },
  }
}
