import { afterEach, describe, expect, it, vi } from 'vitest'
import { carryOut, carryOutStreaming, type Execution, giveBack } from '../../../adapters/shared/carry-out.ts'
import { BY_CLIENT } from '../../../adapters/shared/mcp-result.ts'
import type { PermittedAdmission, Receipt, Refusal } from '../../../src/index.ts'
import { type TestGate, testGate } from '../../../src/testing.ts'

/** Longer than a tool may take to end after its caller has left. */
const LONG_MS = 60_000
const never = () => new Promise<never>(() => undefined)
async function* streamsNever() {
  yield await never()
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a call that has begun is put on record', () => {
  it('when its tool never returns after an abort, and not before the tool had time to', async () => {
    const { gate, admission, execution, caller } = await permitted(never)
    void carryOut(admission, execution)
    caller.abort(new Error('the person left'))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(endings(gate)).toEqual([])
    await vi.advanceTimersByTimeAsync(LONG_MS)
    expect(endings(gate)).toEqual(['cancelled'])
  })

  it('as a timeout when that is why the caller left', async () => {
    const { gate, admission, execution, caller } = await permitted(never)
    void carryOut(admission, execution)
    caller.abort(new DOMException('too slow', 'TimeoutError'))
    await vi.advanceTimersByTimeAsync(LONG_MS)
    expect(endings(gate)).toEqual(['timeout'])
  })

  it('as what it was, when the tool ends in time although its caller has left', async () => {
    const { gate, admission, execution, caller } = await permitted(() => later(100, 'done'))
    const carried = carryOut(admission, execution)
    caller.abort(new Error('the person left'))
    await vi.advanceTimersByTimeAsync(LONG_MS)
    expect(await carried).toEqual({ outcome: 'ran', result: 'done' })
    expect(endings(gate)).toEqual(['ok'])
  })

  it('once, when the tool ends after all', async () => {
    const { gate, admission, execution, caller, receipts } = await permitted(() => later(LONG_MS, 'done'))
    const carried = carryOut(admission, execution)
    caller.abort(new Error('the person left'))
    await vi.advanceTimersByTimeAsync(2 * LONG_MS)
    expect(await carried).toEqual({ outcome: 'ran', result: 'done' })
    expect(endings(gate)).toEqual(['cancelled'])
    expect(receipts.map((receipt) => receipt?.kind)).toEqual(['outcome'])
  })

  it('when its result throws at whoever shows it', async () => {
    const result = {
      get content() {
        throw new Error('the connection is closed')
      },
    }
    const { gate, admission, execution } = await permitted(async () => result)
    await expect(carryOut(admission, { ...execution, ...BY_CLIENT })).rejects.toThrow('the connection is closed')
    expect(endings(gate)).toEqual(['tool_error'])
  })

  it('when its tool throws before it returns a promise', async () => {
    const { gate, admission, execution } = await permitted(() => {
      throw new Error('disk is full')
    })
    await expect(carryOut(admission, execution)).rejects.toThrow('disk is full')
    expect(endings(gate)).toEqual(['tool_error'])
  })

  it('when its result throws at whoever looks into it', async () => {
    const hostile = new Proxy(
      {},
      {
        get: (_, name) => {
          if (name === 'then' || name === Symbol.asyncIterator) return undefined
          throw new Error('do not look')
        },
      },
    )
    const { gate, admission, execution } = await permitted(() => hostile)
    const looking = { ...execution, failed: (result: unknown) => Reflect.get(Object(result), 'isError') === true }
    await carryOut(admission, looking)
    expect(endings(gate)).toEqual(['tool_error'])
  })

  it('when its stream hangs after an abort, whether or not the reader still waits', async () => {
    for (const isReading of [true, false]) {
      const { gate, admission, execution, caller } = await permitted(async function* () {
        yield 1
        await never()
      })
      const stream = carryOutStreaming(admission, execution)
      await stream.next()
      if (isReading) void stream.next()
      caller.abort(new Error('the person left'))
      await vi.advanceTimersByTimeAsync(LONG_MS)
      expect(endings(gate)).toEqual(['cancelled'])
    }
  })

  it('when its reader stops early, even if the tool’s own cleaning up never ends', async () => {
    let cleaned = 0
    const { gate, admission, execution } = await permitted(async function* () {
      try {
        yield 1
        yield 2
      } finally {
        cleaned += 1
        await never()
      }
    })
    const stream = carryOutStreaming(admission, execution)
    await stream.next()
    void stream.return()
    await vi.advanceTimersByTimeAsync(0)
    expect(endings(gate)).toEqual(['cancelled'])
    expect(cleaned).toBe(1)
  })

  it('when a reader breaks off with an error of its own', async () => {
    const { gate, admission, execution } = await permitted(async function* () {
      yield 1
      yield 2
    })
    const reading = async () => {
      for await (const _ of carryOutStreaming(admission, execution)) throw new Error('the reader failed')
    }
    await expect(reading()).rejects.toThrow('the reader failed')
    expect(endings(gate)).toEqual(['cancelled'])
  })

  it('when its stream breaks, and the tool’s own error passes through', async () => {
    const { gate, admission, execution } = await permitted(async function* () {
      yield 1
      throw new Error('disk is full')
    })
    const stream = carryOutStreaming(admission, execution)
    await stream.next()
    await expect(stream.next()).rejects.toThrow('disk is full')
    expect(endings(gate)).toEqual(['tool_error'])
  })
})

