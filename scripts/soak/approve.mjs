// The person at `holdpoint watch`: says yes, says no, or is not there.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDesk } from '../../dist/src/store/sqlite-reader.js'

/** Answers whatever is asked in this store, until told to stop. */
export function approve(folder) {
  const startedAt = Date.now()
  let isOver = false
  const work = async () => {
    while (!existsSync(path.join(folder, 'claims.db')) && !isOver) await sleep(100)
    const desk = openDesk(folder)
    const seen = new Set()
    while (!isOver) {
      // A desk that fails once tries again: a store under load may be busy.
      await answerAll(desk, seen, (Date.now() - startedAt) % 40_000 < 20_000).catch(() => undefined)
      await sleep(150)
    }
    await desk.close()
  }
  const working = work()
  return {
    stop: () => {
      isOver = true
      return working
    },
  }
}

/** Every other third of a minute nobody is there, and what is answered then is an answer for a later call. */
async function answerAll(desk, seen, isThere) {
  await desk.attend('soak', isThere ? Date.now() + 2_000 : 0)
  for (const { ref } of await desk.pending()) {
    if (seen.has(ref)) continue
    seen.add(ref)
    if (Math.random() < 0.1) continue
    const answer = Math.random() < 0.7 ? 'approved' : 'declined'
    await desk.answer(ref, { answer, by: 'soak', channel: 'terminal', at: Date.now() })
  }
}
