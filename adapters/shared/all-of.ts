/** All of them, side by side. A failure waits for the rest: nothing goes on behind its back. */
export async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return await Promise.all(work)
}
