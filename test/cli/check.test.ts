import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMachine, type Machine } from './holdpoint.ts'
import { configure } from './recorded.ts'

let machine: Machine

beforeAll(() => {
  machine = createMachine()
  configure(machine)
})
afterAll(() => machine.remove())

const check = (call: unknown, ...flags: readonly string[]) =>
  machine.here(['check', ...flags], typeof call === 'string' ? call : JSON.stringify(call))

describe('check', () => {
  it('exits 0 for a call that would run, and names the policy that permits it', async () => {
    const { code, stdout } = await check({ tool: 'list_orders', user: 'ada' })
    expect(code).toBe(0)
    expect(stdout).toContain('shop/list_orders  permitted')
    expect(stdout).toMatch(/reads {2}permits/)
  })

  it('exits 1 for a call that would be refused, with the condition', async () => {
    const { code, stdout } = await check({ tool: 'refund', user: 'ada', input: { amount: 900 } })
    expect(code).toBe(1)
    expect(stdout).toContain('shop/refund  refused: denied_by_policy')
    expect(stdout).toMatch(/amount: at most 500, was 900/)
    // Nothing permits a smaller refund either, so no change of arguments is promised.
    expect(stdout).not.toContain('would run')
  })

  it('tells the smallest change of arguments that would run, and whose yes would do instead', async () => {
    const file = join(machine.folder, 'short.yaml')
    const rule =
      'permit: { amount: { max: 500 }, currency: { oneOf: [EUR] } }, otherwise: { ask: finance, say: Ask finance. }'
    writeFileSync(file, `server: shop\npolicies: ask/v1\ntools: { refund: { ${rule} } }\n`)
    const call = { tool: 'refund', user: 'ada', input: { amount: 900, currency: 'XMR' } }
    const { code, stdout } = await check(call, '--config', file)
    expect(code).toBe(1)
    expect(stdout).toContain('shop/refund  refused: approval_required')
    expect(stdout).toMatch(/because +Ask finance\./)
    expect(stdout).toContain('yaml/refund/otherwise  forbids, until a person says yes  short.yaml:3')
    expect(stdout).toContain('once somebody in the role finance has said yes')
    expect(stdout).toMatch(/would run {3}with amount 500 in place of 900, and currency "EUR" in place of\s+"XMR"/)
    const { smallestChange } = JSON.parse((await check(call, '--config', file, '--json')).stdout)
    expect(smallestChange).toEqual([
      { path: '/amount', from: 900, to: 500 },
      { path: '/currency', from: 'XMR', to: 'EUR' },
    ])
  })

  it('reads a file, and takes a tool as receipts name it', async () => {
    const file = join(machine.folder, 'call.json')
    writeFileSync(file, '{"tool":"shop/refund","user":"ada","input":{"amount":900}}')
    const { code, stdout } = await machine.here(['check', file, '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      tool: 'shop/refund',
      code: 'denied_by_policy',
      constraints: [{ policy: 'refund-cap', path: '/amount', requires: 'at most 500', actual: '900' }],
    })
  })

  it('tells what a person’s yes would change', async () => {
    const call = { tool: 'send_mail', user: 'ada', input: { to: 'bob' } }
    expect((await check(call)).stdout).toContain('refused: approval_required')
    expect((await check({ ...call, confirmed: true })).code).toBe(0)
    // A yes is no way around a forbid.
    expect((await check({ tool: 'refund', user: 'ada', input: { amount: 900 }, confirmed: true })).code).toBe(1)
  })

  it('checks arguments against the schema that is given', async () => {
    const definition = { inputSchema: { type: 'object', properties: { amount: { type: 'integer' } } } }
    const { code, stdout } = await check({ tool: 'refund', user: 'ada', input: { amount: 'many' }, definition })
    expect(code).toBe(1)
    expect(stdout).toContain('arguments_rejected')
  })

  it('says why the gate itself refuses, where no policy is to blame', async () => {
    const { code, stdout } = await check({ tool: 'delete_everything', input: {} })
    expect(code).toBe(1)
    expect(stdout).toContain('Nobody said on whose behalf')
  })

  it('answers by the policies, not by their distrust of a schema that nobody wrote down', async () => {
    for (const [condition, amount, code] of [
      ['context.arguments.amount <= 500', 40, 0],
      ['context.arguments.amount.lessThanOrEqual(decimal("500.0"))', 900, 1],
      ['context.arguments.amount.lessThanOrEqual(decimal("500.0"))', 40, 0],
      ['context.arguments.order.tags.contains("vip") && context.arguments.order.id == "A-1"', 40, 0],
    ] as const) {
      const other = createMachine()
      const policy = `@id("small") permit (principal, action == Action::"shop/refund", resource) when { ${condition} };`
      configure(other)
      writeFileSync(join(other.folder, 'shop.cedar'), policy)
      const call = { tool: 'refund', user: 'ada', input: { amount, order: { id: 'A-1', tags: ['vip'] } } }
      const answer = await other.here(['check'], JSON.stringify(call))
      expect([answer.code, answer.stdout]).toEqual([code, expect.stringContaining('schema was given')])
      expect(answer.stdout + answer.stderr).not.toContain('unable to guarantee')
      other.remove()
    }
  })

  it('answers by the policies where no argument was given that a schema could be guessed from', async () => {
    const file = join(machine.folder, 'capped.yaml')
    writeFileSync(file, 'server: shop\ntools: { refund: { materiality: high, permit: { amount: { max: 500 } } } }\n')
    const { stdout } = await check({ tool: 'refund', user: 'ada', input: {} }, '--config', file, '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      code: 'denied_by_policy',
      smallestChange: [{ path: '/amount', to: 500 }],
    })
  })

  it('records nothing: no store, no key', async () => {
    await check({ tool: 'refund', user: 'ada', input: { amount: 1 } })
    expect(existsSync(machine.state)).toBe(false)
  })

  const unusable: readonly (readonly [what: string, text: string, says: RegExp])[] = [
    ['no JSON', '{', /stdin: /],
    ['a duplicate key', '{"tool":"a","tool":"b"}', /stdin: .*twice|duplicate/],
    ['no tool', '{"input":{}}', /"tool"/],
    ['an unknown key', '{"tool":"a","inputs":{}}', /inputs/],
    ['a list', '[]', /a call looks like/],
    ['nothing', '', /stdin: /],
  ]
  it.each(unusable)('answers %s with one line and exit 2', async (_what, text, says) => {
    const { code, stdout, stderr } = await check(text)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^holdpoint: .*\n$/)
    expect(stderr).toMatch(says)
  })

  it('answers a file that is not there with one line', async () => {
    const { code, stderr } = await machine.here(['check', 'nope.json'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^holdpoint: nope\.json: .*\n$/)
  })
})

