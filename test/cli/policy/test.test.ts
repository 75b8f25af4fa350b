import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { junitText } from '../../../src/cli/policy/junit.ts'
import { temporaryFolders } from '../../support/temporary-folder.ts'
import { runHere } from '../in-process.ts'

const folder = temporaryFolders()

const CONFIG = `server: shop
policies: ask/v1
environment: { region: eu }
tools:
  refund:
    materiality: high
    permit: { amount: { max: 500 } }
    otherwise: { ask: finance, say: Ask finance. }
  wipe: deny
own: { domains: [ours.example] }
`

/** Runs one table beside that configuration. */
async function test(table: string, ...flags: readonly string[]) {
  const here = folder()
  writeFileSync(join(here, 'holdpoint.yaml'), CONFIG)
  writeFileSync(join(here, 'shop.test.yaml'), table)
  const ended = await runHere(
    'policy',
    'test',
    join(here, 'shop.test.yaml'),
    '--config',
    join(here, 'holdpoint.yaml'),
    ...flags,
  )
  return { ...ended, here }
}

const TOOLS = `tools:
  refund: { surface: financial, schema: { type: object, properties: { amount: { type: number } }, required: [amount] } }
  wipe: {}
`

describe('policy test', () => {
  it('asks the policies in force, the short form included', async () => {
    const { code, stdout } = await test(`${TOOLS}cases:
  - { it: pays a little, call: refund, arguments: { amount: 500 }, decision: permit, by: [yaml/refund/permit] }
  - it: asks above
    call: shop/refund
    arguments: { amount: 501 }
    decision: silence
    code: approval_required
    sentence: Ask finance.
    constraint: { path: /amount, requires: at most 500 }
  - { it: pays what finance approved, call: refund, arguments: { amount: 501 }, approved: [finance], decision: permit }
  - { it: does not take a confirmation for it, call: refund, arguments: { amount: 501 }, confirmed: true, decision: silence }
  - { it: never wipes, call: wipe, decision: deny, code: denied_by_policy }
  - { it: refuses what the schema does, call: refund, arguments: { amount: lots }, decision: silence, code: arguments_rejected }
`)
    expect(stdout).toMatch(/7 as expected, 0 not\n$/)
    expect(code).toBe(0)
  })

  it("judges recipients by the operator's own domains, as the gate does", async () => {
    const { code, stdout } = await test(`tools: { find_notes: {} }
cases:
  - { it: tells ours, call: find_notes, arguments: { to: ann@ours.example }, decision: permit }
  - { it: asks about others, call: find_notes, arguments: { to: eve@evil.example }, decision: silence, code: approval_required }
`)
    expect(stdout).toMatch(/3 as expected, 0 not\n$/)
    expect(code).toBe(0)
  })

  it('says of each case that went otherwise what was expected and what was', async () => {
    const { code, stdout } = await test(`${TOOLS}cases:
  - { it: pays much, call: refund, arguments: { amount: 900 }, decision: permit, code: no_permit, by: [x], sentence: No., constraint: { path: /a, requires: b } }
`)
    for (const line of [
      'pays much  shop.test.yaml:5',
      'expected permit, was silence by yaml/refund/otherwise',
      'expected code no_permit, was approval_required',
      'expected sentence "No.", was "Ask finance."',
      'expected by "x", was "yaml/refund/otherwise"',
      'expected the constraint /a b, was /amount at most 500',
    ]) {
      expect(stdout).toContain(line)
    }
    expect(stdout).toMatch(/1 as expected, 1 not\n$/)
    expect(code).toBe(1)
  })

  it('says when the policies do not fit the tools of the table', async () => {
    const { code, stdout } =
      await test(`tools: { refund: { schema: { type: object, properties: { sum: { type: number } } } } }
cases: [{ it: x, call: refund, decision: silence }]
`)
    expect(stdout).toContain('holdpoint.yaml:7:15: refund has no argument "amount"')
    expect(code).toBe(1)
  })

  it('hands over facts: principal, roles, environment, what was done and spent', async () => {
    const here = folder()
    writeFileSync(
      join(here, 'p.cedar'),
      `@id("p") permit (principal == User::"bo", action, resource) when { principal in Role::"boss" && principal has tenant && principal.tenant == "t" &&
        context.environment.region == "us" && context.session.here.calls == 2 && context.session.here.after == decimal("12.5") &&
        context has agent && context.agent == "bot" && action in Action::"surface-financial" };
       @id("agent") permit (principal == Agent::"bot", action, resource);`,
    )
    writeFileSync(
      join(here, 't.test.yaml'),
      `policies: p.cedar
tools: { bank/pay: { materiality: low, surface: financial } }
cases:
  - { it: a, call: bank/pay, arguments: { amount: 2.5 }, user: bo, agent: bot, roles: [boss], tenant: t, environment: { region: us }, calls: 2, spent: "10", decision: permit }
  - { it: b, call: bank/pay, arguments: { amount: 2.5 }, user: bo, agent: bot, roles: [boss], tenant: t, calls: 2, spent: "10", decision: silence }
  - { it: c, call: bank/pay, agent: bot, decision: permit, by: [agent] }
`,
    )
    const { stdout, code } = await runHere('policy', 'test', here)
    expect(stdout).toContain('4 of 4')
    expect(code).toBe(0)
  })

  it('takes tools from lists as servers give them', async () => {
    const here = folder()
    writeFileSync(join(here, 'tools.json'), '{"tools":[{"name":"send_mail","inputSchema":{"type":"object"}}]}')
    writeFileSync(
      join(here, 't.test.yaml'),
      'policies: ask/v1\ncases: [{ it: x, call: mail/send_mail, decision: silence, code: approval_required }]\n',
    )
    const { code } = await runHere('policy', 'test', here, '--tools', `mail=${join(here, 'tools.json')}`)
    expect(code).toBe(0)
    // In either order: the option takes one file, not the table behind it.
    const table = join(here, 't.test.yaml')
    const reversed = await runHere('policy', 'test', '--tools', `mail=${join(here, 'tools.json')}`, table)
    expect(reversed).toMatchObject({ code: 0, stderr: '' })
  })

  it.each<[string, string, RegExp]>([
    [
      'a key that does not exist',
      `cases: [{ it: x, call: refund, decison: permit }]`,
      /shop\.test\.yaml:1:\d+: unknown key "cases\.0\.decison"; did you mean "decision"\?/,
    ],
    [
      'an answer that does not exist',
      'cases: [{ it: x, call: refund, decision: allow }]',
      /must be permit, deny or silence/,
    ],
    ['no case', 'cases: []', /list with at least one case/],
    [
      'a spent sum that is a number',
      'cases: [{ it: x, call: refund, spent: 5, decision: permit }]',
      /must be a decimal in quotes/,
    ],
    [
      'a tool that nobody described',
      'cases: [{ it: x, call: refnd, decision: permit }]',
      /shop\.test\.yaml:1:9: "refnd" is not among the tools/,
    ],
    [
      'a policy file that is missing',
      'policies: nope.cedar\ntools: { refund: {} }\ncases: [{ it: x, call: refund, decision: permit }]',
      /cannot read the policy file nope\.cedar/,
    ],
    ['text that is not YAML', 'cases: [', /shop\.test\.yaml:1:\d+: not valid YAML/],
  ])('exits 2 and names the place of %s', async (_, table, says) => {
    const { code, stderr } = await test(table)
    expect(stderr).toMatch(says)
    expect(code).toBe(2)
  })

  it('exits 2 when there is nothing to test, which must not look like a pass', async () => {
    const { code, stderr } = await runHere('policy', 'test', folder())
    expect(stderr).toContain('there is no *.test.yaml in')
    expect(code).toBe(2)
  })

  it('writes JUnit and JSON that say the same', async () => {
    const cases =
      'cases:\n  - { it: "<pays> & \\"asks\\"", call: refund, arguments: { amount: 900 }, decision: permit }\n'
    const file = join(folder(), 'out.xml')
    const { stdout } = await test(`${TOOLS}${cases}`, '--junit', file, '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      failed: 1,
      tables: [{ cases: [{ problems: [] }, { problems: [expect.any(String)] }] }],
    })
    const xml = readFileSync(file, 'utf8')
    expect(xml).toContain('tests="2" failures="1"')
    expect(xml).toContain('<testcase name="&#60;pays&#62; &#38; &#34;asks&#34;"')
    expect(xml).toContain('<failure message="expected permit, was silence by yaml/refund/otherwise">')
  })

  it('never lets a name break out of the XML', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const xml = junitText([{ file: name, cases: [{ name, at: name, problems: [name] }] }])
        expect(xml.match(/<[a-z]/g)).toHaveLength(4)
        expect(xml).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u)
        expect(xml.match(/"/g)?.length).toBe(36)
      }),
    )
  })
})
