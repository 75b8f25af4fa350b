import type { JsonObject, ToolDefinition } from '../../src/index.ts'

const text: JsonObject = { type: 'string' }
const whole: JsonObject = { type: 'integer' }
const flag: JsonObject = { type: 'boolean' }
const texts: JsonObject = { type: 'array', items: text }

/**
 * What Claude Code's own tools take, as far as policies want to read it: hooks are told a tool's name and no schema. Other members
 * may come with any release, and are let through to the policy unread.
 */
const ARGUMENTS: readonly (readonly [tool: string, required: JsonObject, optional?: JsonObject])[] = [
  ['Agent', { description: text, prompt: text }, { subagent_type: text, run_in_background: flag, isolation: text }],
  ['Bash', { command: text }, { description: text, run_in_background: flag, dangerouslyDisableSandbox: flag }],
  ['Edit', { file_path: text, old_string: text, new_string: text }, { replace_all: flag }],
  ['Glob', { pattern: text }, { path: text }],
  ['Grep', { pattern: text }, { path: text, glob: text, output_mode: text, type: text }],
  ['NotebookEdit', { notebook_path: text, new_source: text }, { cell_id: text, cell_type: text, edit_mode: text }],
  ['PowerShell', { command: text }, { description: text, run_in_background: flag }],
  ['Read', { file_path: text }, { offset: whole, limit: whole, pages: text }],
  ['Skill', { skill: text }, { args: text }],
  ['WebFetch', { url: text }, { prompt: text }],
  ['WebSearch', { query: text }, { allowed_domains: texts, blocked_domains: texts }],
  ['Write', { file_path: text, content: text }],
]

/** Claude Code's own tools whose arguments a policy can read. Those that are not in here are known by name alone. */
export const BUILT_IN_TOOLS: readonly ToolDefinition[] = ARGUMENTS.map(([name, required, optional = {}]) => ({
  name,
  origin: 'own',
  inputSchema: {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: true,
  },
}))
