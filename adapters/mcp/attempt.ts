/** Does it, and has whatever goes wrong come out one way: a transport may throw at once, or reject later. */
export async function attempt<T>(act: () => T | Promise<T>): Promise<T> {
  return await act()
}

/** What an operator is told of a failure. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'nobody knows why'
}
