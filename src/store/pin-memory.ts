import type { PinRecord, PinShelf } from '../types.ts'

/** Pins that live as long as this object: for tests, and for gates whose store is memory. */
export function createPinMemory(): PinShelf {
  const pins = new Map<string, PinRecord>()
  const seen = new Map<string, PinRecord>()
  return {
    stamp: (server) => (pins.has(server) ? 'pinned' : undefined),
    read: (server) => pins.get(server),
    pin: (record) => {
      if (pins.has(record.server)) return false
      pins.set(record.server, record)
      return true
    },
    seen: (server) => seen.get(server),
    see: (record) => {
      if (record.tools.size === 0) seen.delete(record.server)
      else seen.set(record.server, record)
    },
  }
}
