/** The demo's world: a temporary folder, the real filesystem server below it, and a gate that stands in front. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../../config/read.ts'
import { createGate } from '../../create-gate.ts'
import { createCedarPoint } from '../../policy/cedar.ts'
import { withOutage } from '../../policy/outage.ts'
import { createSqliteStore } from '../../store/sqlite.ts'
import type { Gate } from '../../types.ts'
import type { Packages, Tools, Transport } from './packages.ts'

/** Our own name of the filesystem server. */
export const SERVER = 'files'
/** How long the demo's policy point may take, ms. */
export const TIMEOUT_MS = 400

/** Where things are, and the switches that the story throws. */
export interface World {
  /** The demo's `holdpoint.yaml`. */
  readonly configFile: string
  /** The folder that the agent may work in. */
  readonly root: string
  readonly gate: Gate
  readonly tools: Tools
  /** `tools/call` frames that went to the server so far. */
  frames(): number
  /** From now on the policy point does not answer. */
  silence(): void
  /** The policy point answers again. */
  heal(): void
  close(): Promise<void>
}

/** Builds the world below `base`. The files that the story starts from are in place when it returns. */
export async function createWorld(packages: Packages, base: string): Promise<World> {
  const root = join(base, 'notes')
  mkdirSync(root)
  writeFileSync(join(root, 'todo.txt'), 'Call Ada about the invoice.\nBook the train to Basel.\n')
  writeFileSync(join(root, 'invoice.txt'), 'Invoice 1184: 900 EUR, due on Friday.\n')
  const file = writeConfig(base, root)

  let silent = false
  const point = withOutage(createCedarPoint(readConfig({ file }).policyFiles), () => silent)
  // A store of one's own: what a demo shows is not counted among the tools of this account.
  const store = createSqliteStore({ folder: join(base, 'store') })
  const gate = createGate({ config: { file }, policy: point, name: 'demo', effects: { store } })
  const wire = countFrames(
    new packages.stdio.Experimental_StdioMCPTransport({
      command: process.execPath,
      args: [packages.filesystemServer, root],
      stderr: 'ignore',
    }),
  )
  const client = await packages.mcp.createMCPClient({ transport: wire.transport })
  return {
    configFile: file,
    root,
    gate,
    tools: await client.tools(),
    frames: wire.frames,
    silence: () => {
      silent = true
    },
    heal: () => {
      silent = false
    },
    close: async () => {
      await gate.close()
      await client.close()
    },
  }
}

function writeConfig(base: string, root: string): string {
  const file = join(base, 'holdpoint.yaml')
  const text = `# What the operator of the demo says. Everything else is a default.
policies: [strict/v1, filesystem/v1]
environment:
  root: ${JSON.stringify(root)}
timeoutMs: ${TIMEOUT_MS}
failMode:
  low: open       # medium and high stay closed, whatever anybody writes here
store:
  folder: store
tools:            # the server calls both destructive; the operator knows better
  ${SERVER}/write_file: { materiality: medium, surface: internal-write }
  ${SERVER}/move_file: { materiality: medium, surface: internal-write }
`
  writeFileSync(file, text)
  return file
}

/** Counts, on the wire itself, what is sent to the server to be done. */
function countFrames(transport: Transport): { readonly transport: Transport; readonly frames: () => number } {
  let count = 0
  const send = transport.send.bind(transport)
  transport.send = async (frame) => {
    if (frame.method === 'tools/call') count += 1
    await send(frame)
  }
  return { transport, frames: () => count }
}
