// Runs every example and requires that it ends well. An example is a folder below examples/ with a `main.mjs` or
// `main.ts` that checks itself: no key, no network, exit code 0 when its story came true. `support` is what they share.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const limitMs = 60_000

function findExamples() {
  const folder = path.join(root, 'examples')
  if (!existsSync(folder)) return []
  const named = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== 'support',
  )
  return named.map(({ name }) => ({ name, main: findMain(path.join(folder, name)) }))
}

function findMain(folder) {
  return ['main.mjs', 'main.ts'].map((name) => path.join(folder, name)).find((file) => existsSync(file))
}

/** Runs one example in a process of its own, with a state folder of its own. Resolves with what went wrong, if anything. */
function run(main) {
  const state = mkdtempSync(path.join(tmpdir(), 'holdpoint-example-'))
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, '--check'], {
      cwd: path.dirname(main),
      env: { ...process.env, HOLDPOINT_STATE: state, OPENAI_API_KEY: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
    })
    const said = []
    child.stdout.on('data', (chunk) => said.push(chunk))
    child.stderr.on('data', (chunk) => said.push(chunk))
    child.on('error', (error) => said.push(Buffer.from(`${error.message}\n`)))
    child.on('close', (status, signal) => {
      rmSync(state, { recursive: true, force: true })
      const ending = signal === null ? `exit code ${status}` : `${signal} after at most ${limitMs} ms`
      resolve(status === 0 ? undefined : `${Buffer.concat(said)}\n${ending}`)
    })
  })
}

let passed = 0
let failed = 0
for (const { name, main } of findExamples()) {
  const trouble = main === undefined ? 'holds neither main.mjs nor main.ts' : await run(main)
  if (trouble === undefined) passed += 1
  else failed += 1
  process.stdout.write(trouble === undefined ? `ok      ${name}\n` : `FAILED  ${name}\n${trouble}\n`)
}
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
