/**
 * What a call of high materiality meets while its policy service is away, beside what it meets while somebody answers.
 * Every gate is whole: a refusal here is decided, recorded in a signed receipt of the memory store, and written out.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { PolicyPanel } from '../dist/src/decide/panel.js'
import { cerbos, opa } from '../dist/src/index.js'
import { openGate } from './gated.mjs'
import { interleave, spread } from './measure.mjs'
import { evaluationRequest, refund, refundInput, refundTool } from './refund.mjs'
import { machine, markdown } from './report.mjs'

/** The policy budget of the gates whose service is away. The default, two seconds, would only make the run longer. */
const BUDGET_MS = 100
/** A breaker opens after so many absences, so a round has no more calls that meet an absence. */
const ABSENCES = 3

/** @typedef {import('./measure.mjs').Contestant & {answer: string, budgetMs?: number}} Scene */

/**
 * Measures every scene in interleaved rounds.
 * @param {{rounds: number, report?: (line: string) => void}} settings
 */
export async function measureOutage({ rounds, report = () => {} }) {
  const engines = await startEngines(report)
  const hung = await listenAndSayNothing()
  try {
    const scenes = [...healthy(engines), ...away(hung.url)]
    const figures = await interleave(scenes, { rounds, report })
    const rows = scenes.map(({ id, name, answer, calls, budgetMs }) => {
      const { us, cpuUs } = figures.get(id)
      const ms = spread(us.map(inMs))
      const over = budgetMs === undefined ? {} : { budgetMs, overMs: ms.median - budgetMs }
      return { id, name, answer, calls, ms, cpuMs: spread(cpuUs.map(inMs)), ...over }
    })
    return { machine: machine(), rounds, rows }
  } finally {
    await Promise.all([hung, ...engines].map(({ stop }) => stop()))
  }
}

/** The scenes as a table in Markdown. */
export function outageTable({ rounds, rows }) {
  const lines = [
    ['', 'what comes back', 'ms per call (median)', 'least – most', 'over the budget', 'processor ms'],
    ['---', '---', '--:', '--:', '--:', '--:'],
    ...rows.map(({ name, answer, ms, cpuMs, overMs }) => [
      name,
      answer,
      millis(ms.median),
      `${millis(ms.min)} – ${millis(ms.max)}`,
      overMs === undefined ? '' : `${millis(overMs)} ms`,
      millis(cpuMs.median),
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
function away(hungUrl) {
  const silent = () => opa({ url: `${hungUrl}/v1/data/shop/decision`, canary: 'off' })
  const gone = () => opa({ url: 'http://127.0.0.1:1/v1/data/shop/decision', canary: 'off' })
  const absent = { inFlight: 1, calls: ABSENCES - 1 }
  const open = { answer: 'circuit_open', inFlight: 1, calls: 400 }
  return [
    {
      ...absent,
      id: 'gone',
      name: 'no service: the connection is refused',
      answer: 'policy_unavailable',
      open: () => openCalls({ policy: gone() }, 'policy_unavailable', refundInput),
    },
    {
      ...absent,
      id: 'hung',
      name: `hung service, budget ${BUDGET_MS} ms`,
      answer: 'policy_timeout',
      budgetMs: BUDGET_MS,
      open: () => openCalls({ policy: silent(), timeoutMs: BUDGET_MS }, 'policy_timeout', refundInput),
    },
    { ...open, id: 'open', name: 'hung service, breaker open', open: () => openTripped(silent()) },
    {
      ...open,
      id: 'open-decision',
      name: 'the same: the decision alone, without receipt and refusal',
      calls: 5_000,
      open: () => openTrippedPanel(silent()),
    },
  ]
}

/** Whole calls through a gate of its own. Anything but the expected answer ends the run: it would be another measurement. */
async function openCalls(settings, answer, input) {
  const { meet, close } = await openMeeting(settings, input)
  return { call: async (n) => must(answer, await meet(n)), close }
}

/** The same once the breaker is open. */
async function openTripped(policy) {
  const { meet, close } = await openMeeting({ policy, timeoutMs: BUDGET_MS }, refundInput)
  for (let n = 0; n < ABSENCES; n += 1) must('policy_timeout', await meet(-n))
  return { call: async (n) => must('circuit_open', await meet(n)), close }
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
async function openTrippedPanel(point) {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() }
  const panel = new PolicyPanel([point], { clock, emit: () => {} })
  const ask = (n) =>
    panel.ask(evaluationRequest(refundInput(n)), { budgetMs: BUDGET_MS, clock, signal: undefined, schema: undefined })
  for (let n = 0; n < ABSENCES; n += 1) must('timeout', (await ask(n)).cause?.fault)
  return { call: (n) => must('circuit_open', ask(n).cause?.fault), close: () => {} }
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

/** A service that accepts connections and never says a word. */
async function listenAndSayNothing() {
  const sockets = new Set()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.resume()
  })
  const { promise: listening, resolve } = Promise.withResolvers()
  server.listen(0, '127.0.0.1', resolve)
  await listening
  const stop = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { url: `http://127.0.0.1:${server.address().port}`, stop }
}

function inMs(us) {
  return us / 1000
}

function millis(ms) {
  return ms < 0.1 ? ms.toFixed(4) : ms < 10 ? ms.toFixed(2) : ms.toFixed(1)
}
