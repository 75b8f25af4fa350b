import { Session, type Source } from './session.ts'
import { troubleOf } from './trouble.ts'

/** Looks at what is there, in one short transaction. */
export interface Reads {
  /** @throws HoldpointError ERR_STORE */
  read<T>(work: (session: Session) => Promise<T>): Promise<T>
}

/** Each on a connection of the pool, which is given back. */
export function pooledReads(source: Source, deadlineMs: number): Reads {
  return {
    read: async (work) => {
      try {
        const session = await Session.open(await source.pool(), deadlineMs)
        try {
          return await session.transaction('read', () => work(session))
        } finally {
          session.end('give back')
        }
      } catch (cause) {
        throw troubleOf(cause, source.place)
      }
    },
  }
}