describe('check beside other tools', () => {
  const short = (): string => {
    const file = join(machine.folder, 'beside.yaml')
    const rules = [
      'read_file: {}',
      'edit_file: deny',
      'write_file: { permit: { path: { under: /srv } }, otherwise: { ask: confirmation } }',
    ]
    writeFileSync(file, `server: files\npolicies: ask/v1\ntools: { ${rules.join(', ')} }\n`)
    return file
  }
  const tools = (): string => {
    const file = join(machine.folder, 'files.jsonl')
    const inputSchema = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }
    const names = ['read_file', 'edit_file', 'write_file']
    writeFileSync(file, names.map((name) => `${JSON.stringify({ name, inputSchema })}\n`).join(''))
    return file
  }

  it('takes a rule about a tool of a similar name for what it is, not for a misspelling', async () => {
    const { code, stdout } = await check(
      { tool: 'write_file', user: 'ada', input: { path: '/srv/a' } },
      '--config',
      short(),
    )
    expect(stdout).not.toContain('did you mean')
    expect(code).toBe(0)
  })

  it('knows from a list which tools there are, what they take and what they say of themselves', async () => {
    const asked = (call: object) => check({ user: 'ada', ...call }, '--config', short(), '--tools', tools())
    const read = await asked({ tool: 'read_file', input: { path: '/x' } })
    expect(read.code).toBe(0)
    expect(read.stdout).not.toContain('note')
    expect((await asked({ tool: 'edit_file', input: { path: '/srv/a' } })).stdout).toContain('denied_by_policy')
    expect((await asked({ tool: 'write_file' })).stdout).toContain('The argument /path is required')
    expect(await asked({ tool: 'write_fil' })).toMatchObject({
      code: 2,
      stderr: 'holdpoint: no tool files/write_fil; did you mean "files/write_file"? (of --tools)\n',
    })
  })
})
