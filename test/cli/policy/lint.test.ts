import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolders } from '../../support/temporary-folder.ts'
import { runHere } from '../in-process.ts'

const folder = temporaryFolders()

const REFUND = {
  name: 'refund',
  inputSchema: {
    type: 'object',
    properties: { amount: { type: 'number' }, path: { type: 'string' }, note: { type: 'string' } },
    required: ['amount', 'path'],
  },
}
const LOOK = {
  name: 'look',
  description: 'Returns an order.',
  inputSchema: { type: 'object', properties: { id: { type: 'string' } } },
}

interface Remark {
  readonly level: string
  readonly policy?: string
  readonly at: string
  readonly message: string
}

/** Lints a configuration with a file `mine.cedar` beside it, against refund and look of the server shop. */
async function lint(yaml: string, cedar: string, tools: unknown = { tools: [REFUND, LOOK] }) {
  const here = folder()
  writeFileSync(join(here, 'holdpoint.yaml'), `server: shop\n${yaml}`)
  writeFileSync(join(here, 'mine.cedar'), cedar)
  writeFileSync(join(here, 'tools.json'), JSON.stringify(tools))
  const flags = ['--config', join(here, 'holdpoint.yaml'), '--tools', join(here, 'tools.json'), '--json']
  const { code, stdout, stderr } = await runHere('policy', 'lint', ...flags)
  const said = stdout === '' ? undefined : (JSON.parse(stdout) as { readonly remarks: readonly Remark[] })
  return { code, stderr, remarks: (said?.remarks ?? []).map(({ level, at, message }) => `${level} ${at} ${message}`) }
}

const MINE = 'policies: [ask/v1, mine.cedar]\n'
const SCOPE = 'principal, action == Action::"shop/refund", resource'
const SMALL =
  'context.arguments.amount.lessThan(decimal("5.0")) && context.arguments.amount.greaterThan(decimal("0.0"))'

