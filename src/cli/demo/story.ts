/** Plays the scenes and reports each as it happens. */
import type { Gate } from '../../types.ts'
import type { Casting } from './model.ts'
import type { Generated, Message, Packages, Question, UnknownCall } from './packages.ts'
import { type Scene, scenesFor } from './script.ts'
import { type CallTold, type Witness, witness } from './witness.ts'
import { SERVER, type World } from './world.ts'

/** One scene, played. */
export interface SceneTold {
  readonly scene: Scene
  readonly calls: readonly CallTold[]
  /** `tools/call` frames that the server received during the scene. */
  readonly frames: number
}

interface Parts {
  readonly packages: Packages
  readonly casting: Casting
  readonly world: World
}

const MOST_STEPS = 6
const INSTRUCTIONS = 'You are an agent with file tools. Make exactly the tool calls that you are asked for, once each.'

/** Plays every scene. `begin` is called before one starts, `end` when it is over. */
export async function playStory(
  parts: Parts,
  tell: { begin(scene: Scene): Promise<void>; end(told: SceneTold): Promise<void> },
): Promise<readonly SceneTold[]> {
  const { world } = parts
  const played: SceneTold[] = []
  for (const scene of scenesFor(world.root)) {
    await tell.begin(scene)
    const before = world.frames()
    if (scene.event === 'policy-point-silent') world.silence()
    const calls = await playScene(parts, scene)
    world.heal()
    const told = { scene, calls, frames: world.frames() - before }
    played.push(told)
    await tell.end(told)
  }
  return played
}

async function playScene(parts: Parts, scene: Scene): Promise<readonly CallTold[]> {
  const { world, casting } = parts
  const inChat = scene.event === 'person-says-yes'
  const who = { user: 'ada', agent: 'notes-agent' }
  const seen = witness(world.gate.as(who, { conversation: 'demo', ...(inChat ? { channel: 'chat' } : {}) }), SERVER)
  const messages: readonly Message[] = [{ role: 'user', content: scene.request }]
  const first = await generate(parts, seen, casting.cast(scene.calls, scene.closing), messages)
  if (inChat) await sayYesAndResend(parts, seen, scene, messages, first)
  return seen.take()
}

/**
 * The person says yes in the chat, and the host goes on with the history that now holds the answer. Then the same history
 * arrives again, as it does when a browser retries: the AI SDK by itself would run the call a second time.
 */
async function sayYesAndResend(
  parts: Parts,
  seen: Witness,
  scene: Scene,
  messages: readonly Message[],
  first: Generated,
): Promise<void> {
  const requests = first.content.filter((part) => part.type === 'tool-approval-request')
  if (requests.length === 0) return
  const answers = requests.map(({ approvalId }) => ({ type: 'tool-approval-response', approvalId, approved: true }))
  const history = [...messages, ...first.response.messages, { role: 'tool', content: answers }]
  for (const event of ['The person says yes in the chat.', 'The same history arrives again.']) {
    seen.narrate(event)
    await generate(parts, seen, parts.casting.cast([], scene.closing), history)
  }
}

async function generate(
  parts: Parts,
  seen: Witness,
  model: Question['model'],
  messages: readonly Message[],
): Promise<Generated> {
  const { packages, world } = parts
  return await packages.ai.generateText({
    model,
    messages,
    instructions: INSTRUCTIONS,
    stopWhen: packages.ai.isStepCount(MOST_STEPS),
    ...packages.adapter.guardTools(world.tools, seen.view, { server: SERVER }),
    repairToolCall: (call) => refuseUnknown(seen.view, call.toolCall),
  })
}

/**
 * A tool that is not in the list never reaches a wrapped `execute`: the host itself reports it. Its hook for such calls
 * takes them to the gate, so that this refusal has its receipt too.
 */
async function refuseUnknown(view: Gate, call: UnknownCall['toolCall']): Promise<null> {
  await view.admit({ server: SERVER, tool: call.toolName, inputText: call.input, callId: call.toolCallId })
  return null
}
