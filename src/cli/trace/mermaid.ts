/** Draws a trace as a Mermaid flowchart. */
import { counted } from '../../bytes/counted.ts'
import { brief } from '../../bytes/legible.ts'
import { toolOf } from '../receipts.ts'
import { fateOf, MARK } from './fate.ts'
import type { Trace, TracedCall } from './traced.ts'

/** Renderers refuse more than 500 edges or 50,000 characters, unless they are told otherwise. */
const MOST_SHOWN = 100
const LONGEST_NAME = 60

/** The text of a flowchart: a box for each call, a frame for each step, an arrow from each call to the steps that saw its result. */
export function mermaidOf(trace: Trace): string {
  const steps = trace.steps
    .map(({ calls, after }, index) => ({
      number: index + 1,
      calls: calls.filter(({ number }) => number <= MOST_SHOWN),
      after: after.filter((number) => number <= MOST_SHOWN),
    }))
    .filter(({ calls }) => calls.length > 0)
  const shown = steps.flatMap(({ calls }) => calls).length
  const rest = trace.calls + trace.left - shown
  return [
    'flowchart TD',
    ...steps.flatMap(({ number, calls }) => [
      `  subgraph s${number}["step ${number}"]`,
      ...calls.map((call) => `    c${call.number}["${labelOf(call)}"]:::${fateOf(call).kind}`),
      '  end',
    ]),
    ...steps.flatMap(({ number, after }) => after.map((call) => `  c${call} --> s${number}`)),
    ...(rest === 0 ? [] : [`  rest["and ${counted(rest, 'more call')}"]`]),
    '  classDef ran stroke:#2da44e',
    '  classDef refused stroke:#cf222e',
    '  classDef asked stroke:#bf8700',
    '  classDef odd stroke:#bf8700,stroke-dasharray:4',
  ].join('\n')
}

function labelOf(call: TracedCall): string {
  const { kind, ruling, ending } = fateOf(call)
  const { claims } = call.decision
  const lines = [
    `${call.number} ${MARK[kind]} ${brief(toolOf(claims), LONGEST_NAME)}`,
    `${claims.materiality}, ${brief(ruling, LONGEST_NAME)}`,
    ...(ending === undefined ? [] : [ending]),
    call.decision.id,
  ]
  return lines.map(quoted).join('<br/>')
}

/**
 * UNTRUSTED: names come from models and strangers' servers. All but letters, digits and a few marks are written as character
 * codes, so that nothing in a name ends the label, is Markdown or HTML, or is a directive.
 */
function quoted(text: string): string {
  return [...text]
    .map((character) => (/[\p{L}\p{N} _,.:/()✓✗?!-]/u.test(character) ? character : code(character)))
    .join('')
}

function code(character: string): string {
  return `#${character.codePointAt(0) ?? 0};`
}
