// Which scenarios run, over which paths, and what each run is compared with.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { compareChecks } from '../../test/support/conformance/compare.ts'
import { knownDifferences } from './known-differences.mjs'
import { client, startFixture, startGuardedFixture, startProxy, stdioServer } from './processes.mjs'
import { runClientScenario, runServerScenarios } from './suite.mjs'

/** What a client is asked, without authorization: the proxy is a resource server of its own, never a stand-in for another. */
const CLIENT_SCENARIOS = new Map([
  [
    '2025-11-25',
    [
      'initialize',
      'tools_call',
      'elicitation-sep1034-client-defaults',
      'sse-retry',
      'json-schema-2020-12-preservation',
    ],
  ],
  [
    '2026-07-28',
    [
      'tools_call',
      'request-metadata',
      'sep-2322-client-request-state',
      'http-standard-headers',
      'http-custom-headers',
      'http-invalid-tool-headers',
      'json-schema-ref-no-deref',
      'json-schema-2020-12-preservation',
    ],
  ],
])

const REVISIONS = [...CLIENT_SCENARIOS.keys()]

/** How many scenarios for clients run at a time: each is three processes, mostly starting up. */
const WIDTH = 2

/**
 * Runs everything. Resolves with one record for each run: role, revision, route, its checks, whether the suite was content with
 * what it requires, and how it differs from the direct run of its role and revision, beyond what is known to differ.
 */
export async function runAll(folder, isDirectOnly, progress) {
  const servers = await serverRuns(folder, isDirectOnly, progress)
  const runs = [...servers, ...(await clientRuns(folder, isDirectOnly, progress))]
  return runs.map((run) => compared(run, runs))
}

/** All routes side by side, since scenarios wait more than they work; over each, one revision after the other. */
async function serverRuns(folder, isDirectOnly, progress) {
  const fixture = await startFixture()
  const routes = [['direct', async () => ({ url: fixture.url, close: async () => undefined })]]
  if (!isDirectOnly) {
    routes.push(['guardServer', startGuardedFixture])
    routes.push(['HTTP → HTTP', () => startProxy(fixture.url)])
    routes.push(['HTTP → stdio', () => startProxy(stdioServer)])
  }
  const over = await Promise.allSettled(routes.map(([route, reach]) => overRevisions(route, reach)))
  await fixture.close()
  const broken = over.find(({ status }) => status === 'rejected')
  if (broken !== undefined) throw broken.reason
  return over.flatMap(({ value }) => value)

  async function overRevisions(route, reach) {
    const target = await reach()
    const runs = []
    let receipts
    try {
      for (const revision of REVISIONS) {
        progress(`server, ${revision}, ${route}`)
        const place = path.join(folder, `server ${revision} ${route}`)
        runs.push({ role: 'server', revision, route, ...(await runServerScenarios(target.url, revision, place)) })
      }
    } finally {
      receipts = await target.close()
    }
    return runs.map((run) => ({ ...run, receipts }))
  }
}

async function clientRuns(folder, isDirectOnly, progress) {
  const routes = [['direct', client]]
  if (!isDirectOnly) {
    const wrapper = fileURLToPath(import.meta.resolve('./client-through-proxy.mjs'))
    routes.push(['HTTP → HTTP', [process.execPath, wrapper]])
  }
  const runs = []
  for (const revision of REVISIONS) {
    for (const [route, command] of routes) {
      progress(`client, ${revision}, ${route}`)
      const found = await pooled(CLIENT_SCENARIOS.get(revision), (scenario) => {
        const place = path.join(folder, `client ${revision} ${route} ${scenario}`)
        return runClientScenario(command.map(quoted).join(' '), scenario, revision, place)
      })
      const isMet = found.every((one) => one.isMet)
      runs.push({ role: 'client', revision, route, isMet, checks: found.flatMap(({ checks }) => checks) })
    }
  }
  return runs
}

/** The suite hands the command to a shell. */
function quoted(word) {
  return `"${word}"`
}

async function pooled(items, run) {
  const results = []
  const left = items.entries()
  const work = async () => {
    for (const [index, item] of left) results[index] = await run(item)
  }
  await Promise.all(Array.from({ length: WIDTH }, work))
  return results
}

function compared(run, runs) {
  const direct = runs.find(({ role, revision }) => role === run.role && revision === run.revision)
  const known = knownDifferences(run)
  return { ...run, known, differences: compareChecks(direct.checks, run.checks, known) }
}

/**
 * Did the gate stand in the way at all? Then there are receipts, which verify to their end; the proxy, which says so when a task
 * is lost, leaves no permit without its outcome.
 */
export function hasWholeReceipts({ role, route, receipts }) {
  if (role !== 'server' || route === 'direct') return true
  if (receipts === undefined || !receipts.ok || receipts.count === 0) return false
  return receipts.settled || route === 'guardServer'
}
