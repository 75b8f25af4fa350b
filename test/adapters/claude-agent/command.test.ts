/** `holdpoint hook` as a command of the real CLI's settings. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { query } from '@anthropic-ai/claude-agent-sdk'
import { afterEach, expect, it } from 'vitest'
import { readReceipt } from '../../../src/receipt/read.ts'
import { createSqliteStore } from '../../../src/store/sqlite.ts'
import { type Block, Surroundings, toldIn } from './cli.ts'

const surroundings = new Surroundings()
afterEach(() => surroundings.close())

const bin = path.join(import.meta.dirname, '../../../bin/holdpoint.js')
const RULES = `@id("use")
permit (principal is User, action == Action::"claude-code/Bash", resource);

@id("no-removing")
@refusal("Nothing is removed here.")
forbid (principal, action == Action::"claude-code/Bash", resource)
when { context.arguments.command like "rm *" };
`

it('stands before every tool of Claude Code, settles what ran, and stops all of it when its configuration is gone', async () => {
  const { root, model } = surroundings
  const [own, state] = [path.join(root, 'own'), path.join(root, 'state')]
  for (const folder of [own, state, path.join(root, '.claude')]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const config = path.join(own, 'holdpoint.yaml')
  writeFileSync(config, 'policies: [rules.cedar]\ntools:\n  claude-code/Bash: { materiality: medium }\n')
  writeFileSync(path.join(own, 'rules.cedar'), RULES)
  const hook = [
    {
      hooks: [
        {
          type: 'command',
          command: process.execPath,
          args: [bin, 'hook', '--config', config],
          timeout: 60,
          onFailure: 'block',
        },
      ],
    },
  ]
  const settings = { hooks: { PreToolUse: hook, PostToolUse: hook, PostToolUseFailure: hook } }
  writeFileSync(path.join(root, '.claude', 'settings.json'), JSON.stringify(settings))

  const options = await surroundings.options()
  const run = async (replies: readonly (readonly Block[])[]) => {
    model.replies = [...replies]
    const chat = query({
      prompt: 'go',
      options: {
        ...options,
        env: { ...options.env, HOLDPOINT_STATE: state },
        tools: ['Bash'],
        allowedTools: ['Bash'],
        settingSources: ['user'],
      },
    })
    for await (const _ of chat);
    return new Map(toldIn(model.asked.at(-1) ?? []).map(({ callId, text }) => [callId, text]))
  }
  const told = await run([[bash('echo no; exit 3', 'c1')], [bash('rm -f own/holdpoint', 'c2')]])
  expect(told.get('c1')).toContain('Exit code 3')
  expect(told.get('c2')).toContain('Nothing is removed here.')

  const store = createSqliteStore({ folder: path.join(state, 'receipts') })
  const read = []
  for await (const receipt of store.receipts()) read.push(readReceipt(receipt.jws))
  await store.close()
  expect(read.flatMap((claims) => (claims.kind === 'outcome' ? [claims.status] : []))).toEqual(['tool_error'])

  rmSync(config)
  const blind = await run([[bash('echo written > leaked', 'c4')]])
  expect(blind.get('c4')).toContain('the tool must not run')
  expect(existsSync(path.join(root, 'leaked'))).toBe(false)
  // Each of its hooks is a process that loads everything.
}, 120_000)

function bash(command: string, id: string): Block {
  return { type: 'tool_use', id, name: 'Bash', input: { command } }
}
