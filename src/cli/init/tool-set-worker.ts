/**
 * Imports the module of an AI SDK tool set, in a thread of its own: what the module opens, prints or waits for ends with
 * the thread. Schemas are read by the adapter itself, so `init` sees each tool as the gate will.
 */
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import type { ToolDefinition } from '../../types.ts'
import { reasonOf } from '../exit.ts'
import type { ToolSetAnswer, ToolSetPlace } from './tool-set.ts'

/** As much of the adapter as is used here; its own types need packages that may not be installed. */
interface Adapter {
  guardTools(
    tools: object,
    gate: Listener,
    options: { readonly ungated: readonly string[]; readonly server: string },
  ): unknown
}

/** Takes a gate's place where tools are registered. Nothing is ever called through it. */
interface Listener {
  register(definitions: readonly ToolDefinition[]): readonly []
  warn(code: string, message: string): void
}

async function answer({ file, name }: ToolSetPlace): Promise<ToolSetAnswer> {
  const module: unknown = await import(pathToFileURL(file).href)
  const tools: unknown = await member(module, name)
  if (tools === undefined) return { problem: `exports no ${name}; it has: ${namesIn(module)}` }
  if (!isToolSet(tools))
    return { problem: `${name} is no tool set: expected an object of tools, { refund: tool({…}) }` }
  const ungated = Object.keys(tools).filter((tool) => typeof member(member(tools, tool), 'execute') !== 'function')
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const adapter: Adapter = await import(new URL(`../../../adapters/ai-sdk/index.${suffix}`, import.meta.url).href)
  return await new Promise((settle) => {
    adapter.guardTools(
      tools,
      {
        register: (definitions) => {
          settle({ definitions, ungated })
          return []
        },
        warn: (_code, message) => settle({ problem: message }),
      },
      // Nothing is called, so whose tools they are makes no difference.
      { ungated, server: 'init' },
    )
  })
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}

function namesIn(module: unknown): string {
  const names = typeof module === 'object' && module !== null ? Object.keys(module) : []
  return names.length === 0 ? 'nothing' : names.join(', ')
}

function isToolSet(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every(
    (tool) =>
      typeof tool === 'object' && tool !== null && ('inputSchema' in tool || 'execute' in tool || 'type' in tool),
  )
}

const found = await answer(workerData as ToolSetPlace).catch((error: unknown) => ({ problem: reasonOf(error) }))
// Only JSON leaves the thread: a host may hang functions on a tool.
parentPort?.postMessage(JSON.stringify(found))
