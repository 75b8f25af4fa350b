import { describe, expect, it } from 'vitest'
import { Turns } from '../../src/decide/turns.ts'

const never = new Promise<never>(() => undefined)

describe('turns', () => {
  it('runs one body at a time for a key, in order, whatever became of the one before', async () => {
    const turns = new Turns()
    const seen: string[] = []
    let inside = 0
    const body = (name: string) => async () => {
      inside += 1
      seen.push(`${name} of ${inside}`)
      await Promise.resolve()
      inside -= 1
      if (name === 'b') throw new Error('b failed')
      return name
    }
    const all = await Promise.allSettled(['a', 'b', 'c'].map((name) => turns.take('k', body(name))))
    expect(seen).toEqual(['a of 1', 'b of 1', 'c of 1'])
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('lets other keys, and calls without one, go ahead', async () => {
    const turns = new Turns()
    void turns.take('k', () => never)
    expect(await turns.take('other', async () => 'ran')).toBe('ran')
    expect(await turns.take(undefined, async () => 'ran')).toBe('ran')
  })

  it('never runs the body of a call whose turn does not come in time', async () => {
    const turns = new Turns(20)
    const ran: string[] = []
    void turns.take('k', () => never)
    const second = turns.take('k', async () => ran.push('second'))
    const third = turns.take('k', async () => ran.push('third'))
    expect(await Promise.all([second, third])).toEqual([undefined, undefined])
    expect(ran).toEqual([])
  })

  it('never runs the body of a call whose caller went away while it waited', async () => {
    const turns = new Turns()
    const first = Promise.withResolvers<void>()
    const leaving = new AbortController()
    const ran: string[] = []
    const one = turns.take('k', () => first.promise)
    const gone = turns.take('k', async () => ran.push('gone'), leaving.signal)
    const next = turns.take('k', async () => ran.push('next'))
    leaving.abort()
    expect(await gone).toBeUndefined()
    // The one who gave up must not let the next one in while the first is still at it.
    expect(ran).toEqual([])
    first.resolve()
    await Promise.all([one, next])
    expect(ran).toEqual(['next'])
  })
})
