/** The model that plays the agent: scripted, or a real one when there is a key. */
import type { Json, JsonObject } from '../../types.ts'
import { loadOpenAi, type Model, type Packages } from './packages.ts'

/** A tool call that the script makes. */
export interface ScriptedCall {
  readonly tool: string
  readonly input: JsonObject
}

/** Makes a model for one scene. */
export interface Casting {
  /** How the model is called in the story. */
  readonly name: string
  /** A model for a scene in which the script makes these calls, one after the other, and then says `closing`. */
  cast(calls: readonly ScriptedCall[], closing: string): Model
}

const REAL_MODEL = 'gpt-5-mini'

/** Scripted, unless `OPENAI_API_KEY` is set: then a real model reads the same requests and does what it does. */
export async function castModel(packages: Packages): Promise<Casting> {
  const key = process.env['OPENAI_API_KEY']
  if (key === undefined || key === '') return { name: 'scripted model', cast: scriptedBy(packages) }
  const { openai } = await loadOpenAi()
  const name = process.env['HOLDPOINT_DEMO_MODEL'] ?? REAL_MODEL
  const model = openai(name)
  return { name, cast: () => model }
}

function scriptedBy(packages: Packages): Casting['cast'] {
  let minted = 0
  const answer = (next: ScriptedCall | undefined, closing: string): Json => {
    if (next === undefined) return spoken({ type: 'text', text: closing }, 'stop')
    minted += 1
    const { tool, input } = next
    const call = { type: 'tool-call', toolCallId: `call-${minted}`, toolName: tool, input: JSON.stringify(input) }
    return spoken(call, 'tool-calls')
  }
  return (calls, closing) => {
    const rest = [...calls]
    return new packages.mock.MockLanguageModelV4({ doGenerate: async () => answer(rest.shift(), closing) })
  }
}

function spoken(part: JsonObject, reason: string): Json {
  return { content: [part], finishReason: { unified: reason, raw: reason }, usage: USAGE, warnings: [] }
}

const USAGE: JsonObject = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
