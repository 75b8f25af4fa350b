/** Runs a proxy from its first signal to its last receipt. */
import { Operator, serveStdio } from '../../../adapters/mcp-proxy/index.ts'
import type { Plan } from './plan.ts'
import { takeStdout } from './protocol-only.ts'

/** How a proxy ended. */
export type ProxyEnd =
  | { readonly kind: 'nothing_served'; readonly because: string }
  | { readonly kind: 'served'; readonly code: 0 | 1 }

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Serves until it is over, and closes the gate: the outcomes are on record then.
 *
 * @param write takes one line for stderr
 */
export async function runProxy(plan: Plan, write: (line: string) => void): Promise<ProxyEnd> {
  const operator = new Operator((line) => write(`holdpoint: ${line}`))
  const stopping = new AbortController()
  const stop = (): void => {
    // Whoever asks twice does not want to wait. What was started ends with us all the same.
    if (stopping.signal.aborted) process.exit(1)
    stopping.abort()
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  process.on('uncaughtException', crash)
  // A host that died took the other end along; its servers and receipts are still to be seen to.
  process.stderr.on('error', () => undefined)
  try {
    return plan.kind === 'stdio'
      ? await runStdio(plan, operator, stopping.signal)
      : await (await import('./run-http.ts')).runHttp(plan, operator, stopping.signal)
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
    operator.flush()
  }

  /** A defect: nothing more can be relied on. The servers end with this process; what had begun is `unknown` at the next start. */
  function crash(error: unknown): never {
    operator.tell(`this is a defect of holdpoint, which ends here: ${kindOf(error)}`)
    for (const frame of framesOf(error)) operator.tell(frame)
    process.exit(1)
  }
}

async function runStdio(
  plan: Extract<Plan, { readonly kind: 'stdio' }>,
  operator: Operator,
  stopping: AbortSignal,
): Promise<ProxyEnd> {
  const { name, command, timeoutMs } = plan
  const output = takeStdout()
  let close = async (): Promise<void> => {}
  try {
    const served = await serveStdio({
      name,
      command,
      input: process.stdin,
      output,
      stopping,
      openGate: async () => {
        const opened = await (await import('./gate.ts')).openGate(plan.gate, operator)
        close = opened.close
        opened.announce()
        return opened.terms
      },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
    if (served.kind === 'not_started')
      return { kind: 'nothing_served', because: `${command[0]} cannot be started: ${served.because}` }
    const { because } = served
    if (because !== undefined) operator.tell(because)
    return { kind: 'served', code: because === undefined ? 0 : 1 }
  } finally {
    await close()
  }
}

/** Which kind of failure, and not its words: those may hold what somebody said. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return 'code' in error && typeof error.code === 'string' ? `${error.name} (${error.code})` : error.name
}

/** Where it was thrown: each place as one line, without what was said. */
function framesOf(error: unknown): readonly string[] {
  const lines = error instanceof Error ? (error.stack ?? '').split('\n') : []
  return lines.filter((line) => /^ {4}at /.test(line))
}
