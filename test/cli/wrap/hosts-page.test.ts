import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'jsonc-parser'
import { describe, expect, it } from 'vitest'
import { planOf } from '../../../src/cli/wrap/plan.ts'
import { blocksOf } from '../../support/markdown.ts'

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/mcp-hosts.md'), 'utf8')
const sections = new Map(
  page.split(/^## /m).map((section) => [section.split('\n', 1)[0] ?? '', blocksOf(section)] as const),
)
const HOSTS = ['Claude Desktop', 'Claude Code', 'Cursor', 'VS Code', 'Windsurf', 'Zed', 'Gemini CLI', 'OpenCode']

const planned = (text: string, undo: boolean) => planOf(text, 'page', { undo, launcher: undefined, only: undefined })

describe('docs/mcp-hosts.md', () => {
  it.each(HOSTS)('shows for %s what wrap would write, so that nobody copies what does not protect', (host) => {
    const [block, ...more] = sections.get(host) ?? []
    const text = block?.text ?? ''
    expect(more).toEqual([])
    const { text: before, servers } = planned(text, true)
    expect(servers.map(({ outcome }) => outcome.kind)).toEqual(['unwrapped'])
    expect(planned(before, false).text).toBe(text)
  })

  it('shows for Codex, by hand, what wrap would write in JSON', () => {
    const text = sections.get('Codex')?.[0]?.text ?? ''
    const args = /^args = (.*)$/m.exec(text)?.[1] ?? ''
    const server = `{ "command": "npx", "args": ["-y", "@modelcontextprotocol/server-memory"] }`
    const after = parse(planned(`{ "mcpServers": { "memory": ${server} } }`, false).text)
    expect({ command: 'npx', args: JSON.parse(args) }).toEqual(after.mcpServers.memory)
    expect(text).toMatch(/^\[mcp_servers\.memory\]\ncommand = "npx"$/m)
  })

  it('shows for a server over HTTP what wrap says of it', () => {
    const [, json] = sections.get('Servers over HTTP') ?? []
    const { servers } = planned(json?.text ?? '', false)
    expect(servers).toMatchObject([{ name: 'docs', outcome: { kind: 'remote', own: 'docs' } }])
  })

  it('names the name that a server gets', () => {
    const { servers } = planned('{"mcpServers":{"My Files":{"command":"x"}}}', false)
    const own = /`My Files` is `([^`]+)`/.exec(page)?.[1]
    expect(servers).toMatchObject([{ outcome: { kind: 'wrapped', own } }])
  })
})
