/** What happens on the gameday, phase by phase, and what `test/faults/matrix.json` says must come of it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const MATRIX = path.resolve(import.meta.dirname, '../../test/faults/matrix.json')
const [LOW, MEDIUM, HIGH] = ['read_text_file', 'write_file', 'move_file']
/** Running gates notice an override within a second. */
const NOTICED_MS = 1_200
const LONGEST_MS = 20_000
const TRIES = 5

const PERMITS = 'the policy permits'
const SLOW = 'the service is slow, and in time'
const STOPPED = "the service's process is stopped"
const KILLED = "the service's process is killed"
const OPEN = 'the breaker is open'

/** The rows of the matrix that the day plays: each call names its row and its column. */
const PHASES = [
  {
    title: 'Healthy',
    event: 'OPA answers.',
    calls: [
      [LOW, PERMITS, 'low_open'],
      [MEDIUM, PERMITS, 'medium'],
      [HIGH, PERMITS, 'high'],
    ],
    breaker: 'closed',
  },
  {
    title: 'Slow',
    event: 'OPA takes 0.3 s for each answer, which is within the budget.',
    before: ({ engine }) => engine.stumble(),
    calls: [
      [LOW, SLOW, 'low_open'],
      [MEDIUM, SLOW, 'medium'],
      [HIGH, SLOW, 'high'],
    ],
    breaker: 'closed',
  },
  {
    title: 'Hung',
    event: "OPA's process is stopped (SIGSTOP): it takes connections and says nothing.",
    begin: ({ engine }) => engine.hang(),
    calls: [
      [LOW, STOPPED, 'low_open'],
      [MEDIUM, STOPPED, 'medium'],
      [HIGH, STOPPED, 'high'],
    ],
    breaker: 'open',
  },
  {
    title: 'Open',
    event: 'The breaker is open: OPA is left alone, and nobody waits for it any more.',
    calls: [
      [LOW, OPEN, 'low_open'],
      [MEDIUM, OPEN, 'medium'],
      [HIGH, OPEN, 'high'],
    ],
    breaker: 'open',
  },
  {
    title: 'Killed',
    event:
      "OPA's process is gone (SIGKILL). A person has signed an override for write_file. The breaker lets one call try, in vain.",
    begin: async (world) => {
      await world.engine.kill()
      await world.installOverride()
      await delay(NOTICED_MS)
      await until(() => breakerOf(world) === 'half_open')
    },
    calls: [
      [LOW, KILLED, 'low_open'],
      [MEDIUM, OPEN, 'medium_override'],
      [HIGH, OPEN, 'high'],
    ],
    breaker: 'open',
  },
  {
    title: 'Held',
    event: 'The same move, with onSilence: hold. It waits for OPA, which is started again.',
    begin: (world) => {
      world.held = world.call(HIGH, { onSilence: 'hold', holdMs: LONGEST_MS })
      return until(() => world.gate.health().held === 1).then(() => world.engine.restart())
    },
    held: [HIGH, PERMITS, 'high'],
    calls: [],
  },
  {
    title: 'Healed',
    event: 'OPA decides again. The override is still live, and nobody asks for it.',
    calls: [
      [LOW, PERMITS, 'low_open'],
      [MEDIUM, PERMITS, 'medium_override'],
      [HIGH, PERMITS, 'high'],
    ],
    breaker: 'closed',
  },
]

/**
 * Plays the day. `tell.begin` is called before a phase, `tell.call` for each call, `tell.end` when it is over. Resolves with all
 * phases as they went; a call whose `outcome` is not what it `expected` is one that the matrix does not foresee.
 */
export async function playDay(world, tell) {
  const rows = rowsOfMatrix()
  const expectedOf = (row, column) => rows.get(row)?.[column] ?? `not in the matrix: ${row}`
  const told = []
  for (const { title, event, begin, before, held, calls, breaker } of PHASES) {
    tell.begin({ title, event })
    const framesBefore = world.frames()
    await begin?.(world)
    const phase = { title, event, calls: [] }
    const take = (call, row, column) => {
      const whole = { ...call, row, column, expected: expectedOf(row, column) }
      phase.calls.push(whole)
      tell.call(whole)
    }
    if (held !== undefined) take({ ...(await world.held), held: true }, held[1], held[2])
    for (const [tool, row, column] of calls) {
      take(await calledInPeace(world, tool, before, tell), row, column)
    }
    const [health] = world.gate.health().points
    Object.assign(phase, {
      moves: world.takeMoves(),
      breaker: health.breaker,
      expectedBreaker: breaker ?? health.breaker,
      ...(health.retryInMs === undefined ? {} : { retryInMs: Math.round(health.retryInMs) }),
      canary: health.canary,
      reached: world.frames() - framesBefore,
    })
    told.push(phase)
    tell.end(phase)
  }
  return told
}

/**
 * One call; again where the gate says that it stood still itself. Then it does not take OPA for absent, which is right, and
 * another story.
 */
async function calledInPeace(world, tool, before, tell) {
  for (let tries = 1; ; tries += 1) {
    before?.(world)
    const call = await world.call(tool)
    if (call.fault !== 'stalled' || tries === TRIES) return call
    tell.again(call)
  }
}

/** Did everything go as the matrix says, and did the server see only what ran? */
export function isAsForeseen(phases) {
  return phases.every(
    ({ calls, breaker, expectedBreaker, reached }) =>
      breaker === expectedBreaker &&
      calls.every(({ outcome, expected }) => outcome === expected) &&
      reached === calls.filter(({ outcome }) => outcome.startsWith('run')).length,
  )
}

function rowsOfMatrix() {
  const { groups } = JSON.parse(readFileSync(MATRIX, 'utf8'))
  return new Map(groups.flatMap(({ rows }) => rows).map((row) => [row.fault, row]))
}

function breakerOf({ gate }) {
  return gate.health().points[0].breaker
}

async function until(isSo) {
  const longest = performance.now() + LONGEST_MS
  while (!isSo()) {
    if (performance.now() > longest) throw new Error('gameday: what should have happened by now did not')
    await delay(10)
  }
}
