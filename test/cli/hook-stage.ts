/** A configuration, a state folder and a folder in which an agent works, for `holdpoint hook`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach } from 'vitest'
import { readReceipt } from '../../src/receipt/read.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import type { Ended } from './holdpoint.ts'
import { runAt } from './in-process.ts'

export const CONFIG = `server: shop
policies: [rules.cedar]
tools:
  claude-code/Bash: { materiality: medium }
  shop/refund: { materiality: medium }
`
export const RULES = `@id("use")
permit (principal is User, action, resource);

@id("no-removing")
@refusal("Nothing is removed here.")
forbid (principal, action == Action::"claude-code/Bash", resource)
when { context.arguments.command like "rm *" };
`

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A configuration, a state folder, and a folder in which an agent works. */
export function stage(config = CONFIG) {
  const root = mkdtempSync(path.join(tmpdir(), 'holdpoint-hook-'))
  folders.push(root)
  const [state, work, own] = ['state', 'work', 'own'].map((name) => path.join(root, name)) as [string, string, string]
  for (const folder of [state, work, own]) mkdirSync(folder, { mode: 0o700 })
  const file = path.join(own, 'holdpoint.yaml')
  writeFileSync(file, config)
  writeFileSync(path.join(own, 'rules.cedar'), RULES)
  const say = (event: unknown, ...flags: readonly string[]): Promise<Ended> =>
    runAt({ cwd: work, state, input: typeof event === 'string' ? event : JSON.stringify(event) }, [
      'hook',
      '--config',
      file,
      ...flags,
    ])
  const receipts = async () => {
    const store = createSqliteStore({ folder: path.join(state, 'receipts') })
    const read = []
    for await (const receipt of store.receipts()) read.push(readReceipt(receipt.jws))
    await store.close()
    return read
  }
  const covered = () => runAt({ cwd: work, state, input: '' }, ['coverage', '--config', file, '--json'])
  const outcomes = async () =>
    (await receipts()).flatMap((claims) => (claims.kind === 'outcome' ? [claims.status] : []))
  return { root, state, work, file, say, receipts, outcomes, covered }
}

export const asking = (command: string, id = 'toolu_1') => ({
  hook_event_name: 'PreToolUse',
  session_id: 's1',
  tool_name: 'Bash',
  tool_input: { command },
  tool_use_id: id,
  permission_mode: 'default',
})
export const told = (command: string, id = 'toolu_1', more: object = { tool_response: { stdout: '' } }) => ({
  ...asking(command, id),
  hook_event_name: 'PostToolUse',
  ...more,
})
