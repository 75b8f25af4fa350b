import { spawnSync } from 'node:child_process'

/** Is Prometheus's own checker here? Debian's package `prometheus` brings it. */
export const hasPromtool = spawnSync('promtool', ['--version']).status === 0

if (!hasPromtool) process.stdout.write('skipped: promtool is not installed (Debian: apt-get install prometheus)\n')

/** Runs promtool and returns how it ended and everything it said. */
export function promtool(
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  return { status, said: `${stdout}${stderr}` }
}
