import type { Gate, RefusedAdmission, Who } from '../../../src/index.ts'
import type { TokenTerms } from '../auth.ts'
import type { ServerCommand } from '../child.ts'
import { LONGEST_FRAME } from '../frames.ts'

/** One server behind the proxy, under our own name of it: it answers at `/mcp/<name>`. */
export type UpstreamTerms =
  | {
      readonly kind: 'http'
      readonly name: string
      /** `http:` or `https:`. Redirects are not followed. */
      readonly url: URL
      /** What it is told of us, names in lower case; as `readUpstreamHeaders` gives it. */
      readonly headers?: ReadonlyMap<string, string>
    }
  | {
      readonly kind: 'command'
      readonly name: string
      readonly command: ServerCommand
      /** Variables of our environment that it does not get. Default: none. */
      readonly withheld?: ReadonlySet<string>
    }

/** How much of what the proxy holds at once, and for how long. */
export interface Limits {
  /** The longest frame of either side, bytes. Default 4 MiB. */
  readonly maxFrameBytes: number
  /** Sessions over HTTP, per upstream. Default 1000. */
  readonly maxSessions: number
  /** Children of one command: one a session, and one for all requests without a session. Default 64. */
  readonly maxChildren: number
  /** A session that nobody used for so long is ended, ms. Default 30 minutes. */
  readonly idleMs: number
  /**
   * How long an upstream may take to answer a request, ms. Where nobody says: one over HTTP must begin within 5 minutes, and
   * otherwise takes as long as its client waits.
   */
  readonly answerMs?: number
}

export const DEFAULT_LIMITS: Limits = {
  maxFrameBytes: LONGEST_FRAME,
  maxSessions: 1_000,
  maxChildren: 64,
  idleMs: 30 * 60_000,
}

/** What the connections of every upstream have in common. */
export interface GateTerms {
  /** Learns the tools. */
  readonly gate: Gate
  /** The gate as this principal sees it; without a token, as whoever runs the proxy. */
  readonly viewFor: (who: Who | undefined, conversation: string) => Gate
  /** For the operator: what was not passed on, and why. Never arguments, never a token. */
  readonly note: (text: string) => void
  readonly refused?: (admission: RefusedAdmission) => void
}

/** What `serveHttp` must be told, and may be. */
export interface ServeTerms extends GateTerms {
  /** An address or a name; beyond this machine only with TLS or `behindProxy`, and with `tokens`. */
  readonly host: string
  /** 0 for one of the system's choice. */
  readonly port: number
  /** Files in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** A reverse proxy of the operator's own stands in front, and speaks TLS. */
  readonly behindProxy?: boolean
  /** How clients reach the proxy, where that is not the address it listens on: `https://mcp.example.com`. */
  readonly publicUrl?: URL
  /** Further sites whose pages may call. */
  readonly origins?: readonly string[]
  /** Whose tokens count. Without it, whoever reaches the address is the principal that runs the proxy. */
  readonly tokens?: TokenTerms
  /** At least one. The only one answers at `/mcp` too. */
  readonly upstreams: readonly UpstreamTerms[]
  readonly limits?: Partial<Limits>
}
