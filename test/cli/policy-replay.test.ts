import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { runHere } from './in-process.ts'

const folder = temporaryFolders()

const text = (name: string) => ({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] })
const TOOLS = [
  { name: 'list_messages', inputSchema: text('channel') },
  { name: 'send_message', inputSchema: text('to') },
  { name: 'invite_user', inputSchema: text('email') },
  { name: 'read_page', inputSchema: { ...text('url'), required: ['url', 'session'] } },
]
const CALM = { id: 'calm', domain: 'Chat (v2)', steps: [{ tool: 'list_messages', args: { channel: 'a' } }] }
const BUSY = {
  id: 'busy',
  domain: 'Chat (v2)',
  steps: [
    { tool: 'read_page', args: { url: 'example.org' } },
    { tool: 'send_message', args: { to: 'bob' } },
    { tool: 'send_message', args: { to: 'carol' } },
  ],
}
const ATTACKED = {
  id: 'attacked',
  domain: 'Chat (v2)',
  steps: [
    { tool: 'list_messages', args: { channel: 'a' } },
    { tool: 'invite_user', args: { email: 'eve@example.com' }, malicious: true },
  ],
}

/** Replays runs beside a configuration. */
async function replay(runs: readonly unknown[], flags: readonly string[], config = 'server: local\n') {
  const here = folder()
  writeFileSync(join(here, 'holdpoint.yaml'), config)
  writeFileSync(join(here, 'runs.jsonl'), runs.map((run) => JSON.stringify(run)).join('\n'))
  const tools = TOOLS.map((tool) => JSON.stringify({ server: 'chat-v2', tool }))
  writeFileSync(join(here, 'tools.jsonl'), tools.join('\n'))
  const given = ['--tools', join(here, 'tools.jsonl'), '--config', join(here, 'holdpoint.yaml')]
  return await runHere('policy', 'replay', join(here, 'runs.jsonl'), ...given, ...flags)
}

