/** Tools that a command was told of, under our own names of their servers. */

import { Option } from 'commander'
import { isServerName } from '../../bytes/names.ts'
import { Contracts } from '../../call/contract.ts'
import type { LoadedConfig } from '../../config/read.ts'
import type { Contract, OperatorWord, ToolDefinition } from '../../types.ts'
import { reasonOf } from '../exit.ts'
import { repeatable } from '../repeatable.ts'
import { type ListedTool, toolsIn } from '../tool-lists.ts'

/** `--tools FILE`, any number of times. */
export function toolsOption(): Option {
  const help =
    'tools: JSON lines, one MCP tool, or a tools/list answer; "files=list.json" says that they are of the server "files"; may be repeated'
  return new Option('--tools <FILE>', help).argParser(repeatable)
}

/**
 * The tools of one `--tools` argument.
 *
 * @throws UnusableInput naming file, line and what was expected
 */
export async function listedTools(argument: string): Promise<readonly ListedTool[]> {
  const [, server, file = ''] = /^([^=]+)=(.+)$/s.exec(argument) ?? []
  if (!isServerName(server)) return await toolsIn(argument)
  return (await toolsIn(file)).map((tool) => ({ ...tool, server }))
}

/** Tools of one server as they were listed. */
export interface KnownTools {
  readonly server: string
  readonly definitions: readonly ToolDefinition[]
}

/** A tool that the gate takes, with the place where it was listed; or why it does not take it. */
export type KnownTool =
  | { readonly at: string; readonly contract: Contract }
  | { readonly at: string; readonly refused: string }

/**
 * Reads the tools of files. A line may name its server; else the file's does; else they are of the configuration's own.
 *
 * @throws UnusableInput naming file, line and what was expected
 */
export async function knownTools(files: readonly string[], config: LoadedConfig): Promise<readonly KnownTool[]> {
  const contracts = new Contracts(config.options.own)
  const listed = (await Promise.all(files.map(listedTools))).flat()
  return listed.map((tool) => known(tool, tool.server ?? config.server, config.words, contracts))
}

/** UNTRUSTED: the tool is a stranger's. */
function known(
  { at, definition }: ListedTool,
  server: string,
  words: ReadonlyMap<string, OperatorWord>,
  contracts: Contracts,
): KnownTool {
  const { name } = definition
  const word = words.get(`${server}/${name}`)
  try {
    const [contract] = contracts.register(server, [definition], new Map(word === undefined ? [] : [[name, word]]))
    return contract === undefined ? { at, refused: 'was not registered' } : { at, contract }
  } catch (error) {
    const hint = isServerName(server) ? '' : '; give the list a name with --tools NAME=FILE'
    return { at, refused: `${reasonOf(error)}${hint}` }
  }
}

/** The tools that the gate takes, server by server. */
export function byServer(contracts: readonly Contract[]): readonly KnownTools[] {
  const servers = new Map<string, ToolDefinition[]>()
  for (const { server, definition } of contracts) servers.set(server, [...(servers.get(server) ?? []), definition])
  return [...servers].map(([server, definitions]) => ({ server, definitions }))
}
