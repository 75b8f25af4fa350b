import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/** Keeps what a session sent in memory, so that a client that comes back with `Last-Event-ID` misses nothing. */
export function createEventStore(): EventStore {
  const events: { readonly stream: string; readonly message: JSONRPCMessage }[] = []
  return {
    storeEvent: async (stream, message) => String(events.push({ stream, message }) - 1),
    getStreamIdForEventId: async (id) => events[Number(id)]?.stream,
    async replayEventsAfter(lastId, { send }) {
      const stream = events[Number(lastId)]?.stream
      if (stream === undefined) throw new Error(`no event ${lastId}`)
      for (const [index, event] of events.entries()) {
        const isMissed = index > Number(lastId) && event.stream === stream && 'jsonrpc' in event.message
        if (isMissed) await send(String(index), event.message)
      }
      return stream
    },
  }
}
