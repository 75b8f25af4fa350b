/** Which tools a gate can stand in front of. */

/**
 * How a tool stands to the gate: `gated`, every call passes it; `ungated`, it runs elsewhere by the operator's leave, and each use
 * leaves a receipt; `unknown`, it ran, or can run, without the gate having been asked.
 */
export type Standing = 'gated' | 'ungated' | 'unknown'

/** A tool as a host's adapter shows it. */
export interface ToolSeen {
  readonly tool: string
  readonly standing: Standing
  /** Why it is not gated; of a gated one, why its calls are refused all the same. */
  readonly because?: string
}

/** One line of a gate's coverage. */
export interface ToolCoverage extends ToolSeen {
  /** `ai-sdk`, `mcp`, `openai`… */
  readonly host: string
  readonly server: string
}
