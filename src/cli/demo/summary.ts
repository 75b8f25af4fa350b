/** The story as one JSON object, for programs. */
import type { Evidence } from './evidence.ts'
import type { SceneTold } from './story.ts'
import type { CallTold } from './witness.ts'

/** What `demo --json` prints. A call that waited for a person stands under `asked` until the answer decided it. */
export function summaryOf(scenes: readonly SceneTold[], { path, report, tampered }: Evidence) {
  const calls = scenes.flatMap((told) => told.calls)
  return {
    executed: calls.filter((told) => told.refusal === undefined).map(executed),
    refused: calls.filter((told) => told.refusal !== undefined && !told.asked).map(refused),
    asked: calls.filter((told) => told.asked).map(refused),
    receipts: { path, count: report.count, verified: report.verified },
    tampered: {
      detected: !tampered.report.ok,
      path: tampered.path,
      failures: tampered.report.failures.map(({ receipt, check, why }) => ({ receipt, check, why })),
    },
    server: { frames: scenes.reduce((sum, told) => sum + told.frames, 0) },
  }
}

function executed({ tool, input, materiality, policies, receipt, failedOpen }: CallTold) {
  return { tool, input, materiality, policies, receipt, failedOpen }
}

function refused({ tool, input, materiality, receipt, refusal }: CallTold) {
  return { tool, code: refusal?.code, message: refusal?.message, input, materiality, receipt }
}

/** A command of ours about a file, as it must be typed where this process was started. */
export function commandFor(command: string, path: string): string {
  const quoted = /^[\w./:@-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
  const inRepository = process.env['npm_package_name'] === 'holdpoint' && process.env['npm_lifecycle_event'] !== 'npx'
  return `${inRepository ? 'npm run -s holdpoint --' : 'npx holdpoint'} ${command} ${quoted}`
}
