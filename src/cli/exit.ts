/** How commands end. */

/** 0 good, 1 the answer is no, 2 unusable input, 3 (`verify` alone) valid, but an outcome is missing. */
export type ExitCode = 0 | 1 | 2 | 3

/** Input that a command cannot work with: one clear line and exit 2. */
export class UnusableInput extends Error {
  override readonly name = 'UnusableInput'
}

/** An answer that is no, where nothing can be written but the reason: one clear line and exit 1. */
export class AnswerIsNo extends Error {
  override readonly name = 'AnswerIsNo'
}

/** Why something failed, in one line, whatever was thrown. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/\s*\n\s*/g, ' ').trim()
}
