import type { Gate } from '../../src/index.ts'

/** What the tools of one guarding share. */
export interface Surroundings {
  readonly gate: Gate
  readonly server: string | undefined
}

/** `{ server }` where there is one. */
export function where({ server }: Surroundings): { readonly server?: string } {
  return server === undefined ? {} : { server }
}
