/** Which configurations make a host start servers in a folder of a project's. */
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** A project's own files, and the one of Claude Code that names all of one's projects. */
const OF_PROJECT =
  /[\\/](?:\.mcp\.json|\.claude\.json|opencode\.jsonc?|\.(?:cursor|vscode)[\\/]mcp\.json|\.(?:gemini|zed)[\\/]settings\.json)$/

/**
 * Do servers of this configuration start in a project's folder, which the agent may write to? Of hosts that have the same file
 * for a user and for a project, the user's own is none.
 */
export function startsInProject(file: string, home: string = homedir()): boolean {
  const path = resolve(file)
  if (!OF_PROJECT.test(path)) return false
  const folder = dirname(path)
  return dirname(folder) !== home && folder !== join(home, '.config', 'opencode')
}