describe('policy replay over recorded runs', () => {
  it('counts what is asked and what is stopped, for the user and against the attacker, by policy set', async () => {
    const { code, stdout } = await replay(
      [CALM, BUSY, ATTACKED],
      ['--policy', 'ask/v1', '--policy', 'strict/v1', '--json'],
    )
    const { sets, differences, runs, calls } = JSON.parse(stdout)
    expect({ code, runs, calls }).toEqual({ code: 0, runs: 3, calls: 6 })
    const [ask, strict] = sets
    expect(ask).toMatchObject({
      policy: 'ask/v1',
      malicious: { calls: 1, stopped: 0, asked: 1, ran: 0 },
      attacks: { runs: 1, contained: 1, containedOutright: 0 },
      honest: { runs: 2, untouched: 1, onlyAsked: 1, asked: 2, stopped: 0, promptsPerRun: 1 },
    })
    expect(strict).toMatchObject({
      malicious: { calls: 1, stopped: 1, asked: 0, ran: 0 },
      attacks: { runs: 1, contained: 1, containedOutright: 1 },
      honest: { runs: 2, untouched: 1, onlyAsked: 0, asked: 0, stopped: 2, promptsPerRun: 0 },
    })
    expect(differences).toEqual([
      { run: 'busy', step: 2, tool: 'chat-v2/send_message', malicious: false, fates: ['asked', 'stopped'] },
      { run: 'busy', step: 3, tool: 'chat-v2/send_message', malicious: false, fates: ['asked', 'stopped'] },
      { run: 'attacked', step: 2, tool: 'chat-v2/invite_user', malicious: true, fates: ['asked', 'stopped'] },
    ])
  })

  it('says that an attack ran when the policies let it', async () => {
    const here = folder()
    writeFileSync(join(here, 'all.cedar'), '@id("all")\npermit (principal, action, resource);\n')
    const { stdout } = await replay([ATTACKED], ['--policy', here, '--json'])
    const [{ malicious, attacks }] = JSON.parse(stdout).sets
    expect(malicious).toMatchObject({ calls: 1, ran: 1 })
    expect(attacks).toEqual({ runs: 1, contained: 0, containedOutright: 0, interrupted: 0 })
  })

  it('remembers within a run what was read, and forgets it in the next', async () => {
    const here = folder()
    const policy = `@id("calm")\npermit (principal, action, resource) unless { context.session.untrusted_content_read };\n`
    writeFileSync(join(here, 'calm.cedar'), policy)
    const config = 'server: local\ntools: { chat-v2/read_page: { reads: [untrusted] } }\n'
    const { stdout } = await replay([BUSY, CALM], ['--policy', join(here, 'calm.cedar'), '--json'], config)
    const [{ honest }] = JSON.parse(stdout).sets
    expect(honest).toMatchObject({ runs: 2, untouched: 1, stopped: 2 })
  })

  it('tells an attack of which one step is held from one of which every step is', async () => {
    const [first, last] = ATTACKED.steps
    const chain = { ...ATTACKED, steps: [{ ...first, malicious: true }, last] }
    const { stdout } = await replay([chain], ['--policy', 'strict/v1', '--json'])
    expect(JSON.parse(stdout).sets[0].attacks).toEqual({ runs: 1, contained: 0, containedOutright: 0, interrupted: 1 })
  })

  it('does not say yes for the attacker: what waits leaves no trace in the rest of the run', async () => {
    const here = folder()
    writeFileSync(
      join(here, 'wary.cedar'),
      `@id("page") @requires("confirmation") permit (principal, action == Action::"chat-v2/read_page", resource);
@id("calm") permit (principal, action == Action::"chat-v2/list_messages", resource)
unless { context.session.untrusted_content_read };`,
    )
    writeFileSync(join(here, 'all.cedar'), '@id("all")\npermit (principal, action, resource);\n')
    const lured = {
      ...CALM,
      steps: [{ tool: 'read_page', args: { url: 'example.org' }, malicious: true }, ...CALM.steps],
    }
    const config = 'server: local\ntools: { chat-v2/read_page: { reads: [untrusted] } }\n'
    const sets = ['wary', 'all'].flatMap((name) => ['--policy', join(here, `${name}.cedar`)])
    const { stdout } = await replay([lured], [...sets, '--json'], config)
    expect(JSON.parse(stdout).differences).toEqual([
      { run: 'calm', step: 1, tool: 'chat-v2/read_page', malicious: true, fates: ['asked', 'ran'] },
    ])
  })

  it('credits no policy with a call that does not fit its tool', async () => {
    const misfit = { ...ATTACKED, steps: [{ tool: 'invite_user', args: { email: 7 }, malicious: true }] }
    const { stdout } = await replay([misfit], ['--policy', 'strict/v1', '--json'])
    const [{ malicious, attacks }] = JSON.parse(stdout).sets
    expect(malicious).toMatchObject({ stopped: 0, unfit: 1 })
    expect(attacks).toMatchObject({ contained: 0, interrupted: 0 })
  })

  it('says which arguments it left out because no recorded call gives them, and which tools nobody described', async () => {
    const elsewhere = { id: 'x', domain: 'mail', steps: [{ tool: 'send_message', args: { to: 'bob' } }] }
    const { stdout } = await replay([BUSY, elsewhere], ['--policy', 'ask/v1', '--json'])
    const answer = JSON.parse(stdout)
    expect(answer.adapted).toEqual([{ tool: 'chat-v2/read_page', without: ['session'] }])
    expect(answer.undescribed).toEqual(['mail/send_message'])
  })

  it('tells people the same', async () => {
    const { stdout, stderr } = await replay([CALM, BUSY, ATTACKED], ['--policy', 'ask/v1', '--policy', 'strict/v1'])
    expect(stdout).toContain('malicious calls    0 stopped, 1 put to a person, 0 ran')
    expect(stdout).toContain('honest runs        1 untouched, 1 with questions alone')
    expect(stdout).toContain('2 × chat-v2/send_message: asked | stopped')
    expect(stderr).toContain('chat-v2/read_page (session)')
  })

  it('names the line that is no run, and what was expected', async () => {
    const { code, stderr } = await replay([CALM, { turns: [] }], ['--policy', 'ask/v1'])
    expect(stderr).toMatch(/runs\.jsonl:2: is no recorded run: expected \{"steps"/)
    expect(code).toBe(2)
  })

  it('does not take a file of receipts for a run', async () => {
    const here = folder()
    writeFileSync(join(here, 'receipts.jsonl'), 'eyJ.eyJ.c2ln\n')
    const { code, stderr } = await runHere('policy', 'replay', join(here, 'receipts.jsonl'), '--policy', 'ask/v1')
    expect(stderr).toContain('name the folder of the store')
    expect(code).toBe(2)
  })
})

describe('policy replay over receipts', () => {
  /** A store that a gate in observe mode left: a read and a message. */
  async function observed(sidecar: 'keep' | 'none') {
    const here = folder()
    const gate = createGate({
      config: false,
      policies: 'strict/v1',
      sidecar,
      observe: { until: Date.now() + 60_000 },
      effects: { store: createSqliteStore({ folder: join(here, 'store') }), signer: generateSigner() },
    })
    gate.register(TOOLS.map((tool) => ({ ...tool, origin: 'own' as const })))
    const view = gate.as({ user: 'ada' }, { conversation: 'c' })
    await view.run({ tool: 'list_messages', input: { channel: 'a' } }, () => [])
    await view.run({ tool: 'send_message', input: { to: 'bob' } }, () => 'sent')
    await gate.close()
    return join(here, 'store')
  }

  it('shows what observe mode let pass and other policies would have asked about', async () => {
    const store = await observed('keep')
    const { code, stdout } = await runHere(
      ...['policy', 'replay', store, '--policy', 'ask/v1', '--policy', 'strict/v1', '--json'],
    )
    const { decisions, withoutRequest, sets } = JSON.parse(stdout)
    expect({ code, decisions, withoutRequest }).toEqual({ code: 0, decisions: 2, withoutRequest: 0 })
    expect(sets).toEqual([
      {
        policy: 'ask/v1',
        digest: expect.any(String),
        derivedAgain: 0,
        contradictions: [],
        changes: [
          {
            receipt: expect.stringMatching(/^r_/),
            tool: 'local/send_message',
            was: 'stopped',
            now: 'asked',
            code: 'approval_required',
          },
        ],
      },
      { policy: 'strict/v1', digest: expect.any(String), derivedAgain: 2, contradictions: [], changes: [] },
    ])
  })

  it.each([
    ['a whole number', 'context.arguments.amount <= 500'],
    ['a decimal', 'context.arguments.amount.lessThanOrEqual(decimal("500.0"))'],
  ])('takes a number for what the policies take it for: %s', async (_, limit) => {
    const here = folder()
    const gate = createGate({
      config: false,
      policies: 'strict/v1',
      observe: { until: Date.now() + 60_000 },
      effects: { store: createSqliteStore({ folder: join(here, 'store') }), signer: generateSigner() },
    })
    const amount = { type: 'object', properties: { amount: { type: 'integer' } }, required: ['amount'] }
    gate.register([{ name: 'refund', origin: 'own', inputSchema: amount }])
    const view = gate.as({ user: 'ada' }, { conversation: 'c' })
    for (const of of [400, 900]) await view.run({ tool: 'refund', input: { amount: of } }, () => 'paid')
    await gate.close()
    // A rule on another tool takes its own argument of that name for something else.
    const other =
      '@id("a-other") permit (principal, action == Action::"local/other", resource) when { context.arguments.amount == "much" };'
    const refund = `@id("refund") permit (principal, action == Action::"local/refund", resource) when { ${limit} };`
    writeFileSync(join(here, 'next.cedar'), `${other}\n${refund}\n`)
    const { stdout } = await runHere(
      ...['policy', 'replay', join(here, 'store'), '--policy', join(here, 'next.cedar'), '--json'],
    )
    expect(JSON.parse(stdout).sets[0].changes).toEqual([expect.objectContaining({ was: 'stopped', now: 'ran' })])
  })

  it('says how many decisions cannot be taken again because their requests were not kept', async () => {
    const { stdout, stderr } = await runHere('policy', 'replay', await observed('none'), '--policy', 'ask/v1')
    expect(stdout).toContain('0 decisions')
    expect(stderr).toContain('2 decisions were left out')
  })
})
