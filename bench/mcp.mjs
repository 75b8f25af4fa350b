/**
 * What the MCP proxy adds to a call, beside the server alone and beside `mcp-proxy` from npm, in interleaved rounds: each call
 * of ours is decided and its receipts are durable.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort, httpWire, listening, stdioWire } from './mcp-wires.mjs'
import { interleave, ratios, spread } from './measure.mjs'
import { machine, markdown } from './report.mjs'

const root = path.resolve(import.meta.dirname, '..')
const echo = [process.execPath, path.join(import.meta.dirname, 'mcp-echo.mjs')]
const holdpoint = [process.execPath, path.join(root, 'dist', 'src', 'cli', 'main.js'), 'mcp']
const peer = path.join(import.meta.dirname, 'peers', 'node_modules', '.bin', 'mcp-proxy')
const SEQUENTIAL = 1_000
const TOGETHER = 2_000

/** Ours over the server alone, and what that may cost. */
const COMPARED = [
  { id: 'stdio', aimMs: 0.15 },
  { id: 'http', aimMs: 0.35 },
]

/**
 * Measures each way with one call at a time and with 64 in flight.
 * @param {{rounds: number, report?: (line: string) => void}} settings
 */
export async function measureMcp({ rounds, report = () => {} }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdpoint-bench-mcp-'))
  const policy = path.join(folder, 'permit.cedar')
  writeFileSync(policy, '@id("permit-all")\npermit (principal, action, resource);\n')
  try {
    const ways = waysTo({ folder, policy })
    const contestants = ways.flatMap(({ id, name, open }) => [
      { id: `${id}-1`, name, inFlight: 1, calls: SEQUENTIAL, open },
      { id: `${id}-64`, name, inFlight: 64, calls: TOGETHER, open },
    ])
    const figures = await interleave(contestants, { rounds, report })
    const rows = contestants.map(({ id, name, inFlight }) => {
      const us = spread(figures.get(id).us)
      return { id, name, inFlight, us, perSecond: 1e6 / us.median }
    })
    return { machine: machine(), rounds, rows, compared: comparisons(figures) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The measurements as tables in Markdown. */
export function mcpTable({ rounds, rows, compared }) {
  const lines = [
    ['', 'in flight', 'ms per call (median)', 'least – most', 'calls/s'],
    ['---', '--:', '--:', '--:', '--:'],
    ...rows.map(({ name, inFlight, us, perSecond }) => [
      name,
      inFlight,
      millis(us.median),
      `${millis(us.min)} – ${millis(us.max)}`,
      Math.round(perSecond).toLocaleString('en'),
    ]),
  ]
  const notes = compared.map(({ name, text }) => [name, text])
  return `MCP, ${rounds} interleaved rounds\n\n${markdown(lines)}\n${markdown([['', 'median of rounds'], ['---', '---'], ...notes])}`
}

function waysTo({ folder, policy }) {
  const env = { HOLDPOINT_STATE: path.join(folder, 'state') }
  const gate = ['--policy', policy]
  const front = async (command, path) => {
    const port = await freePort()
    return await listening(command(port), { env, url: `http://127.0.0.1:${port}${path}` })
  }
  const ways = [
    { id: 'stdio-direct', name: 'stdio: the server alone', open: () => stdioWire(echo, {}) },
    {
      id: 'stdio-ours',
      name: 'stdio: through holdpoint',
      open: () => stdioWire([...holdpoint, '--name', 'echo', ...gate, '--', ...echo], env),
    },
    {
      id: 'http-direct',
      name: 'HTTP: the server alone',
      open: () => overHttp([() => listening([...echo, '--http'], {})]),
    },
    {
      id: 'http-ours',
      name: 'HTTP: through holdpoint to HTTP',
      open: () =>
        overHttp([
          () => listening([...echo, '--http'], {}),
          ({ url }) =>
            front(
              (port) => [...holdpoint, '--listen', `127.0.0.1:${port}`, '--upstream', `echo=${url}`, ...gate],
              '/mcp/echo',
            ),
        ]),
    },
    {
      id: 'bridge-ours',
      name: 'HTTP: through holdpoint to stdio',
      open: () =>
        overHttp([
          () =>
            front(
              (port) => [...holdpoint, '--listen', `127.0.0.1:${port}`, '--name', 'echo', ...gate, '--', ...echo],
              '/mcp/echo',
            ),
        ]),
    },
  ]
  if (!existsSync(peer)) return ways
  const bridge = {
    id: 'bridge-peer',
    name: 'HTTP: through mcp-proxy to stdio',
    open: () =>
      overHttp([
        () =>
          front(
            (port) => [
              process.execPath,
              peer,
              '--host',
              '127.0.0.1',
              '--port',
              String(port),
              '--server',
              'stream',
              '--',
              ...echo,
            ],
            '/mcp',
          ),
      ]),
  }
  return [...ways, bridge]
}

/** Starts one thing after the other, each told of the one before, and connects to the last. */
async function overHttp(starts) {
  const started = []
  for (const start of starts) started.push(await start(started.at(-1)))
  const wire = await httpWire(started.at(-1).url)
  return {
    call: wire.call,
    close: async () => {
      await wire.close()
      for (const { stop } of started.toReversed()) await stop()
    },
  }
}

function comparisons(figures) {
  const added = COMPARED.map(({ id, aimMs }) => {
    const direct = figures.get(`${id}-direct-1`).us
    const ms = spread(figures.get(`${id}-ours-1`).us.map((us, round) => (us - direct[round]) / 1000))
    const met = ms.median <= aimMs
    const text = `+${ms.median.toFixed(3)} ms (${ms.min.toFixed(3)} – ${ms.max.toFixed(3)}); aim ≤ ${aimMs} ms: ${met ? 'met' : 'missed'}`
    return { name: `${id}: what holdpoint adds to one call`, added: ms, aimMs, met, text }
  })
  if (!figures.has('bridge-peer-1')) return added
  const against = [1, 64].map((inFlight) => {
    const ratio = ratios(figures.get(`bridge-ours-${inFlight}`).us, figures.get(`bridge-peer-${inFlight}`).us)
    const met = ratio.median < 1
    const text = `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} – ${ratio.max.toFixed(2)}); aim < 1: ${met ? 'met' : 'missed'}`
    return { name: `HTTP to stdio, ${inFlight} in flight: holdpoint's time over mcp-proxy's`, ratio, met, text }
  })
  return [...added, ...against]
}

function millis(us) {
  return (us / 1000).toFixed(3)
}
