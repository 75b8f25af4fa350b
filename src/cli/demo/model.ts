/** The model that plays the agent: scripted, or a real one when there is a key. */
import type { JsonObject } from '../../types.ts'
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
  /** A model that makes these calls, one after the other, and then says `closing`. */
  cast(calls: readonly ScriptedCall[], closing: string): Model
}

const REAL_MODEL = 'gpt-5-mini'

/** Scripted, unless `OPENAI_API_KEY` is set: then a real model reads the same requests and does what it does. */
export async function castModel(packages: Packages): Promise<Casting> {
  if (process.env['OPENAI_API_KEY'] === undefined || process.env['OPENAI_API_KEY'] === '') return scripted(packages)
  const { openai } = await loadOpenAi()
  const model = openai(process.env['HOLDPOINT_DEMO_MODEL'] ?? REAL_MODEL)
  return { name: process.env['HOLDPOINT_DEMO_MODEL'] ?? REAL_MODEL, cast: () => model }
}

function scripted(packages: Packages): Casting {
  let minted = 0
  return {
    name: 'scripted model',
    cast(calls, closing) {
      const rest = [...calls]
      return new packages.mock.MockLanguageModelV4({
        doGenerate: async () => {
          const next = rest.shift()
          minted += next === undefined ? 0 : 1
          const content =
            next === undefined
              ? { type: 'text', text: closing }
              : {
                  type: 'tool-call',
                  toolCallId: `call-${minted}`,
                  toolName: next.tool,
                  input: JSON.stringify(next.input),
                }
          const reason = next === undefined ? 'stop' : 'tool-calls'
          return { content: [content], finishReason: { unified: reason, raw: reason }, usage: USAGE, warnings: [] }
        },
      })
    },
  }
}

const USAGE: JsonObject = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
