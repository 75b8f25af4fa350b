import type { ConfigOptions } from '../config/schema.ts'
import type { PolicyOption } from '../create-panel.ts'
import type { ObligationHandler } from '../decide/obligations.ts'
import type { Clock, EventSink, PinShelf, RemoteSigner, Signer, Store } from '../types.ts'

/** What `createGate` takes: the keys of `holdpoint.yaml`, and what only code can say. */
export interface GateOptions extends ConfigOptions {
  /** Folder or file to read instead of the working directory's `holdpoint.yaml`; `false` reads none. */
  readonly config?: string | { readonly file: string } | false
  /** Who decides, instead of the policies of the configuration: a point, a function, or several that must all permit. */
  readonly policy?: PolicyOption
  /** Decide and receipt, block nothing, until this date (at most 30 days ahead). Never a setting of `holdpoint.yaml`. */
  readonly observe?: { readonly until: string | number }
  /**
   * Who asks when nobody says: `os-user` where whoever runs this program is the principal, as of a proxy that a person's own host
   * starts. Default: the OS user on a terminal, and the gate itself elsewhere.
   */
  readonly principal?: 'os-user'
  /** The gate's name in its receipts (`iss`), and the principal when nobody else is named. Default: the server's name. */
  readonly name?: string
  readonly events?: readonly EventSink[]
  /** What meets the obligations of a permit, by their type. A permit whose obligation nothing here meets does not count. */
  readonly obligations?: Readonly<Record<string, ObligationHandler>>
  /** A receipt key that is elsewhere, such as in a KMS, and how long it may take for each signature, ms. Default 3000. */
  readonly receipts?: { readonly signer: RemoteSigner; readonly deadlineMs?: number }
  /** Stores and effects, for tests and for stores of one's own. */
  readonly effects?: {
    readonly store?: Store
    readonly signer?: Signer
    /**
     * Signs what people answer, and nothing else. Default: a key file beside that of the receipts; with a `signer` of one's own,
     * a key that lives as long as this gate.
     */
    readonly approver?: Signer
    readonly clock?: Clock
    readonly pins?: PinShelf
  }
}
