// Proves that holdpoint works in a Next.js route handler, as a user installs it: packs the package, installs the tarball
// beside the locked dependencies in a temporary folder, builds, starts, and asks. Needs the registry, no key.
//
//   npm run test:next            ends with a line `N passed, N failed`
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const here = import.meta.dirname
const root = path.resolve(here, '../../..')
const scratch = mkdtempSync(path.join(tmpdir(), 'holdpoint-next-'))
const app = path.join(scratch, 'app')
const state = path.join(scratch, 'state')
const environment = { ...process.env, HOLDPOINT_STATE: state, NEXT_TELEMETRY_DISABLED: '1', CI: 'true' }
const next = path.join(app, 'node_modules', 'next', 'dist', 'bin', 'next')

let passed = 0
let failed = 0

async function check(sentence, body) {
  try {
    await body()
    passed += 1
    console.log(`ok      ${sentence}`)
  } catch (error) {
    failed += 1
    console.log(`FAILED  ${sentence}\n${error instanceof Error ? error.stack : error}`)
  }
}

/** Runs a command to its end; throws with what it printed when it fails. */
function run(command, args, where) {
  const done = spawnSync(command, args, { cwd: where, env: environment, encoding: 'utf8', timeout: 180_000 })
  if (done.status === 0) return `${done.stdout}${done.stderr}`
  throw new Error(
    `${command} ${args.join(' ')} ended with ${done.status ?? done.signal ?? done.error}\n${done.stdout}${done.stderr}`,
  )
}

function install() {
  cpSync(here, app, {
    recursive: true,
    filter: (file) => !/node_modules|\.next|next-env/.test(path.relative(here, file)),
  })
  run(process.execPath, [path.join(root, 'scripts', 'build.mjs')], root)
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', scratch], root)
  const tarball = readdirSync(scratch).find((name) => name.endsWith('.tgz'))
  run('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'], app)
  run(
    'npm',
    [
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--ignore-scripts',
      path.join(scratch, tarball),
    ],
    app,
  )
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

/** Starts the app, gives its address to `body`, and stops it again. */
async function served(mode, body) {
  const port = await freePort()
  const child = spawn(process.execPath, [next, mode, '--hostname', '127.0.0.1', '--port', String(port)], {
    cwd: app,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  const ended = new Promise((resolve) => child.on('exit', resolve))
  try {
    const address = `http://127.0.0.1:${port}/api/chat`
    await answering(address, () => said)
    await body(address)
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.stack : error}\n-- next ${mode} said:\n${said.slice(-4_000)}`)
  } finally {
    // The whole group: `next dev` works in processes of its own.
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGTERM')
    await ended
  }
}

async function answering(address, said) {
  for (let attempt = 0; attempt < 120; attempt += 1) {
    const response = await fetch(address).catch(() => undefined)
    if (response?.ok) return
    if (response !== undefined && response.status >= 500) throw new Error(`the route answers ${response.status}`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  throw new Error(`nothing answers at ${address}\n${said()}`)
}

/** Posts one chat and reads the parts of the stream. */
async function chat(address, id) {
  const messages = [{ id: 'u1', role: 'user', parts: [{ type: 'text', text: 'I want my money back.' }] }]
  const response = await fetch(address, { method: 'POST', body: JSON.stringify({ id, user: 'alice', messages }) })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('x-vercel-ai-ui-message-stream'), 'v1')
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('data: {'))
  return lines.map((line) => JSON.parse(line.slice('data: '.length)))
}

const gateParts = (chunks) => chunks.filter((chunk) => chunk.type === 'data-holdpoint').map((chunk) => chunk.data)
const outcomes = (chunks) =>
  gateParts(chunks).map((data) => [data.toolCallId.split('-').at(-1), data.outcome, data.refusal?.code])
const facts = async (address) => await (await fetch(address)).json()

async function production() {
  await served('start', async (address) => {
    const chunks = await chat(address, 'talk')
    await check('a route handler permits what the policy permits and refuses the rest (wasm)', async () => {
      assert.deepEqual(outcomes(chunks).sort(), [
        ['0', 'permitted', undefined],
        ['1', 'permitted', undefined],
        ['2', 'refused', 'no_permit'],
      ])
      assert.deepEqual((await facts(address)).refunds, [40])
    })
    await check('the refusal reaches the client as a denial, and the conversation goes on', () => {
      const types = chunks.filter((chunk) => chunk.toolCallId === 'talk-2').map((chunk) => chunk.type)
      assert.ok(types.includes('tool-output-denied'), types.join(' '))
      assert.ok(chunks.some((chunk) => chunk.type === 'text-delta' && chunk.delta === 'goodbye'))
    })
    await check('the same history posted again pays nothing twice', async () => {
      const again = await chat(address, 'talk')
      assert.deepEqual(outcomes(again).sort(), [
        ['0', 'refused', 'already_executed'],
        ['1', 'refused', 'already_executed'],
        ['2', 'refused', 'no_permit'],
      ])
      assert.deepEqual((await facts(address)).refunds, [40])
    })
  })
  await check('the receipts that the worker wrote verify offline', () => {
    const store = path.join(state, 'receipts')
    assert.ok(readdirSync(store).length > 0)
    const command = path.join(app, 'node_modules', 'holdpoint', 'bin', 'holdpoint.js')
    const said = JSON.parse(run(process.execPath, [command, 'verify', store, '--json'], app))
    // The stream's opening, six decisions, two outcomes.
    assert.deepEqual([said.ok, said.count, said.verified], [true, 9, 9])
  })
}

async function development() {
  await served('dev', async (address) => {
    const before = await chat(address, 'dev-a')
    const file = path.join(app, 'lib', 'gate.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace('reloaded: 0', 'reloaded: 1'))
    let told = await facts(address)
    for (let attempt = 0; attempt < 40 && told.loads < 2; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 250))
      told = await facts(address)
    }
    const after = await chat(address, 'dev-b')
    await check('a reloaded module gets the same gate, and calls go on', () => {
      assert.ok(told.loads >= 2, `the module was loaded ${told.loads} time(s): nothing was reloaded`)
      assert.equal(told.sameGate, true)
      assert.equal(outcomes(before).filter(([, outcome]) => outcome === 'permitted').length, 2)
      assert.equal(outcomes(after).filter(([, outcome]) => outcome === 'permitted').length, 2)
    })
  })
}

try {
  install()
  await check('next build takes the route handler, types and all', () => {
    const said = run(process.execPath, [next, 'build'], app)
    assert.match(said, /\/api\/chat/)
    assert.doesNotMatch(said, /warn/i)
  })
  await production()
  await development()
} catch (error) {
  failed += 1
  console.log(`FAILED  ${error instanceof Error ? error.stack : error}`)
} finally {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