describe('a live duplicate', () => {
  it('joins the first, with its result or its error', async () => {
    let runs = 0
    const { admission, execution } = await permitted(() => {
      runs += 1
      return later(100, 'done')
    })
    const both = Promise.all([carryOut(admission, execution), carryOut(admission, execution)])
    await vi.advanceTimersByTimeAsync(LONG_MS)
    expect(await both).toEqual(Array(2).fill({ outcome: 'ran', result: 'done' }))
    expect(runs).toBe(1)
  })

  it('waits no longer than its own caller: a tool may wait for itself', async () => {
    const left = new AbortController()
    for (const isStreaming of [false, true]) {
      const { admission, execution } = await permitted(isStreaming ? streamsNever : never)
      const own = { ...execution, signal: left.signal }
      if (isStreaming) void carryOutStreaming(admission, execution).next()
      else void carryOut(admission, execution)
      const joined = isStreaming ? collect(carryOutStreaming(admission, own)) : carryOut(admission, own)
      left.abort(new Error('enough'))
      await expect(joined).rejects.toThrow('enough')
    }
  })

  it('of a streaming call gets what the first one ends with, and does not call the first one refused', async () => {
    const { admission, execution, lapsed } = await permitted(async function* () {
      yield 1
      yield await later(100, 2)
    })
    const [first, second] = [carryOutStreaming(admission, execution), carryOutStreaming(admission, execution)]
    const all = Promise.all([collect(first), collect(second)])
    await vi.advanceTimersByTimeAsync(LONG_MS)
    expect(await all).toEqual([[1, 2], [2]])
    expect(lapsed).toEqual([])
  })
})

describe('a permit that nobody uses', () => {
  it('is given back, so that its call may be made again', async () => {
    const { gate, admission } = await permitted(never)
    await giveBack(admission)
    expect(endings(gate)).toEqual(['not_executed'])
  })

  it('is left alone once the call has begun', async () => {
    const { gate, admission, execution } = await permitted(() => later(100, 'done'))
    const carried = carryOut(admission, execution)
    await giveBack(admission)
    await vi.advanceTimersByTimeAsync(LONG_MS)
    await carried
    expect(endings(gate)).toEqual(['ok'])
  })
})

/** A permitted call of a tool, with the clock's hand stopped. */
async function permitted(execute: Execution['execute']): Promise<{
  readonly gate: TestGate
  readonly admission: PermittedAdmission
  readonly execution: Execution
  readonly caller: AbortController
  readonly receipts: readonly (Receipt | undefined)[]
  readonly lapsed: readonly Refusal[]
}> {
  vi.useRealTimers()
  const gate = testGate()
  gate.register([{ name: 'work', origin: 'own' }])
  const caller = new AbortController()
  const admission = await gate.as({ user: 'alice' }).admit({ tool: 'work', input: {} }, { signal: caller.signal })
  if (admission.outcome === 'refused') throw new Error(`refused: ${admission.refusal.code}`)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const receipts: (Receipt | undefined)[] = []
  const lapsed: Refusal[] = []
  const execution: Execution = {
    execute,
    signal: caller.signal,
    settled: (receipt) => receipts.push(receipt),
    lapsed: (refusal) => lapsed.push(refusal),
  }
  return { gate, admission, execution, caller, receipts, lapsed }
}

function endings(gate: TestGate): readonly string[] {
  return gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
}

async function later<T>(ms: number, value: T): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return value
}

async function collect(stream: AsyncIterable<unknown>): Promise<readonly unknown[]> {
  const all: unknown[] = []
  for await (const each of stream) all.push(each)
  return all
}