describe('policy lint', () => {
  it('is content with policies that fit', async () => {
    const cedar = `@id("mine") forbid (${SCOPE}) when { context.arguments.amount.lessThan(decimal("0.0")) };\n`
    expect(await lint(MINE, cedar)).toEqual({ code: 0, stderr: '', remarks: [] })
  })

  it.each<[string, string, RegExp]>([
    [
      'a misspelt tool',
      '@id("m") forbid (principal, action == Action::"shop/refnd", resource);',
      /mistake mine\.cedar:1:\d+ no tool shop\/refnd; did you mean "shop\/refund"\?/,
    ],
    [
      'a tool like none',
      '@id("m") forbid (principal, action == Action::"shop/cancel_everything", resource);',
      /mistake mine\.cedar:1:\d+ no tool shop\/cancel_everything$/,
    ],
    [
      'a misspelt argument',
      `@id("m") forbid (${SCOPE}) when { context.arguments.ammount < 5 };`,
      /mistake mine\.cedar:1:\d+ .*did you mean `amount`/,
    ],
    [
      'a misspelt argument that is only asked for',
      `@id("m") forbid (${SCOPE}) when { context.arguments has nte };`,
      /no argument "nte"; did you mean "note"\?/,
    ],
    [
      'a comparison across types',
      `@id("m") forbid (${SCOPE}) when { context.arguments.amount < 5 };`,
      /write context\.arguments\.amount\.lessThan\(decimal\("5\.0"\)\)/,
    ],
    [
      '`like` on a raw path',
      `@id("m") forbid (${SCOPE}) when { context.arguments.path like "/srv/*" };`,
      /led astray by "\.\."/,
    ],
    [
      'a permit that a forbid leaves nothing to',
      `@id("m") forbid (${SCOPE});\n@id("p") permit (${SCOPE}) when { context.arguments.path == "x" };`,
      /mistake mine\.cedar:2:1 never permits anything: m \(mine\.cedar:1\) forbids every call/,
    ],
    [
      'a permit under the conditions of a forbid',
      `@id("m") forbid (principal, action, resource) when { context.arguments has note };\n@id("p") permit (${SCOPE}) when { context.arguments has note && context.arguments.note == "x" };`,
      /mistake mine\.cedar:2:1 never permits anything/,
    ],
    [
      'a question that is never put',
      `@id("m") permit (${SCOPE});\n@id("p") @requires("approval:finance") permit (${SCOPE});`,
      /mistake mine\.cedar:2:1 never asks anybody: m \(mine\.cedar:1\) permits/,
    ],
  ])('finds %s', async (_, cedar, says) => {
    const { code, remarks } = await lint(MINE, cedar)
    expect(remarks.join('\n')).toMatch(new RegExp(says.source, 'm'))
    expect(code).toBe(1)
  })

  it.each<[string, string, RegExp]>([
    [
      'a rule twice',
      `@id("m") forbid (${SCOPE});\n@id("p") forbid (${SCOPE});`,
      /advice mine\.cedar:2:1 adds nothing: m \(mine\.cedar:1\)/,
    ],
    [
      'a condition twice',
      `@id("m") forbid (${SCOPE}) when { context.arguments has note } when { context.arguments has note };`,
      /advice mine\.cedar:1:1 the same condition stands here twice/,
    ],
    [
      'a cap that nobody adds up',
      `@id("m") permit (${SCOPE}) when { ${SMALL} };`,
      /advice mine\.cedar:1:1 limits one call and not their sum/,
    ],
    [
      'a cap that nobody adds up, though another rule asks what was read',
      `@id("m") permit (${SCOPE}) when { ${SMALL} };
@id("r") forbid (${SCOPE}) when { context.session.private_data_read };`,
      /advice mine\.cedar:1:1 limits one call and not their sum/,
    ],
  ])("advises about %s, which is nobody's mistake", async (_, cedar, says) => {
    const { code, remarks } = await lint(MINE, cedar)
    expect(remarks).toEqual([expect.stringMatching(says)])
    expect(code).toBe(0)
  })

  it.each<[string, string]>([
    ['a cap without a floor', 'context.arguments.amount.lessThan(decimal("5.0"))'],
    [
      'a cap without a floor on what was derived',
      'context.derived has "/amount" && context.derived["/amount"].amount.lessThan(decimal("5.0"))',
    ],
  ])('advises about %s, below which negative amounts pass', async (_, condition) => {
    const cedar = `@id("m") permit (${SCOPE}) when { ${condition} };
      @id("b") forbid (${SCOPE}) unless { context.session.here.after.lessThan(decimal("9.0")) };`
    const { code, remarks } = await lint(MINE, cedar)
    expect(remarks).toEqual([
      expect.stringMatching(
        /advice mine\.cedar:1:1 limits \/amount from above alone, so a negative number passes: min: 0/,
      ),
    ])
    expect(code).toBe(0)
    // A rule of another policy, or the tool's own schema, is a floor as well.
    const floor = `\n@id("f") forbid (${SCOPE}) when { context.arguments.amount.lessThan(decimal("0.0")) };`
    expect((await lint(MINE, cedar + floor)).remarks).toEqual([])
    const schema = {
      ...REFUND.inputSchema,
      properties: { ...REFUND.inputSchema.properties, amount: { type: 'number', minimum: 0 } },
    }
    expect((await lint(MINE, cedar, { tools: [{ ...REFUND, inputSchema: schema }, LOOK] })).remarks).toEqual([])
  })

  it('says nothing of a cap beside a budget', async () => {
    const cedar = `@id("m") permit (${SCOPE}) when { ${SMALL} };
      @id("b") forbid (principal, action, resource) unless { context.session.here.after.lessThan(decimal("9.0")) };`
    expect((await lint(MINE, cedar)).remarks).toEqual([])
  })

  it('lists tools that no policy speaks for', async () => {
    const { code, remarks } = await lint('policies: strict/v1\ntools: { look: { materiality: low } }\n', '')
    expect(remarks).toEqual([
      expect.stringMatching(/^advice .*tools\.json.* no policy speaks for shop\/refund \((medium|high)\)/),
    ])
    expect(code).toBe(0)
  })

  it('names the line of the short form: the tool, the argument and its type', async () => {
    const yaml =
      'tools:\n  refnd: deny\n  refund:\n    permit:\n      ammount: { max: 5 }\n      note: { under: /srv }\n'
    const { code, remarks } = await lint(yaml, '')
    expect(remarks).toEqual([
      expect.stringMatching(/^mistake holdpoint\.yaml:3:3 no tool shop\/refnd; did you mean "shop\/refund"\?/),
      expect.stringMatching(/^mistake holdpoint\.yaml:6:7 refund has no argument "ammount"; did you mean "amount"\?/),
    ])
    expect(code).toBe(1)
  })

  it('names a word on a tool that is not there', async () => {
    const { remarks } = await lint('tools:\n  lok: { materiality: low }\n', '')
    expect(remarks).toEqual([
      expect.stringMatching(/^mistake holdpoint\.yaml:3 no tool shop\/lok; did you mean "shop\/look"\?/),
    ])
  })

  it.each<[string, string, string, RegExp]>([
    [
      'a tool that was left without its server',
      'get-env: deny',
      '',
      /^advice holdpoint\.yaml:3 no listed tool is of the server shop, and get-env without a server means shop\/get-env; did you mean "all\/get-env"\?$/,
    ],
    [
      'a misspelt server',
      'al/get-env: deny',
      '',
      /^advice holdpoint\.yaml:3 no listed tool is of the server al; did you mean "all\/get-env"\?$/,
    ],
    [
      'a misspelt server in a policy',
      'all/echo: { permit: always }',
      '@id("m") forbid (principal, action == Action::"memm/echo", resource);',
      /^advice mine\.cedar:1:\d+ no listed tool is of the server memm; did you mean "all\/echo"\?$/,
    ],
    [
      'a misspelt server as the resource',
      'all/echo: { permit: always }',
      '@id("m") forbid (principal, action, resource == Server::"al");',
      /^advice mine\.cedar:1:\d+ no listed tool is of the server al; did you mean "all"\?$/,
    ],
    [
      'a server that is like none, once',
      'bank/pay: { materiality: high }\n  bank/refund: deny',
      '',
      /^advice holdpoint\.yaml:3 no listed tool is of the server bank: what is said of its tools was not checked$/,
    ],
  ])('advises about %s, of which nothing is listed', async (_, word, cedar, says) => {
    const tools = ['echo', 'get-env'].map((name) => ({ server: 'all', tool: { ...LOOK, name } }))
    const { code, remarks } = await lint(`tools:\n  ${word}\n${MINE}`, cedar, tools)
    expect(remarks).toEqual([expect.stringMatching(says)])
    expect(code).toBe(0)
  })

  it('lets a list say of which server its tools are', async () => {
    const here = folder()
    writeFileSync(join(here, 'holdpoint.yaml'), 'tools:\n  files/raed: deny\n')
    writeFileSync(join(here, 'tools.json'), '[{"name":"read"}]')
    const flags = ['--config', join(here, 'holdpoint.yaml'), '--tools', `files=${join(here, 'tools.json')}`]
    const { code, stdout } = await runHere('policy', 'lint', ...flags)
    expect(stdout).toContain('no tool files/raed; did you mean "files/read"?')
    expect(stdout).toMatch(/4 policies, 1 tool: 1 mistake, 0 advice\n$/)
    expect(code).toBe(1)
  })

  it('says of a tool that the gate would not take why not, and goes on', async () => {
    const { code, remarks } = await lint('', '', { tools: [{ name: 'a\u202eb' }, LOOK] })
    expect(remarks).toEqual([expect.stringMatching(/^mistake .*tool 1 the gate does not take this tool: .*not usable/)])
    expect(code).toBe(1)
  })

  it('says how to name a server whose own name is none of ours', async () => {
    const { remarks } = await lint('', '', [{ server: '@x/Y', tool: LOOK }])
    expect(remarks).toEqual([expect.stringMatching(/server name "@x\/Y" is not usable.*--tools NAME=FILE/)])
  })

  it('checks what it can without tools, and says what it could not', async () => {
    const here = folder()
    writeFileSync(join(here, 'holdpoint.yaml'), 'policies: mine.cedar\n')
    writeFileSync(
      join(here, 'mine.cedar'),
      '@id("m") permit (principal, action, resource) when { context.arguments.path like "/srv/*" };',
    )
    const { code, stdout, stderr } = await runHere('policy', 'lint', '--config', join(here, 'holdpoint.yaml'))
    expect(stdout).toContain('led astray')
    expect(stderr).toContain('no tools were given (--tools)')
    expect(code).toBe(1)
  })

  it('exits 2 for a list that is none', async () => {
    const { code, stderr } = await lint('', '', 'tools')
    expect(code).toBe(2)
    expect(stderr).toMatch(/tools\.json: is no tool: expected/)
  })

  it.each([
    'ask/v1',
    'strict/v1',
    '[strict/v1, filesystem/v1]',
    '[strict/v1, payments/v1]',
    '[ask/v1, filesystem/v1, payments/v1]',
  ])('finds no fault with the shipped policies %s', async (policies) => {
    const { code, remarks } = await lint(`policies: ${policies}\n`, '')
    expect(remarks.filter((remark) => !remark.includes('no policy speaks for'))).toEqual([])
    expect(code).toBe(0)
  })
})
