import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createMachine } from './holdpoint.ts'

const machine = createMachine()
afterAll(() => machine.remove())

function file(name: string, text: string): string {
  writeFileSync(join(machine.folder, name), text)
  return name
}

const inputSchema = { type: 'object' }
const line = (value: unknown) => `${JSON.stringify(value)}\n`
const rowsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row))

it('reads JSON lines, bare tools, lists and answers to tools/list, and keeps their order', async () => {
  const lines = file('a.jsonl', line({ id: 'one', tool: { name: 'get_x', inputSchema } }) + line({ name: 'delete_x' }))
  const list = file(
    'b.json',
    JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'send_mail' }] } }, null, 2),
  )
  const { code, stdout } = await machine.here(['classify', '--json', lines, list])
  expect(code).toBe(0)
  expect(rowsOf(stdout).map(({ id, tool, materiality, surface }) => [id, tool, materiality, surface])).toEqual([
    ['one', 'get_x', 'low', 'read'],
    ['delete_x', 'delete_x', 'high', 'internal-write'],
    ['send_mail', 'send_mail', 'high', 'communication'],
  ])
})

it('calls what the gate would not take high, and says why', async () => {
  const odd = file(
    'odd.jsonl',
    line({ name: 'a'.repeat(10_000) }) + line({ name: '\u202eget' }) + line({ name: 'ok', description: '\ud800' }),
  )
  const { code, stdout } = await machine.here(['classify', '--json', odd])
  expect(code).toBe(0)
  for (const row of rowsOf(stdout)) expect(row).toMatchObject({ materiality: 'high', surface: 'unknown' })
  expect(rowsOf(stdout)[0].refused).toContain('has a name that is not usable')
})

it('takes a schema that is nested without end for what the gate refuses, not for an accident', async () => {
  const schema = `${'{"not":'.repeat(5_000)}{}${'}'.repeat(5_000)}`
  const deep = file('deep.jsonl', `{"name":"get_x","inputSchema":${schema}}\n${line({ name: 'get_y', inputSchema })}`)
  const { code, stdout } = await machine.here(['classify', '--json', deep])
  expect(code).toBe(0)
  expect(rowsOf(stdout).map(({ tool, materiality }) => [tool, materiality])).toEqual([
    ['get_x', 'high'],
    ['get_y', 'low'],
  ])
})

it('takes server hints or leaves them out, and they only raise', async () => {
  const hinted = file(
    'hints.jsonl',
    line({ name: 'get_x', inputSchema, annotations: { destructiveHint: true, readOnlyHint: false } }),
  )
  expect(rowsOf((await machine.here(['classify', '--json', hinted])).stdout)[0].materiality).toBe('high')
  expect(
    rowsOf((await machine.here(['classify', '--json', '--ignore-annotations', hinted])).stdout)[0].materiality,
  ).toBe('low')
})

it('names file and line of what is no tool, and exits 2', async () => {
  const broken = file('broken.jsonl', `${line({ name: 'get_x' })}{"name":\n`)
  expect(await machine.here(['classify', broken])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('broken.jsonl:2: is not JSON'),
  })
  const noTool = file('none.json', '{"tools":[{"title":"nameless"}]}')
  expect(await machine.here(['classify', noTool])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('none.json, tool 1: is no tool'),
  })
})

it.each([
  ['check', ['check'], '{"tool":"list_orders"}', 'list_orders  permitted'],
  ['classify', ['classify', '-'], '{"name":"get_x","inputSchema":{"type":"object"}}', '1 low'],
  ['lint', ['policy', 'lint', '--tools', '-'], '{"name":"get_x"}', '1 tool: 0 mistakes'],
] as const)('%s reads a pipe to its end, however late it comes', async (_, args, input, said) => {
  expect(await machine.run(args, input, 1_500)).toMatchObject({ stderr: '', stdout: expect.stringContaining(said) })
})
