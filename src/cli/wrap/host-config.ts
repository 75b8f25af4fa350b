/** The servers of an MCP host's configuration, in whichever of the known forms it is. */
import type { Node } from 'jsonc-parser'
import { UnusableInput } from '../exit.ts'
import { memberOf, membersOf, textOf } from './json-text.ts'

/** How a server is reached, as far as it concerns us. */
export type ServerForm =
  /** `"command": "npx", "args": ["-y", "server"]`; hosts take no `args` for none. */
  | { readonly kind: 'command'; readonly property: Node; readonly command: Node; readonly args: Node | undefined }
  /** `"command": ["npx", "-y", "server"]`, at least one. */
  | { readonly kind: 'list'; readonly list: Node }
  /** Over HTTP; hosts differ in what they call the URL. */
  | { readonly kind: 'remote'; readonly url: string; readonly member: string; readonly hasHeaders: boolean }
  | { readonly kind: 'unusable'; readonly why: string }

/** One server of the configuration. */
export interface HostServer {
  /** As the host calls it. */
  readonly name: string
  /** Where it stands: `mcpServers`, or `projects/…/mcpServers`. */
  readonly section: string
  /** Empty, but for servers of one project among several in the file. */
  readonly project: string
  readonly form: ServerForm
}

/** Members that hold servers by name. Claude, Cursor, Windsurf, Gemini CLI and others; VS Code; Zed. */
const SECTIONS = ['mcpServers', 'servers', 'context_servers'] as const

/**
 * All servers of a configuration.
 *
 * @param file its name, for the message
 * @throws UnusableInput where there are none, or a name stands twice
 */
export function serversOf(root: Node, file: string): readonly HostServer[] {
  const sections = [
    ...SECTIONS.map((name) => ({ section: name, project: '', at: memberOf(root, name)?.value })),
    ...mcpSection(root),
    ...projectSections(root),
  ].filter(({ at }) => at?.type === 'object')
  if (sections.length === 0)
    throw new UnusableInput(`${file}: is in no form that an MCP host writes (${SECTIONS.join(', ')}, mcp)`)
  const servers = sections.flatMap(({ at, ...place }) => serversBelow(at, place))
  if (servers.length === 0) throw new UnusableInput(`${file}: holds no MCP servers`)
  return servers
}

interface Section {
  readonly section: string
  readonly project: string
  readonly at: Node | undefined
}

/** OpenCode has its servers right below `mcp`; the settings of VS Code have `servers` in between, other hosts have other things. */
function mcpSection(root: Node): readonly Section[] {
  const mcp = memberOf(root, 'mcp')?.value
  const servers = memberOf(mcp, 'servers')?.value
  if (servers !== undefined && !isServer(servers)) return [{ section: 'mcp/servers', project: '', at: servers }]
  return membersOf(mcp).some(({ value }) => isServer(value)) ? [{ section: 'mcp', project: '', at: mcp }] : []
}

/** Claude Code keeps the servers of each project in one file of the user's. */
function projectSections(root: Node): readonly Section[] {
  return membersOf(memberOf(root, 'projects')?.value).map(({ name, value }) => ({
    section: `projects/${name}/mcpServers`,
    project: name,
    at: memberOf(value, 'mcpServers')?.value,
  }))
}

function isServer(node: Node): boolean {
  return ['command', 'url'].some((name) => memberOf(node, name) !== undefined)
}

function serversBelow(at: Node | undefined, place: Omit<Section, 'at'>): readonly HostServer[] {
  const members = membersOf(at)
  for (const { name } of members) memberOf(at, name)
  const servers = place.section === 'mcp' ? members.filter(({ value }) => isServer(value)) : members
  return servers.map(({ name, value }) => ({ name, ...place, form: formOf(value) }))
}

function formOf(server: Node): ServerForm {
  const command = memberOf(server, 'command')
  switch (command?.value.type) {
    case 'string':
      return commandForm(command.property, command.value, memberOf(server, 'args')?.value)
    case 'object': {
      // Zed, before it wrote the command as others do.
      const path = memberOf(command.value, 'path')
      if (path?.value.type === 'string')
        return commandForm(path.property, path.value, memberOf(command.value, 'args')?.value)
      return unusable('its command has no path')
    }
    case 'array': {
      const parts = command.value.children ?? []
      if (parts.length > 0 && parts.every(isText)) return { kind: 'list', list: command.value }
      return unusable('its command is no list of texts')
    }
    case undefined:
      break
    default:
      return unusable('its command is no text')
  }
  for (const member of ['url', 'httpUrl', 'serverUrl']) {
    const url = textOf(memberOf(server, member)?.value)
    if (url !== undefined) return { kind: 'remote', url, member, hasHeaders: memberOf(server, 'headers') !== undefined }
  }
  return unusable('it has neither a command nor a URL: the host, or an extension, starts it by itself')
}

function commandForm(property: Node, command: Node, args: Node | undefined): ServerForm {
  if (args === undefined || (args.type === 'array' && (args.children ?? []).every(isText)))
    return { kind: 'command', property, command, args }
  return unusable('its args are no list of texts')
}

function isText(node: Node): boolean {
  return node.type === 'string'
}

function unusable(why: string): ServerForm {
  return { kind: 'unusable', why }
}
