// What hosts ask of a proxy, and how they leave it.
import { setTimeout as sleep } from 'node:timers/promises'

let marks = 0

/** Calls of every kind, a few at a time, until the time is up. */
export async function steadyTraffic(session, until, tally, { flood = false, isHttp = false } = {}) {
  const lane = async () => {
    while (Date.now() < until && session.isGone !== true) await oneOf(session, tally, { flood, isHttp })
  }
  await Promise.all([lane(), lane(), lane()])
}

/** One session of a host that comes, works and goes: politely, by signal, or by dying. */
export async function shortSession(session, tally) {
  tally.sessions += 1
  const until = Date.now() + Math.random() * 4_000
  await steadyTraffic(session, until, tally)
  const underWay = Array.from({ length: 3 }, () => call(session, tally, 'hang', 30_000))
  const way = pick(['leave', 'leave', 'SIGTERM', 'SIGHUP', 'SIGKILL', 'die', 'long_line', 'flood'])
  if (way === 'leave') session.leave()
  else if (way.startsWith('SIG')) session.kill(way)
  else void endedBy(way, session)
  if (way === 'flood') {
    await sleep(200)
    session.kill('SIGTERM')
  }
  if (way !== 'leave') tally.killed += 1
  await Promise.race([session.ended, sleep(15_000)])
  await Promise.all(underWay)
  if (!session.isGone) throw new Error(`a proxy did not end after ${way}:\n${session.said()}`)
}

/** Has the server end itself. Where the gate refuses the call, as it does when its store is too busy, it is the host that leaves. */
async function endedBy(way, session) {
  const answer = await session.call(way, { mark: mark(), lines: 2_000 })
  if (refusalIn(answer) !== undefined) session.leave()
}

function refusalIn(answer) {
  return answer?.result?._meta?.['dev.holdpoint/refusal']
}

async function oneOf(session, tally, { flood, isHttp }) {
  const dice = Math.random()
  if (dice < 0.5) return await call(session, tally, 'get_note')
  if (dice < 0.65) return await call(session, tally, 'delete_note')
  if (dice < 0.7) return await call(session, tally, 'ask_note')
  if (dice < 0.75) return await session.ask('tools/list', {})
  if (dice < 0.8) return await session.ask('acme/unknown', {})
  if (dice < 0.85) return await cancelled(session, tally)
  if (dice < 0.9) return await call(session, tally, isHttp ? 'slow' : 'chatter')
  if (dice < 0.95) return await call(session, tally, isHttp ? pick(['reset', 'page']) : pick(['twice', 'deep']))
  if (dice < 0.96 && flood) return await call(session, tally, 'flood', 20_000, { lines: 50 })
  if (!isHttp) session.write(pick(['nonsense', '[1,2]', '{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}', '']))
  return await call(session, tally, 'no_such_tool')
}

/** A call whose host no longer wants it, before or after it was decided. */
async function cancelled(session, tally) {
  const id = session.nextId()
  const asked = call(session, tally, 'hang', 100)
  if (Math.random() < 0.5) await sleep(20)
  await session.cancel(id)
  tally.cancelled += 1
  await asked
}

async function call(session, tally, name, waitMs, more = {}) {
  tally.calls += 1
  const answer = await session.call(name, { mark: mark(), ...more }, waitMs === undefined ? {} : { waitMs })
  if (answer === undefined) tally.unanswered += 1
  else if (answer.error !== undefined) tally.failed += 1
  else if (refusalIn(answer) !== undefined) {
    const { code } = refusalIn(answer)
    tally.refused += 1
    tally.codes[code] = (tally.codes[code] ?? 0) + 1
  } else tally.answered += 1
}

/** No two calls are the same, so that each execution can be held against its own permit. */
function mark() {
  marks += 1
  return `m${marks}`
}

function pick(from) {
  return from[Math.floor(Math.random() * from.length)]
}
