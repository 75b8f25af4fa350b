/**
 * What a call of high materiality meets while its policy service is away, beside what it meets while somebody answers.
 * Every gate is whole: a refusal here is decided, recorded in a signed receipt of the memory store, and written out.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { PolicyPanel } from '../dist/src/decide/panel.js'
import { cerbos, opa } from '../dist/src/index.js'
import { openGate } from './gated.mjs'
import { interleave, spread } from './measure.mjs'
import { evaluationRequest, refund, refundInput, refundTool } from './refund.mjs'
import { machine, markdown } from './report.mjs'

/** The policy budget of the gates whose service is away. The default, two seconds, would only make the run longer. */
const BUDGET_MS = 250
/** A breaker opens after so many absences, so a round has no more calls that meet an absence. */
const ABSENCES = 3
/** So many calls are answered before the service goes away: an outage meets gates that have run for a while. */
const CALLS_BEFORE = 200

/** @typedef {import('./measure.mjs').Contestant & {answer: string, budgetMs?: number}} Scene */

/**
 * Measures every scene in interleaved rounds.
 * @param {{rounds: number, report?: (line: string) => void}} settings
 */
export async function measureOutage({ rounds, report = () => {} }) {
  const engines = await startEngines(report)
  try {
    const scenes = [...healthy(engines), ...away()]
    const figures = await interleave(scenes, { rounds, report })
    const rows = scenes.map(({ id, name, answer, calls, budgetMs }) => {
      const { us, cpuUs } = figures.get(id)
      const ms = spread(us.map(inMs))
      const over = budgetMs === undefined ? {} : { budgetMs, overMs: ms.median - budgetMs }
      return { id, name, answer, calls, ms, cpuMs: spread(cpuUs.map(inMs)), ...over }
    })
    return { machine: machine(), rounds, rows }
  } finally {
    await Promise.all(engines.map(({ stop }) => stop()))
  }
}

/** The scenes as a table in Markdown. */
export function outageTable({ rounds, rows }) {
  const lines = [
    ['', 'what comes back', 'ms per call (median)', 'least – most', 'over the budget', 'processor ms'],
    ['---', '---', '--:', '--:', '--:', '--:'],
    ...rows.map(({ name, answer, calls, ms, cpuMs, overMs }) => [
      name,
      answer,
      millis(ms.median),
      `${millis(ms.min)} – ${millis(ms.max)}`,
      overMs === undefined ? '' : `${millis(overMs)} ms`,
      // Two calls are too few to tell their work from what the process does meanwhile.
      calls < ABSENCES ? '' : millis(cpuMs.median),
    ]),
  ]
  return `The policy service, away and there; ${rounds} interleaved rounds\n\n${markdown(lines)}`
}

/** @returns {Scene[]} */
function healthy(engines) {
  const cedar = { name: 'Cedar, embedded', inFlight: 1, calls: 400 }
  return [
    { ...cedar, id: 'healthy-cedar', answer: 'ran', open: () => openCalls({}, 'ran', refundInput) },
    {
      ...cedar,
      id: 'refused-cedar',
      name: 'Cedar, embedded; the policy does not permit it',
      answer: 'no_permit',
      open: () => openCalls({}, 'no_permit', (n) => ({ ...refundInput(n), amount: 501 })),
    },
    ...engines.map(({ id, name, point }) => ({
      id: `healthy-${id}`,
      name,
      answer: 'ran',
      inFlight: 1,
      calls: 400,
      open: () => openCalls({ policy: point() }, 'ran', refundInput),
    })),
  ]
}

/** @returns {Scene[]} */
function away() {
  const absent = { inFlight: 1, calls: ABSENCES - 1 }
  const open = { answer: 'circuit_open', inFlight: 1 }
  return [
    {
      ...absent,
      id: 'gone',
      name: 'no service: the connection is refused',
      answer: 'policy_unavailable',
      open: () => openOutage('policy_unavailable', (service) => service.stop()),
    },
    {
      ...absent,
      id: 'hung',
      name: `hung service, budget ${BUDGET_MS} ms`,
      answer: 'policy_timeout',
      budgetMs: BUDGET_MS,
      open: () => openOutage('policy_timeout', (service) => service.hang()),
    },
    { ...open, id: 'open', name: 'hung service, breaker open', calls: 400, open: openTripped },
    {
      ...open,
      id: 'open-decision',
      name: 'the same: the decision alone, without receipt and refusal',
      calls: 5_000,
      open: openTrippedPanel,
    },
  ]
}

/** Whole calls through a gate of its own. Anything but the expected answer ends the run: it would be another measurement. */
async function openCalls(settings, answer, input) {
  const { meet, close } = await openMeeting(settings, input)
  return { call: async (n) => must(answer, await meet(n)), close }
}

