// The person at `holdpoint watch`: says yes, says no, or is not there.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { signedAnswer } from '../../dist/src/answer.js'
import { randomBytes } from '../../dist/src/bytes/digest.js'
import { loadOrCreateKey } from '../../dist/src/receipt/key-file.js'
import { openDesk } from '../../dist/src/store/sqlite-reader.js'

/** Answers whatever is asked in this store, until told to stop; signs each answer, as `watch` does. */
export function approve(folder, keyFile) {
  const startedAt = Date.now()
  let isOver = false
  const work = async () => {
    while (!existsSync(path.join(folder, 'claims.db')) && !isOver) await sleep(100)
    const desk = openDesk(folder)
    const signer = loadOrCreateKey(keyFile)
    const seen = new Set()
    while (!isOver) {
      // A desk that fails once tries again: a store under load may be busy.
      await answerAll(desk, signer, seen, (Date.now() - startedAt) % 40_000 < 20_000).catch(() => undefined)
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
async function answerAll(desk, signer, seen, isThere) {
  await desk.attend('soak', isThere ? Date.now() + 2_000 : 0)
  for (const request of await desk.pending()) {
    const { ref } = request
    if (seen.has(ref)) continue
    seen.add(ref)
    if (Math.random() < 0.1) continue
    const answer = Math.random() < 0.7 ? 'approved' : 'declined'
    const said = { answer, by: 'soak', channel: 'terminal', at: Date.now() }
    await desk.answer(ref, signedAnswer(signer, request, said, randomBytes))
  }
}
