import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask } from '../../src/decide/deadline.ts'
import type { Decision, PolicyDecisionPoint } from '../../src/types.ts'
import type { PolicyServiceOptions } from '../../src/wire/options.ts'
import { authzen, cerbos, opa } from '../../src/wire/points.ts'
import { evaluationRequest } from '../support/evaluation.ts'
import { FAULTS, type Fault, type Kind, type Taken } from '../support/raw-faults.ts'
import { type RawServer, startRawServer } from '../support/raw-server.ts'

const CLIENTS: Readonly<Record<Kind, (options: PolicyServiceOptions) => PolicyDecisionPoint>> = { authzen, cerbos, opa }

async function decide(point: PolicyDecisionPoint, budgetMs = 2_000): Promise<Decision> {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() }
  // A machine that is busy with other tests does not know whether a point was silent: then it is asked again.
  for (let tries = 1; ; tries += 1) {
    const decision = await ask(point, evaluationRequest(), { budgetMs, clock, signal: undefined, schema: undefined })
    const isStalled =
      decision.kind === 'silence' && decision.cause.kind === 'wrong' && decision.cause.fault === 'stalled'
    if (!isStalled || tries === 5) return decision
  }
}

function taken(decision: Decision): Taken | Decision {
  if (decision.kind === 'permit') return 'permit'
  if (decision.kind === 'silence' && (decision.cause.kind === 'absent' || decision.cause.kind === 'wrong')) {
    return decision.cause.kind
  }
  return decision
}

describe.each(Object.keys(CLIENTS) as Kind[])('the client for %s', (kind) => {
  let server: RawServer
  let point: PolicyDecisionPoint
  beforeEach(async () => {
    server = await startRawServer(kind)
    point = CLIENTS[kind]({ url: server.ruleUrl })
  })
  afterEach(async () => await server.stop())

  const faults = Object.entries(FAULTS).filter(([, { kinds }]) => kinds?.includes(kind) !== false)
  it.each(faults)('takes a service for what it is that answers with: %s', async (_, fault) => {
    server.play(fault)
    expect(taken(await decide(point, fault.lasts === true ? 250 : 5_000))).toBe(fault.taken)
  })

  it.each(faults)('permits again after: %s', async (_, fault) => {
    server.play(fault)
    await decide(point, fault.lasts === true ? 60 : 5_000)
    server.play(FAULTS['healthy'] ?? fault)
    expect(taken(await decide(point, 5_000))).toBe('permit')
  })

  /** The bytes of a whole reply that permits, written by `write`. */
  const permitBy = (write: (socket: Socket, bytes: Buffer) => void): Fault => ({
    taken: 'permit',
    play: (scene) => {
      const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
      const length = `content-length: ${Buffer.byteLength(scene.permit)}\r\n`
      write(scene.socket, Buffer.from(`${head}${length}${scene.echo}\r\n${scene.permit}`))
    },
  })

  it.each([
    ['ends', (socket: Socket) => socket.end()],
    ['is reset', (socket: Socket) => socket.resetAndDestroy()],
  ])('takes a reply for absence that %s before its last byte, wherever that is', async (_, stop) => {
    let size = 1
    for (let kept = 0; kept < size; kept += 1) {
      server.play(
        permitBy((socket, bytes) => {
          size = bytes.length
          if (kept === 0) stop(socket)
          else socket.write(bytes.subarray(0, kept), () => stop(socket))
        }),
      )
      expect([kept, taken(await decide(point))]).toEqual([kept, 'absent'])
    }
    expect(size).toBeGreaterThan(80)
  })

  it('reads a reply that comes in two pieces, wherever they part', async () => {
    let size = 2
    for (let first = 1; first < size; first += 19) {
      server.play(
        permitBy((socket, bytes) => {
          size = bytes.length
          socket.write(bytes.subarray(0, first))
          setTimeout(() => socket.write(bytes.subarray(first)), 1)
        }),
      )
      expect([first, taken(await decide(point))]).toEqual([first, 'permit'])
    }
  })
})