/** Whole calls of a gate whose service answered until now. */
async function openOutage(answer, goAway) {
  const { service, meet, close } = await openHealthy()
  await goAway(service)
  return { call: async (n) => must(answer, await meet(n)), close }
}

/** The same once the breaker is open. */
async function openTripped() {
  const { service, meet, close } = await openHealthy()
  service.hang()
  for (let n = 0; n < ABSENCES; n += 1) must('policy_timeout', await meet(-n))
  return { call: async (n) => must('circuit_open', await meet(n)), close }
}

async function openHealthy() {
  const service = await startService()
  const { meet, close } = await openMeeting({ policy: service.point, timeoutMs: BUDGET_MS }, refundInput)
  // On a busy machine one of these may be late; the breaker only has to be closed, with nothing counted, when they are over.
  for (let n = 1; n < CALLS_BEFORE; n += 1) await meet(1e6 + n)
  must('ran', await meet(1e6))
  return { service, meet, close: () => Promise.all([close(), service.stop()]) }
}

/** `meet` makes the n-th call and says what became of it. */
async function openMeeting(settings, input) {
  const { view, close } = await openGate('memory', { events: [], ...settings })
  const [misfit] = view.register([{ ...refundTool, origin: 'own' }])
  if (misfit !== undefined) throw new Error(misfit.message)
  const meet = async (n) => {
    const call = { tool: 'refund', input: input(n), callId: `call-${n}`, step: 1 }
    const { outcome, refusal } = await view.run(call, refund)
    return outcome === 'refused' ? refusal.code : outcome
  }
  return { meet, close }
}

/** The panel alone, as the gate asks it. */
async function openTrippedPanel() {
  const service = await startService()
  service.hang()
  const clock = { now: () => Date.now(), monotonic: () => performance.now() }
  const panel = new PolicyPanel([service.point], { clock, emit: () => {} })
  const ask = (n) =>
    panel.ask(evaluationRequest(refundInput(n)), { budgetMs: BUDGET_MS, clock, signal: undefined, schema: undefined })
  for (let n = 0; n < ABSENCES; n += 1) must('timeout', (await ask(n)).cause?.fault)
  return { call: (n) => must('circuit_open', ask(n).cause?.fault), close: service.stop }
}

function must(expected, came) {
  if (came !== expected) throw new Error(`a call met ${came} instead of ${expected}`)
}

/** OPA and Cerbos with the rule of the bench and holdpoint's canary, once for all rounds; none where they are not installed. */
async function startEngines(report) {
  if (!process.features.typescript) {
    report('OPA and Cerbos are left out: the helpers that start them are TypeScript, which this Node does not run')
    return []
  }
  const { enginesInstalled, startCerbos, startOpa } = await import('../test/support/engines.ts')
  if (!enginesInstalled()) {
    report('OPA and Cerbos are left out: test/engines is not installed (npm ci --prefix test/engines, on linux-x64)')
    return []
  }
  const [opaEngine, cerbosEngine] = await Promise.all([
    startOpa({ 'refund.rego': text('bench/engines/refund.rego'), 'canary.rego': text('policies/canary.rego') }),
    startCerbos({
      'refund.yaml': text('bench/engines/refund.cerbos.yaml'),
      'canary.yaml': text('policies/canary.cerbos.yaml'),
    }),
  ])
  return [
    {
      id: 'opa',
      name: 'OPA over HTTP, a connection for each question',
      point: () => opa({ url: `${opaEngine.url}/v1/data/shop/decision` }),
      stop: opaEngine.stop,
    },
    {
      id: 'cerbos',
      name: 'Cerbos over HTTP, connections kept',
      point: () => cerbos({ url: cerbosEngine.url }),
      stop: cerbosEngine.stop,
    },
  ]
}

function text(file) {
  return readFileSync(path.resolve(import.meta.dirname, '..', file), 'utf8')
}

/** A policy service of our own that permits everything, until it hangs or is stopped. */
async function startService() {
  let isHung = false
  const server = createServer((request, response) => {
    request.resume()
    if (isHung) return
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{"result":true}'))
  })
  const { promise: listening, resolve } = Promise.withResolvers()
  server.listen(0, '127.0.0.1', resolve)
  await listening
  return {
    point: opa({ url: `http://127.0.0.1:${server.address().port}/v1/data/shop/decision`, canary: 'off' }),
    hang: () => {
      isHung = true
    },
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function inMs(us) {
  return us / 1000
}

function millis(ms) {
  return ms < 0.1 ? ms.toFixed(4) : ms < 10 ? ms.toFixed(2) : ms.toFixed(1)
}
