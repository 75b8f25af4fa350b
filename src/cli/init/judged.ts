/** What the gate would make of tools that nobody has said anything about yet. */

import { DEFAULT_SERVER } from '../../bytes/names.ts'
import { Contracts } from '../../call/contract.ts'
import { classify } from '../../materiality/classify.ts'
import { type Classification, MATERIALITIES, type ToolDefinition } from '../../types.ts'
import { reasonOf } from '../exit.ts'

/** A tool under our own name of its server. UNTRUSTED. */
export interface OfferedTool {
  readonly server: string
  readonly definition: ToolDefinition
}

interface Offered {
  readonly server: string
  /** As `holdpoint.yaml` names it: `refund`, or `files/write_file`. UNTRUSTED: any text when the gate refuses it. */
  readonly tool: string
  readonly description: string | undefined
}

/** A tool with its class, or with the reason why the gate does not take it. */
export type JudgedTool =
  | (Offered & { readonly kind: 'refused'; readonly because: string })
  | (Offered & {
      readonly kind: 'judged'
      readonly materiality: Classification['materiality']
      readonly surface: Classification['surface']
      /** What argues for the tier, each reason once. */
      readonly because: readonly string[]
      /** Nothing says what the tool does: only a person can. */
      readonly undecided: boolean
    })

/** Judges each tool; nothing that one of them holds keeps the others from being judged. Highest tier first. */
export function judgeTools(offered: readonly OfferedTool[]): readonly JudgedTool[] {
  const contracts = new Contracts()
  const seen = new Set<string>()
  const judged = offered.map((tool): JudgedTool => {
    const one = judgeTool(tool, contracts)
    if (seen.has(one.tool)) return { ...about(tool), kind: 'refused', because: 'is listed twice: list each tool once' }
    seen.add(one.tool)
    return one
  })
  return judged
    .map((tool, index) => ({ tool, index }))
    .sort((a, b) => rank(b.tool) - rank(a.tool) || a.index - b.index)
    .map(({ tool }) => tool)
}

function about({ server, definition: { name, description, title } }: OfferedTool): Offered {
  return { server, tool: writtenName(server, name), description: description ?? title }
}

/** A tool as `holdpoint.yaml` names it. */
export function writtenName(server: string, name: string): string {
  return server === DEFAULT_SERVER && !name.includes('/') ? name : `${server}/${name}`
}

function judgeTool(offered: OfferedTool, contracts: Contracts): JudgedTool {
  const { server, definition } = offered
  try {
    const [contract] = contracts.register(server, [definition], new Map())
    if (contract === undefined) return { ...about(offered), kind: 'refused', because: 'was not registered' }
    const { materiality, surface, evidence } = classify(contract, {})
    const reasons = evidence.filter(({ argues }) => argues === materiality)
    return {
      ...about(offered),
      kind: 'judged',
      materiality,
      surface,
      because: [...new Set(reasons.map(({ because }) => because))],
      undecided: reasons.some(({ source }) => source === 'default'),
    }
  } catch (error) {
    return { ...about(offered), kind: 'refused', because: reasonOf(error) }
  }
}

function rank(tool: JudgedTool): number {
  if (tool.kind === 'refused') return MATERIALITIES.length + 1
  return tool.undecided ? MATERIALITIES.length : MATERIALITIES.indexOf(tool.materiality)
}
