import type { Behaviour } from './support/behaviours.ts'

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
]
