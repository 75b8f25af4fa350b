/**
 * Is the proxy's memory flat? 100,000 calls through one stdio proxy, then 200 HTTP sessions, each begun, used and ended, through
 * another; the resident memory of the proxy's own process (not of the server behind it) at each mark.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort, httpWire, listening, stdioWire } from './mcp-wires.mjs'
import { run } from './measure.mjs'
import { machine, markdown } from './report.mjs'

const root = path.resolve(import.meta.dirname, '..')
const echo = [process.execPath, path.join(import.meta.dirname, 'mcp-echo.mjs')]
const holdpoint = [process.execPath, path.join(root, 'dist', 'src', 'cli', 'main.js'), 'mcp']
const CALLS = 100_000
const CALLS_A_MARK = 10_000
const SESSIONS = 200
const SESSIONS_A_MARK = 20
const CALLS_A_SESSION = 100
const IN_FLIGHT = 16

/** @param {{report?: (line: string) => void}} settings */
export async function memoryOfTheProxy({ report = () => {} }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdpoint-bench-mcp-'))
  const policy = path.join(folder, 'permit.cedar')
  writeFileSync(policy, '@id("permit-all")\npermit (principal, action, resource);\n')
  const env = { HOLDPOINT_STATE: path.join(folder, 'state') }
  try {
    const stdio = await overStdio({ env, policy, report })
    const sessions = await overSessions({ env, policy, report })
    return { machine: machine(), stdio, sessions }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The marks as tables in Markdown. */
export function memoryTable({ stdio, sessions }) {
  const rows = (head, marks) => markdown([[head, 'resident MB'], ['--:', '--:'], ...marks.map(asRow)])
  return `${rows('calls over stdio', stdio)}\n${rows('HTTP sessions', sessions)}`
}

async function overStdio({ env, policy, report }) {
  const wire = await stdioWire([...holdpoint, '--name', 'echo', '--policy', policy, '--', ...echo], env)
  try {
    return await marks(CALLS / CALLS_A_MARK, wire.pid, CALLS_A_MARK, async (mark) => {
      await run((n) => wire.call(mark * CALLS_A_MARK + n), { inFlight: IN_FLIGHT, from: 0, to: CALLS_A_MARK })
      report(`${(mark + 1) * CALLS_A_MARK} calls`)
    })
  } finally {
    await wire.close()
  }
}

async function overSessions({ env, policy, report }) {
  const upstream = await listening([...echo, '--http'], {})
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/mcp/echo`
  const listen = ['--listen', `127.0.0.1:${port}`, '--upstream', `echo=${upstream.url}`, '--policy', policy]
  const proxy = await listening([...holdpoint, ...listen], { env, url })
  try {
    return await marks(SESSIONS / SESSIONS_A_MARK, proxy.pid, SESSIONS_A_MARK, async (mark) => {
      for (let session = 0; session < SESSIONS_A_MARK; session += 1) {
        const wire = await httpWire(url)
        await run(wire.call, { inFlight: IN_FLIGHT, from: 0, to: CALLS_A_SESSION })
        await wire.close()
      }
      report(`${(mark + 1) * SESSIONS_A_MARK} sessions`)
    })
  } finally {
    await proxy.stop()
    await upstream.stop()
  }
}

async function marks(count, pid, step, work) {
  const found = [{ at: 0, mb: residentMb(pid) }]
  for (let mark = 0; mark < count; mark += 1) {
    await work(mark)
    found.push({ at: (mark + 1) * step, mb: residentMb(pid) })
  }
  return found
}

/** Linux says it of any process. */
function residentMb(pid) {
  const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kb) / 1024
}

function asRow({ at, mb }) {
  return [at.toLocaleString('en'), mb.toFixed(0)]
}
