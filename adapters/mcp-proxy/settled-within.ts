/** Waits for work to be over, however it ended, but not for longer than this: nothing is decided by it. No timer is left behind, so that it keeps no process alive. */
export async function settledWithin(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([work.catch(() => undefined), late])
  clearTimeout(timer)
}
