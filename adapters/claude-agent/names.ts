import type { HostServer, ToolEvent } from './host.ts'

/** How a tool of the host is called in policies. */
export interface ToolName {
  /** Our own name of its server. */
  readonly server: string
  readonly tool: string
  /** Absent for the host's own tools. */
  readonly from?: HostServer
}

/** How tools are named. */
export interface Naming {
  /** What the host's own tools belong to. Default `claude-code`. */
  readonly server?: string | undefined
  /** Our own names of configured MCP servers, by `source:name`, as `project:github`. */
  readonly servers?: Readonly<Record<string, string>> | undefined
}

const OWN_SERVER = 'claude-code'
const SERVER = /^[a-z0-9][a-z0-9-]{0,31}$/

/**
 * How a tool of the host is called in policies: `claude-code/Bash` for its own, `shop/refund` for a server that this program made
 * with `createSdkMcpServer`. Anybody may configure a server under any name, so that of a configured one begins with where its
 * configuration stands, as `project-github`, unless `servers` gives it a name.
 */
export function toolNameOf(event: Pick<ToolEvent, 'tool_name' | 'mcp_server'>, naming: Naming = {}): ToolName {
  // UNTRUSTED: the tool's name, and the server's where somebody configured it.
  const { tool_name, mcp_server } = event
  if (mcp_server === undefined && !tool_name.startsWith('mcp__'))
    return { server: naming.server ?? OWN_SERVER, tool: tool_name }
  const { from, tool } = split(tool_name, mcp_server)
  const named = new Map(Object.entries(naming.servers ?? {})).get(`${from.source}:${from.name}`)
  if (named !== undefined) return { server: named, tool, from }
  return {
    server: from.source === 'sdk' ? serverName(from.name) : serverName(`${from.source}-${from.name}`),
    tool,
    from,
  }
}

/** `mcp__github__create_issue`: the host writes the server's name with `_` for whatever is no letter, digit, `_` or `-`. */
function split(toolName: string, said: HostServer | undefined): { readonly from: HostServer; readonly tool: string } {
  const rest = toolName.startsWith('mcp__') ? toolName.slice('mcp__'.length) : toolName
  const written = said?.name.replace(/[^a-zA-Z0-9_-]/g, '_')
  if (said !== undefined && written !== undefined && rest.startsWith(`${written}__`))
    return { from: said, tool: rest.slice(written.length + 2) }
  const at = rest.indexOf('__')
  const name = at < 0 ? '' : rest.slice(0, at)
  // A host that does not say where a server comes from, or says it of another than the tool's name does.
  return { from: said ?? { name, source: 'mcp' }, tool: at < 0 ? rest : rest.slice(at + 2) }
}

/** A name that is one already stays; of any other, what can be kept of it and a mark. */
function serverName(name: string): string {
  if (SERVER.test(name)) return name
  const kept = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 21)
  return `${kept === '' ? 'server' : kept.replace(/-+$/, '')}-x${mark(name)}`
}

/**
 * The lower 40 bits of FNV-1a over UTF-16, in base 36. They keep names apart by chance, and against nobody: whoever configures servers
 * in one place can give two of them one name, and its other tools. What must be told apart is given a name in `servers`.
 */
function mark(name: string): string {
  let hash = 0xcbf29ce484222325n
  for (let at = 0; at < name.length; at += 1)
    hash = ((hash ^ BigInt(name.charCodeAt(at))) * 0x100000001b3n) & 0xffffffffffffffffn
  return (hash & 0xffffffffffn).toString(36).padStart(8, '0')
}
