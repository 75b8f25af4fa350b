import { inflateSync } from 'node:zlib'
import {
  type Agent,
  type AgentOutputItem,
  applyPatchTool,
  computerTool,
  type RunItem,
  RunState,
  shellTool,
  type Tool,
} from '@openai/agents'
import { describe, expect, it } from 'vitest'
import {
  answerInterruption,
  guardAgent,
  guardTools,
  type HoldpointData,
  questionOf,
} from '../../../adapters/openai-agents/index.ts'
import { pictureOf } from '../../../adapters/openai-agents/picture.ts'
import { type Gate, type PolicyDecisionPoint, renderForModel } from '../../../src/index.ts'
import { testGate } from '../../../src/testing.ts'
import { ASK, DENY, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { agentOf, runnerFor, ScriptedModel, told } from './host.ts'

const denying = scriptedPoint(() => ({ ...DENY, sentence: 'Not on Fridays.' }))
const asking = scriptedPoint(({ context }) => (context.approval.confirmed ? PERMIT : ASK))

/** What the model says, the tool for it, and what that did. */
interface Case {
  readonly call: AgentOutputItem
  readonly tool: Tool
  readonly did: unknown[]
}

function shell(more: object = {}): Case {
  const did: unknown[] = []
  const run = async (action: { readonly commands: string[] }) => {
    did.push(action.commands)
    return { output: [{ stdout: 'all gone', stderr: '', outcome: { type: 'exit' as const, exitCode: 0 } }] }
  }
  const call = { type: 'shell_call', callId: 'c1', status: 'completed', action: { commands: ['rm -rf /srv'] } } as const
  return { call: call as never, tool: shellTool({ shell: { run }, ...more }) as Tool, did }
}

function patch(more: object = {}): Case {
  const did: unknown[] = []
  const apply = async (operation: { readonly type: string; readonly path: string }) => {
    did.push([operation.type, operation.path])
    return { status: 'completed' as const, output: 'patched' }
  }
  const editor = { createFile: apply, updateFile: apply, deleteFile: apply }
  const operation = { type: 'update_file', path: 'src/pay.ts', diff: '@@\n-a\n+b' } as const
  const call = { type: 'apply_patch_call', callId: 'c1', status: 'completed', operation } as const
  return { call: call as never, tool: applyPatchTool({ editor, ...more }) as Tool, did }
}

const BATCH = [
  { type: 'screenshot' },
  { type: 'click', x: 3, y: 4, button: 'left' },
  {
    type: 'drag',
    path: [
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ],
  },
  { type: 'type', text: 'hello' },
]

/** A computer with private members, as a real one has. */
class Desktop {
  readonly did: unknown[]
  readonly #picture = 'iVBORw0KGgo='
  constructor(did: unknown[]) {
    this.did = did
  }
  screenshot() {
    this.did.push('screenshot')
    return this.#picture
  }
  click(x: number, y: number, button: string) {
    this.did.push(['click', x, y, button])
  }
  drag(path: readonly (readonly number[])[]) {
    this.did.push(['drag', path])
  }
  type(text: string) {
    this.did.push(['type', text])
  }
  doubleClick() {}
  keypress() {}
  move() {}
  scroll() {}
  wait() {}
}

function computer(more: object = {}, config: (desktop: Desktop) => unknown = (desktop) => desktop): Case {
  const did: unknown[] = []
  const call = { type: 'computer_call', callId: 'c1', status: 'completed', action: BATCH[1], actions: BATCH }
  return {
    call: call as never,
    tool: computerTool({ computer: config(new Desktop(did)) as never, ...more }) as Tool,
    did,
  }
}

const DONE: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  ['shell', [['rm -rf /srv']]],
  ['patch', [['update_file', 'src/pay.ts']]],
  [
    'computer',
    [
      ['click', 3, 4, 'left'],
      [
        'drag',
        [
          [1, 2],
          [3, 4],
        ],
      ],
      ['type', 'hello'],
      'screenshot',
    ],
  ],
])
const CASES = [
  ['shell', shell],
  ['patch', patch],
  ['computer', computer],
] as const

function viewOf(policy: PolicyDecisionPoint) {
  const gate = testGate({ policy })
  return { gate, me: gate.as({ user: 'alice' }, { conversation: 'talk', channel: 'chat' }) }
}

async function once(me: Gate, { call, tool }: Case) {
  const model = new ScriptedModel([[call]])
  const result = await runnerFor(me).run(agentOf(model, { tools: guardTools([tool], me) }), 'go')
  return { model, result }
}

/** What the picture of a refusal says. */
function inWords({ newItems }: { readonly newItems: readonly RunItem[] }): string {
  const [refusal] = newItems.flatMap((item) =>
    item.type === 'tool_call_output_item'
      ? [(item.customData?.['holdpoint'] as HoldpointData | undefined)?.refusal]
      : [],
  )
  if (refusal === undefined) throw new Error('no refusal stands beside the call')
  return [...renderForModel(refusal).split('\n').slice(0, -1), `(${refusal.code})`].join('\n')
}

