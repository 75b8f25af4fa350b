import type { Behaviour } from '../support/behaviours.ts'

/** A way past a framework's own hook, seen on the real package, and the test that it is none past the gate. */
export interface Hole {
  readonly host: string
  /** What was seen without us. */
  readonly seen: string
  readonly shownBy: readonly Shown[]
}

/** A test by its file and the very words of its title; or a behaviour of the conformance suite, in the ways of running that begin so. */
export type Shown =
  | { readonly file: string; readonly title: string }
  | { readonly behaviour: Behaviour; readonly ways: string }

/** Every one that is known. */
export const HOLES: readonly Hole[] = [
  {
    host: 'ai-sdk',
    seen: 'code mode runs a tool that `toolApproval` denies, and asks about itself alone',
    shownBy: [{ behaviour: 14, ways: 'ai 7' }],
  },
  {
    host: 'ai-sdk',
    seen: '`toolApproval` that never answers hangs the run, past abort and timeout',
    shownBy: [{ behaviour: 4, ways: 'ai 7' }],
  },
  {
    host: 'ai-sdk',
    seen: '`toolApproval` that throws ends the run',
    shownBy: [{ behaviour: 3, ways: 'ai 7' }],
  },
  {
    host: 'ai-sdk',
    seen: 'without `toolApproval`, an approval that the client made up executes the tool',
    shownBy: [
      { file: 'approvals.test.ts', title: 'does not run a call for an approval that the client made up' },
      { file: 'guard-tools.test.ts', title: 'enforces without the hook: the wrapped execute is the gate' },
    ],
  },
  {
    host: 'ai-sdk',
    seen: 'an approved history that is sent again executes again',
    shownBy: [
      { behaviour: 8, ways: 'ai' },
      {
        file: 'approvals.test.ts',
        title: 'pays once for one yes, even when the approved history comes back longer than it was',
      },
    ],
  },
  {
    host: 'openai-agents',
    seen: 'an input guardrail that throws ends the run',
    shownBy: [{ behaviour: 3, ways: '@openai/agents' }],
  },
  {
    host: 'openai-agents',
    seen: "the tool's `timeoutMs` does not hold for its guardrails: one that hangs hangs the run",
    shownBy: [
      {
        file: 'guard-tools.test.ts',
        title: 'waits for a hung policy no longer than its own time, so that no hook can hang a run',
      },
    ],
  },
  {
    host: 'openai-agents',
    seen: 'a saved `RunState` with an approval executes again each time it is resumed',
    shownBy: [
      {
        file: 'approvals.test.ts',
        title: 'does not run twice from one saved state, whoever resumes it: a replayed state is no new call',
      },
    ],
  },
  {
    host: 'langchain',
    seen: 'the prebuilt `ToolNode` ignores `wrapToolCall` and executes',
    shownBy: [
      {
        file: 'guard-tools.test.ts',
        title: 'hold in the prebuilt ToolNode, which ignores a wrapToolCall: without them the call runs',
      },
    ],
  },
  {
    host: 'langchain',
    seen: "any `wrapToolCall` makes a tool's ordinary error end the run",
    shownBy: [{ behaviour: 12, ways: 'langchain 1 createAgent, holdpointMiddleware' }],
  },
  {
    host: 'mastra',
    seen: 'code mode runs a tool that `hooks.beforeToolCall` never sees',
    shownBy: [
      { behaviour: 14, ways: 'mastra 1 generate, guardTools' },
      { behaviour: 14, ways: 'mastra 1 stream, guardTools' },
      {
        file: 'guard-tools.test.ts',
        title: 'hold in code mode, which no hook sees: with hooks alone the call runs',
      },
    ],
  },
  {
    host: 'mastra',
    seen: "`hooks` of one run take the place of the agent's, without a word",
    shownBy: [{ file: 'guard-tools.test.ts', title: 'hold where hooks of one run take the place of the agent’s' }],
  },
  {
    host: 'claude-agent',
    seen: '`canUseTool` is never asked about a tool that `allowedTools` lists',
    shownBy: [
      {
        file: 'holes.test.ts',
        title:
          'runs no denied tool, its own or the app’s, although allowedTools lists them and canUseTool is never asked',
      },
    ],
  },
  {
    host: 'claude-agent',
    seen: 'a `PreToolUse` hook that throws lets the tool execute',
    shownBy: [{ file: 'holes.test.ts', title: 'runs nothing when the hook itself throws' }],
  },
]
