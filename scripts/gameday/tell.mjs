/** Tells the gameday to people at a terminal. */
import { wrap } from '../../dist/src/cli/terminal.js'
import { TERMS } from './world.mjs'

const WIDEST = 100
const MARGIN = 3

export function teller(terminal) {
  const { out, style } = terminal
  const width = Math.min(terminal.width, WIDEST)
  const indented = (text) => `${' '.repeat(MARGIN)}${wrap(text, width - MARGIN, MARGIN)}`
  const verdict = (isGood, text) =>
    out(`   ${isGood ? style('green', '✓') : style('red', '✗')} ${wrap(text, width - MARGIN - 2, MARGIN + 2)}`)
  let phases = 0
  let hasQuoted = false
  return {
    opening() {
      const { timeoutMs, breaker } = TERMS
      out(style('bold', 'holdpoint gameday: a policy service goes away'))
      out(
        wrap(
          `A real OPA decides about the calls of an agent; the tools are those of the real @modelcontextprotocol/server-filesystem. Budget ${seconds(timeoutMs)}, breaker: ${breaker.failures} absences open it for ${seconds(breaker.openMs)}; failMode: { low: open }.`,
          width,
        ),
      )
    },
    begin({ title, event }) {
      phases += 1
      out(`\n${style('bold', `${phases}  ${title}`)}`)
      out(style('dim', indented(event)))
    },
    call(told) {
      const { materiality, tool, outcome, expected, ms, message } = told
      const left = `${materiality.padEnd(7)} ${tool.padEnd(15)} ${wordsOf(told)}`
      const took = `${millis(ms)} ms`
      const gap = Math.max(1, width - MARGIN - 2 - left.length - took.length)
      out(`   ${markOf(outcome, style)} ${left}${' '.repeat(gap)}${style('dim', took)}`)
      if (message !== undefined && !hasQuoted) out(style('dim', indented(`  The model reads: ${message}`)))
      if (message !== undefined) hasQuoted = true
      if (outcome !== expected) out(style('red', indented(`  foreseen: ${expected}`)))
    },
    again({ tool }) {
      out(
        style('dim', indented(`  This machine stood still during ${tool}; the gate blames nobody else for it. Again:`)),
      )
    },
    end({ moves, breaker, expectedBreaker, retryInMs, canary, calls, reached }) {
      for (const { from, to, because } of moves) out(style('cyan', indented(`breaker ${from} → ${to}: ${because}`)))
      const pause = retryInMs === undefined ? '' : ` for another ${seconds(retryInMs)}`
      const state = `breaker ${breaker}${pause} · canary ${canary} · ${reached} of ${calls.length} reached the server`
      out(style('cyan', indented(state)))
      if (breaker !== expectedBreaker) out(style('red', indented(`foreseen: breaker ${expectedBreaker}`)))
    },
    closing({ phases: told, counters, receipts, isForeseen, folder, verify }) {
      const { permitted, refused, failureOpenings, overrideUses, holds, breaker } = counters
      out(`\n${style('bold', `${phases + 1}  The day in one table`)}`)
      for (const line of tableOf(told)) out(`   ${line}`)
      out(`\n${style('bold', `${phases + 2}  Counters and receipts`)}`)
      const rows = [
        ['holdpoint_decisions_total', `${permitted} permitted, ${refused} refused`],
        ['holdpoint_failure_openings_total', `${failureOpenings}`],
        ['holdpoint_override_uses_total', `${overrideUses}`],
        ['holdpoint_holds_total', `${holds}`],
        [
          'holdpoint_breaker_moves_total',
          `open ${breaker.open}, half_open ${breaker.half_open}, closed ${breaker.closed}`,
        ],
      ]
      for (const [name, value] of rows) out(`   ${name.padEnd(34)} ${value}`)
      out('')
      verdict(receipts.ok, `${receipts.verified} of ${receipts.count} receipts verify, with the public key alone`)
      verdict(
        receipts.failureOpenings === failureOpenings && receipts.overrideUses === overrideUses,
        `each of the ${failureOpenings} fail-opens and ${overrideUses} override uses has its receipt`,
      )
      verdict(
        isForeseen,
        isForeseen
          ? 'everything went as docs/outages.md says'
          : 'something went otherwise than docs/outages.md says: see above',
      )
      out('')
      out(wrap(`Receipts and the public key are left in ${folder}. Verify them yourself:`, width))
      out(verify)
    },
  }
}

const TIERS = ['low', 'medium', 'high']

/** What each tier experienced, phase by phase. */
function tableOf(phases) {
  const played = phases.filter(({ calls }) => calls.length === TIERS.length)
  const rows = [
    ['', ...played.map(({ title }) => title.toLowerCase())],
    ...TIERS.map((tier) => [
      tier,
      ...played.map(({ calls }) => briefOf(calls.find((call) => call.materiality === tier))),
    ]),
  ]
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(column === 0 ? 8 : 11))
      .join('')
      .trimEnd(),
  )
}

function briefOf({ outcome }) {
  if (outcome.startsWith('refuse')) return 'refused'
  return outcome === 'run' ? 'ran' : outcome.slice('run, '.length)
}

function wordsOf({ outcome, held }) {
  const code = /^refuse (.+)$/.exec(outcome)?.[1]
  if (code !== undefined) return `refused, ${code}`
  if (held === true) return 'ran, once it was decided'
  if (outcome === 'run') return 'ran, on the policy’s word'
  return outcome === 'run, fail_open' ? 'ran, fail_open: counted, marked' : 'ran, on the override'
}

function markOf(outcome, style) {
  if (outcome.startsWith('refuse')) return style('red', '✗')
  return outcome === 'run' ? style('green', '✓') : style('yellow', '!')
}

function seconds(ms) {
  return `${Number((ms / 1_000).toFixed(1))} s`
}

function millis(ms) {
  return ms < 10 ? ms.toFixed(1) : `${Math.round(ms)}`
}
