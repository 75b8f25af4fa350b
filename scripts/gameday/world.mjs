/** What the gameday plays in: a real OPA, the real filesystem server of MCP, and a gate between them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { loadPackages } from '../../dist/src/cli/demo/packages.js'
import { createGate, opa } from '../../dist/src/index.js'
import { installOverride } from '../../dist/src/override/folder.js'
import { readOverride, signOverride } from '../../dist/src/override/signed.js'
import { readReceipt } from '../../dist/src/receipt/read.js'
import { prometheusSink } from '../../dist/src/telemetry.js'
import { generateSigner } from '../../dist/src/testing.js'
import { startOpa } from '../../test/support/engines.ts'

/** Small numbers, so that the day has less than a minute; a gate's own are 2 s, and 30 s of an open breaker. */
export const TERMS = { timeoutMs: 1_000, breaker: { failures: 3, openMs: 3_000, probes: 3 } }
const SLOW_MS = 300
const SERVER = 'files'
const TOOLS = { read_text_file: 'low', write_file: 'medium', move_file: 'high' }
const ENVIRONMENT = 'gameday'

/** Builds the world below `base`: everything runs, and OPA answers. */
export async function createWorld(base) {
  const root = path.join(base, 'notes')
  mkdirSync(root)
  writeFileSync(path.join(root, 'todo.txt'), 'Call Ada about the invoice.\n')
  const engine = await createEngine()
  const person = generateSigner()
  const overrides = path.join(base, 'overrides')
  const metrics = prometheusSink({ health: () => gate.health() })
  const moves = []
  const gate = createGate({
    config: false,
    server: SERVER,
    name: 'gameday',
    policy: opa({ url: `${engine.url}/v1/data/files/decision` }),
    ...TERMS,
    failMode: { low: 'open' },
    tools: Object.fromEntries(Object.entries(TOOLS).map(([tool, materiality]) => [tool, { materiality }])),
    environment: { name: ENVIRONMENT, root },
    overrides,
    trust: { override: [person.publicJwk] },
    store: { folder: path.join(base, 'store') },
    keyFile: path.join(base, 'receipt.pem'),
    events: [metrics.sink, (event) => event.event === 'breaker-moved' && moves.push(event)],
  })
  const agent = await connect(gate, root)
  await gate.ready()
  return {
    gate,
    engine,
    metrics,
    call: agent.call,
    frames: agent.frames,
    /** The moves of the breaker since the last time. */
    takeMoves: () => moves.splice(0).map(({ from, to, because }) => ({ from, to, because })),
    installOverride: () => installOverrideOf(person, overrides),
    close: async () => {
      await gate.close()
      await agent.close()
      await engine.kill()
    },
  }
}

/** A real OPA, and what can happen to its process. */
async function createEngine() {
  const files = { 'files.rego': text('scripts/gameday/files.rego'), 'canary.rego': text('policies/canary.rego') }
  let engine = await startOpa(files)
  const signal = (name) => process.kill(engine.pid, name)
  return {
    url: engine.url,
    /** Stopped for a while, and then it goes on: an engine on a machine that is too busy. */
    stumble() {
      signal('SIGSTOP')
      setTimeout(signal, SLOW_MS, 'SIGCONT')
    },
    hang: () => signal('SIGSTOP'),
    kill: () => engine.stop(),
    async restart() {
      engine = await startOpa(files, { port: engine.port })
    },
  }
}

/** The agent's tools: those of the real filesystem server, each behind the gate. */
async function connect(gate, root) {
  const packages = await loadPackages()
  const transport = new packages.stdio.Experimental_StdioMCPTransport({
    command: process.execPath,
    args: [packages.filesystemServer, root],
    stderr: 'ignore',
  })
  let frames = 0
  const send = transport.send.bind(transport)
  transport.send = async (frame) => {
    if (frame.method === 'tools/call') frames += 1
    await send(frame)
  }
  const client = await packages.mcp.createMCPClient({ transport })
  const tools = await client.tools()
  gate.register(
    Object.keys(TOOLS).map((name) => ({
      name,
      description: tools[name].description,
      inputSchema: tools[name].inputSchema.jsonSchema,
      origin: 'own',
    })),
  )
  const me = gate.as({ user: 'ada', agent: 'notes-agent' }, { conversation: 'gameday' })
  let calls = 0
  return {
    frames: () => frames,
    close: () => client.close(),
    /** Makes a call as the agent does, and tells what it experienced. */
    async call(tool, options = {}) {
      calls += 1
      const callId = `call-${calls}`
      const input = inputOf(tool, root, calls)
      const askedAt = performance.now()
      let ms = 0
      const execute = async (given) => {
        ms = performance.now() - askedAt
        return await tools[tool].execute(given, { toolCallId: callId, messages: [] })
      }
      const ran = await me.run({ tool, callId, input }, execute, { wait: false, ...options })
      if (ran.outcome === 'refused') ms = performance.now() - askedAt
      return { tool, materiality: TOOLS[tool], ms, ...experienceOf(ran) }
    },
  }
}

function inputOf(tool, root, n) {
  const at = (name) => path.join(root, name)
  if (tool === 'read_text_file') return { path: at('todo.txt') }
  if (tool === 'write_file') return { path: at(`note-${n}.txt`), content: 'Ada was called.\n' }
  writeFileSync(at(`draft-${n}.txt`), 'Dear Ada,\n')
  return { source: at(`draft-${n}.txt`), destination: at(`sent-${n}.txt`) }
}

/** As `matrix.json` writes it: `run`, `run, <basis>` or `refuse <code>`; basis and fault are the receipt's. */
function experienceOf(ran) {
  const [receipt] = ran.receipts
  const { basis, fault } = readReceipt(receipt.jws)
  if (ran.outcome === 'ran') return { outcome: basis === 'pdp' ? 'run' : `run, ${basis}`, receipt: receipt.id }
  const { code, message } = ran.refusal
  return { outcome: `refuse ${code}`, message, receipt: receipt.id, ...(fault === undefined ? {} : { fault }) }
}

/** One person signs, and it is installed: one tool, one principal, ten minutes, three calls. */
async function installOverrideOf(person, folder) {
  const now = Date.now()
  const signed = signOverride(
    {
      v: 1,
      nonce: Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url'),
      tools: [`${SERVER}/write_file`],
      environment: ENVIRONMENT,
      principal: { type: 'user', id: 'ada' },
      notBefore: now - 1_000,
      expires: now + 600_000,
      most: 3,
      reason: 'gameday',
      ticket: 'OPS-1',
    },
    person,
  )
  await installOverride(folder, readOverride(signed).id, signed, () => false)
}

function text(file) {
  return readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8')
}
