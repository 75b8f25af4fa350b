import type { Coverage } from './coverage.ts'
import type { OpenBudget } from './decide/fail-mode.ts'
import type { Holds } from './decide/holds.ts'
import type { Obligations } from './decide/obligations.ts'
import type { PolicyPanel } from './decide/panel.ts'
import type { Turns } from './decide/turns.ts'
import type { Exits } from './exits.ts'
import type { Overrides } from './override/live.ts'
import type { OwnFiles } from './own-files.ts'
import type { Settings } from './pass.ts'
import type { Passkeys } from './passkeys.ts'
import type { Recorder } from './receipt/recorder.ts'
import type { ToolRegistry } from './tool-registry.ts'
import type { Clock, EventSink, RandomBytes, Signer, Store } from './types.ts'

/** Everything that the pass works with. Effects come in here and nowhere else. */
export interface GateParts {
  readonly settings: Settings
  readonly tools: ToolRegistry
  readonly panel: PolicyPanel
  readonly store: Store
  readonly recorder: Recorder
  readonly exits: Exits
  readonly openings: OpenBudget
  readonly turns: Turns
  readonly holds: Holds
  readonly obligations: Obligations
  readonly overrides: Overrides
  readonly coverage: Coverage
  readonly ownFiles: OwnFiles
  /** Signs what people answered, and nothing else; its key is made on the first answer. */
  readonly approver: () => Signer
  /** What makes an answer a person's own signature. */
  readonly passkeys: Passkeys
  readonly clock: Clock
  readonly random: RandomBytes
  readonly sleep: (ms: number) => Promise<void>
  readonly emit: EventSink
}
