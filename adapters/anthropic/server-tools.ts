import type { Gate } from '../../src/index.ts'
import { journalOf } from '../shared/journal.ts'
import type { HostUse } from './host.ts'
import { HOST } from './passage.ts'

const BECAUSE = new Map([
  ['server_tool_use', 'runs at Anthropic'],
  ['mcp_tool_use', 'runs at an MCP server that Anthropic calls'],
])

/**
 * Each use of a server tool or of the MCP connector leaves a receipt that says that nobody here was asked. What is marked already is left
 * alone.
 *
 * @param content of an assistant message
 */
export async function markServerTools(content: unknown, gate: Gate): Promise<void> {
  if (!Array.isArray(content)) return
  for (const { type = '', id, name = '', server_name: server } of content as readonly HostUse[]) {
    const because = BECAUSE.get(type)
    if (because === undefined || id === undefined || journalOf(gate).find(id)?.outcome === 'ungated') continue
    const place = server === undefined ? {} : { server }
    const receipt = await gate.markUngated({ tool: name, callId: id, ...place }, because)
    journalOf(gate).noteUngated(id, name, receipt)
    gate.cover(HOST, [{ tool: name, standing: 'ungated', because }], place)
  }
}
