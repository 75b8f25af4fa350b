/** What a run says: one summary for machines, one table for people. */
import os from 'node:os'
import { ratios, spread } from './measure.mjs'

/** The issue's aims; a figure that misses is printed as it is. */
const AIMS = [
  {
    name: 'gated call, memory store, over the floor',
    over: ['memory-1', 'floor'],
    figure: 'us',
    most: 1.3,
  },
  {
    name: 'the same over the floor whose Cedar is given only what the policies read',
    over: ['memory-1', 'lean-floor'],
    figure: 'us',
  },
  {
    name: 'durable calls per second at 64 in flight, over bare group commit',
    over: ['group-commit-64', 'durable-64'],
    figure: 'us',
    least: 0.7,
  },
  { name: 'OPA wasm decision over ours', over: ['opa-decision', 'our-decision'], figure: 'us' },
  { name: 'AGT decision over ours', over: ['agt-decision', 'our-decision'], figure: 'us' },
]

/** Everything that was measured, in µs per call. */
export function summarise(contestants, figures, rounds) {
  const rows = contestants.map(({ id, name, inFlight, calls }) => {
    const { us, cpuUs } = figures.get(id)
    return { id, name, inFlight, calls, us: spread(us), cpuUs: spread(cpuUs), perSecond: 1e6 / spread(us).median }
  })
  const compared = AIMS.filter(({ over }) => over.every((id) => figures.has(id))).map(
    ({ name, over: [top, bottom], figure, most, least }) => {
      const ratio = ratios(figures.get(top)[figure], figures.get(bottom)[figure])
      const aim = most !== undefined ? { most } : least !== undefined ? { least } : undefined
      const met = aim === undefined ? undefined : ratio.median <= (most ?? Infinity) && ratio.median >= (least ?? 0)
      return { name, ratio, aim, met }
    },
  )
  return { machine: machine(), rounds, rows, compared }
}

/** What the run ran on. */
export function machine() {
  const [cpu] = os.cpus()
  const gib = Math.round(os.totalmem() / 2 ** 30)
  return { cpu: cpu?.model ?? 'unknown', cores: os.cpus().length, gib, node: process.version, load: os.loadavg()[0] }
}

/** The summary as Markdown. */
export function table({ machine: host, rounds, rows, compared }) {
  const head = `${rounds} interleaved rounds; ${host.cpu}, ${host.cores} cores, ${host.gib} GiB; Node ${host.node}; load ${host.load.toFixed(1)} at the end\n\n`
  const lines = [
    ['', 'in flight', 'µs per call (median)', 'least – most', 'calls/s', 'processor µs'],
    ['---', '--:', '--:', '--:', '--:', '--:'],
    ...rows.map(({ name, inFlight, us, perSecond, cpuUs }) => [
      name,
      inFlight,
      micros(us.median),
      `${micros(us.min)} – ${micros(us.max)}`,
      Math.round(perSecond).toLocaleString('en'),
      micros(cpuUs.median),
    ]),
  ]
  const ratioLines = [
    ['', 'ratio (median of rounds)', 'least – most', 'aim'],
    ['---', '--:', '--:', '---'],
    ...compared.map(({ name, ratio, aim, met }) => [
      name,
      ratio.median.toFixed(2),
      `${ratio.min.toFixed(2)} – ${ratio.max.toFixed(2)}`,
      aim === undefined
        ? ''
        : `${aim.most === undefined ? `≥ ${aim.least}` : `≤ ${aim.most}`}: ${met ? 'met' : 'missed'}`,
    ]),
  ]
  return `${head}${markdown(lines)}\n${markdown(ratioLines)}`
}

/** Rows of cells as a table. */
export function markdown(lines) {
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function micros(us) {
  return us < 10 ? us.toFixed(2) : us < 100 ? us.toFixed(1) : Math.round(us).toLocaleString('en')
}