describe.each(CASES)('a tool for a %s', (kind, make) => {
  it('does nothing that policy denies, tells the model why, and the run goes on', async () => {
    const { gate, me } = viewOf(denying)
    const made = make()
    const { model, result } = await once(me, made)
    expect([made.did, result.finalOutput]).toEqual([[], 'done'])
    const saw = told(model, 'c1')
    if (kind === 'computer') expect(saw.includes(pictureOf(inWords(result)))).toBe(true)
    else expect(saw).toContain('Not on Fridays.')
    expect(gate.calls.map(({ code }) => code)).toEqual(['denied_by_policy'])
  })

  it('does what is permitted, and leaves both receipts', async () => {
    const { gate, me } = viewOf(scriptedPoint(() => PERMIT))
    const made = make()
    await once(me, made)
    expect(made.did).toEqual(DONE.get(kind))
    expect((await gate.receipts()).map((receipt) => receipt.kind)).toEqual(['open', 'decision', 'outcome'])
  })

  it('waits for the person’s own yes, and does it once, from however many copies of the run', async () => {
    const { me } = viewOf(asking)
    const made = make()
    const agent = (steps: readonly (readonly AgentOutputItem[])[]) => {
      const model = new ScriptedModel(steps)
      return { model, agent: guardAgent(agentOf(model, { tools: [made.tool] }), me) }
    }
    const first = await runnerFor(me).run(agent([[made.call]]).agent, 'go')
    const [item] = first.interruptions
    if (item === undefined) throw new Error('the run did not pause')
    expect(made.did).toEqual([])
    const saved = first.state.toString()
    const takenUp = async () => {
      const next = agent([])
      const state = await RunState.fromString<unknown, Agent>(next.agent, saved)
      for (const each of state.getInterruptions()) state.approve(each)
      await runnerFor(me).run(next.agent, state)
      return told(next.model, 'c1')
    }
    const unheard = await takenUp()
    expect(made.did).toEqual([])
    if (kind !== 'computer') expect(unheard).toContain('approval_')
    expect((await questionOf(me, item))?.state).toBe('pending')
    expect((await answerInterruption(me, first.state, item, 'approved')).outcome).toBe('recorded')
    await takenUp()
    await takenUp()
    expect(made.did).toEqual(DONE.get(kind))
  })

  it('does nothing on the word of its own author’s hook, and nothing when nobody was asked', async () => {
    const { me } = viewOf(scriptedPoint(() => PERMIT))
    const made = make({ needsApproval: true, onApproval: async () => ({ approve: true }) })
    await once(me, made)
    expect(made.did).toEqual([])

    // Without a guarded agent, a run that is taken up says nothing of whose call it is.
    const bare = make()
    const [tool] = guardTools([bare.tool], me)
    const target = Reflect.get(tool ?? {}, kind === 'patch' ? 'editor' : kind)
    const { action, operation } = bare.call as { action?: object; operation?: object }
    if (kind === 'shell') await target.run(action)
    if (kind === 'patch') await target.updateFile(operation)
    if (kind === 'computer') await target.click(3, 4, 'left', {})
    expect(bare.did).toEqual([])
  })
})

describe('a computer', () => {
  it.each([
    ['a function makes', (desktop: Desktop) => async () => desktop],
    [
      'a provider makes and disposes of',
      (desktop: Desktop) => ({
        create: () => desktop,
        dispose: ({ computer: given }: { computer: object }) => {
          desktop.did.push(given === desktop ? 'disposed' : 'a stranger')
        },
      }),
    ],
  ])('that %s is behind the gate', async (_what, config) => {
    for (const policy of [denying, scriptedPoint(() => PERMIT)]) {
      const { me } = viewOf(policy)
      const made = computer({}, config)
      await once(me, made)
      expect(made.did.filter((each) => each !== 'disposed')).toEqual(policy === denying ? [] : DONE.get('computer'))
      expect(made.did).not.toContain('a stranger')
    }
  })

  it('that fails in the middle stops there, and its outcome is on record', async () => {
    const { gate, me } = viewOf(scriptedPoint(() => PERMIT))
    const made = computer({}, (desktop) =>
      Object.assign(desktop, {
        drag: () => {
          throw new Error('stuck')
        },
      }),
    )
    const { result } = await once(me, made)
    expect([made.did, result.finalOutput]).toEqual([[['click', 3, 4, 'left']], 'done'])
    expect(gate.events.filter(({ event }) => event === 'call-settled')).toMatchObject([{ status: 'tool_error' }])
  })

  it('shows a refusal as a picture that any reader of PNG can read', () => {
    const bytes = Buffer.from(pictureOf(`${'Wrap me, please. '.repeat(20)}\nñ{}`), 'base64')
    expect(bytes.subarray(1, 4).toString()).toBe('PNG')
    const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
    const start = bytes.indexOf('IDAT') + 4
    const pixels = inflateSync(bytes.subarray(start, start + bytes.readUInt32BE(start - 8)))
    expect(pixels).toHaveLength((Math.ceil(width / 8) + 1) * height)
    expect(pixels.some((byte) => byte !== 0 && byte !== 0xff)).toBe(true)
  })
})
