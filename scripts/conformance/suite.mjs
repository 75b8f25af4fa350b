// Runs scenarios of @modelcontextprotocol/conformance and reads what it found from the files that it leaves.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const suite = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'))
const limitMs = 180_000

/** Everything that a revision asks of a server. `isMet`: did all that it requires, pass? */
export async function runServerScenarios(url, revision, folder) {
  const { status, said } = await runSuite(['server', '--url', url, '--requirements', revision, '-o', folder])
  return { checks: readChecks(folder, said), isMet: status === 0 }
}

/** One scenario for clients. The suite appends its own URL to `command`. */
export async function runClientScenario(command, scenario, revision, folder) {
  const wanted = ['--scenario', scenario, '--spec-version', revision]
  const { status, said } = await runSuite(['client', '--command', command, ...wanted, '-o', folder])
  return { checks: readChecks(folder, said), isMet: status === 0 }
}

function runSuite(flags) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [suite, ...flags], { stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs })
    const said = []
    child.stdout.on('data', (chunk) => said.push(chunk))
    child.stderr.on('data', (chunk) => said.push(chunk))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, said: Buffer.concat(said).toString() }))
  })
}

/** The suite gives every scenario a folder: `server-NAME-TIME` or `NAME-TIME`. */
function readChecks(folder, said) {
  const checks = foldersIn(folder).flatMap((name) => {
    const scenario = name.replace(/^server-(?=.)/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '')
    const found = JSON.parse(readFileSync(path.join(folder, name, 'checks.json'), 'utf8'))
    return found.map(({ id, status, errorMessage }) => ({ scenario, id, status, errorMessage }))
  })
  if (checks.length === 0) throw new Error(`the suite checked nothing:\n${said.slice(-2000)}`)
  return checks
}

function foldersIn(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
