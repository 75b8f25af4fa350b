/**
 * The fault matrix: what low, medium and high calls experience of every fault of a policy service, played end to end through
 * whole gates. Every cell of `matrix.json` must be hit, and no other.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { installOverride } from '../../src/override/folder.ts'
import { readOverride } from '../../src/override/signed.ts'
import { readReceipt } from '../../src/receipt/read.ts'
import { createMemoryStore, generateSigner } from '../../src/testing.ts'
import type { Gate, GateEvent, Json } from '../../src/types.ts'
import { enginesInstalled } from '../support/engines.ts'
import { COLUMNS, type Column, readMatrix } from '../support/fault-matrix.ts'
import { signedBy } from '../support/overrides.ts'
import { PLAYS } from './scenes.ts'
import { type Engines, type Play, type Scene, startEngines } from './stage.ts'

const LONG_MS = 20_000
const TRIES = 5

const matrix = readMatrix()
const rows = matrix.groups.flatMap((group) => group.rows)
const hit = new Set<string>()
const cellsOf = (fault: string, point: string): readonly string[] =>
  COLUMNS.map((column) => `${fault} / ${point} / ${column}`)

const overrides = mkdtempSync(join(tmpdir(), 'holdpoint-matrix-'))
const [person, signer] = [generateSigner(), generateSigner()]
let engines: Engines
beforeAll(async () => {
  const window = { notBefore: Date.now() - 60_000, expires: Date.now() + 3_000_000 }
  const text = signedBy([person], { ...window, tools: ['local/medium'], most: 20 })
  await installOverride(overrides, readOverride(text).id, text, () => false)
  if (enginesInstalled()) engines = await startEngines()
}, 60_000)
afterAll(async () => {
  rmSync(overrides, { recursive: true, force: true })
  await engines?.stop()
})

/** A gate for one cell, and what it saw. */
interface Cell {
  readonly column: Column
  readonly scene: Scene
  readonly gate: Gate
  readonly events: GateEvent[]
  call(input?: Json): Promise<string>
  /** The gate said of a call that it stood still itself, so that nobody knows whether its point was absent. */
  stoodStill(): boolean
}

function tierOf(column: Column): 'low' | 'medium' | 'high' {
  return column === 'low_open' ? 'low' : column === 'medium_override' ? 'medium' : column
}

async function cellOf(column: Column, scene: Scene): Promise<Cell> {
  const events: GateEvent[] = []
  const store = createMemoryStore()
  const gate = createGate({
    config: false,
    policy: scene.policy,
    timeoutMs: scene.timeoutMs ?? LONG_MS,
    // One absence opens it, so that one call shows whether it was counted.
    breaker: { failures: 1, openMs: 50_000, probes: 1 },
    failMode: { low: column === 'low_open' ? 'open' : 'closed' },
    environment: { name: 'production' },
    ...(column === 'medium_override' ? { overrides, trust: { override: [person.publicJwk as never] } } : {}),
    events: [(event) => events.push(event)],
    effects: { store, signer, ...(scene.clock === undefined ? {} : { clock: scene.clock }) },
  })
  const tool = tierOf(column)
  const misfits = gate.register([
    {
      name: tool,
      origin: 'own',
      inputSchema: { type: 'object', properties: { amount: {} } },
      declared: { materiality: tool },
    },
  ])
  expect(misfits).toEqual([])
  const me = gate.as({ user: 'alice', roles: ['support'] }, { conversation: 'c' })
  let calls = 0
  let hasStood = false
  const call = async (input = scene.input ?? { amount: 5 }): Promise<string> => {
    calls += 1
    const { outcome, fault } = await experienceOf(me, { tool, callId: `${calls}`, input }, scene)
    hasStood ||= fault === 'stalled'
    return outcome
  }
  await gate.ready()
  return { column, scene, gate, events, call, stoodStill: () => hasStood }
}

/** What the caller is told of a call and what its receipt says, which must be the same. */
async function experienceOf(
  me: Gate,
  call: { readonly tool: string; readonly callId: string; readonly input: Json },
  scene: Scene,
): Promise<{ readonly outcome: string; readonly fault?: string | undefined }> {
  const admission = await me.admit(call, { wait: false })
  const claims = admission.receipt === undefined ? undefined : readReceipt(admission.receipt.jws)
  if (claims?.kind !== 'decision') return { outcome: 'no receipt' }
  const { basis, code, fault } = claims
  if (admission.outcome === 'refused') {
    const said = admission.refusal.code
    return { outcome: said === code ? `refuse ${said}` : `refuse ${said}, receipted as ${code}`, fault }
  }
  if (admission.failedOpen !== (basis === 'fail_open')) return { outcome: 'marked otherwise than receipted' }
  await scene.beforeBegin?.(me)
  const begun = admission.begin()
  if (begun.outcome === 'refused') return { outcome: `refuse ${begun.refusal.code}` }
  await admission.settle({ status: 'ok', result: null })
  return { outcome: basis === 'pdp' ? 'run' : `run, ${basis}` }
}

/** What came of one fault for every kind of call at once, with one kind of policy point. */
async function played(
  play: Play,
  point: string,
): Promise<{ readonly seen: Readonly<Record<string, string>>; readonly stoodStill: boolean }> {
  const made = COLUMNS.map(async (column) => await cellOf(column, await play.scene(point, engines)))
  const cells = await Promise.all(made)
  for (const { scene, gate, call } of cells) await scene.strike?.(gate, call)
  const seen = await Promise.all(
    cells.map(async ({ column, call, events }): Promise<[string, string]> => {
      const before = events.length
      const outcome = await call()
      return [column, `${outcome}; breaker ${breakerIn(events.slice(before))}`]
    }),
  )
  await Promise.all(cells.map(async ({ scene }) => await scene.end?.()))
  await Promise.all(cells.map(async ({ gate }) => await gate.close()))
  return { seen: Object.fromEntries(seen), stoodStill: cells.some((cell) => cell.stoodStill()) }
}

function breakerIn(events: readonly GateEvent[]): string {
  const moves = events.flatMap((event) => (event.event === 'breaker-moved' ? [event.to] : []))
  return moves.at(-1) === 'open' ? 'opens' : (moves.at(-1) ?? 'stays')
}

/** The same, again where this machine stood still meanwhile: then another fault was played than the one that was meant. */
async function playedInPeace(play: Play, point: string): Promise<Readonly<Record<string, string>>> {
  for (let tries = 1; ; tries += 1) {
    const { seen, stoodStill } = await played(play, point)
    if (!stoodStill || play.lasts !== true || tries === TRIES) return seen
    console.log('played again, because this machine stood still')
  }
}

/** Why a fault cannot be played here with this kind of policy point. */
function missingFor({ missing, engines: needsEngines }: Play, point: string): string | undefined {
  const isAway = needsEngines === true && point !== 'cedar' && !enginesInstalled()
  return missing ?? (isAway ? 'OPA and Cerbos are not here' : undefined)
}

describe.skipIf(!enginesInstalled())('arguments that make a rule err', () => {
  it.each(['opa', 'cerbos', 'cedar'])('on %s neither open low, nor shut the gate for others', async (point) => {
    const play = PLAYS.get('the arguments make a rule err')
    if (play === undefined) throw new Error('nobody plays this')
    const scene = await play.scene(point, engines)
    const { gate, call } = await cellOf('low_open', scene)
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => call()))
    expect(new Set(outcomes)).toEqual(new Set([point === 'cerbos' ? 'refuse denied_by_policy' : 'refuse policy_error']))
    expect(gate.health().points).toMatchObject([{ id: point, breaker: 'closed' }])
    expect(await call({ amount: 5 })).toBe('run')
    await gate.close()
  })
})

describe('the fault matrix', () => {
  const left: string[] = []

  describe.each(matrix.groups)('$title', (group) => {
    it.for(group.rows)('$fault', { timeout: 60_000 }, async (row, { skip }) => {
      const play = PLAYS.get(row.fault)
      if (play === undefined) throw new Error('nobody plays this')
      const outcomes = COLUMNS.map((column) => [column, `${row[column]}; breaker ${row.breaker}`])
      const missing = row.points.filter((point) => missingFor(play, point) !== undefined)
      for (const point of missing) {
        console.log(`not played with ${point}: ${row.fault}: ${missingFor(play, point)}`)
        left.push(...cellsOf(row.fault, point))
      }
      if (missing.length === row.points.length) skip()
      for (const point of row.points.filter((point) => !missing.includes(point))) {
        const seen = await playedInPeace(play, point)
        expect.soft({ point, ...seen }).toEqual({ point, ...Object.fromEntries(outcomes) })
        for (const cell of cellsOf(row.fault, point)) hit.add(cell)
      }
    })
  })

  it('was played whole: every cell was hit, and no fault that we can play is missing from it', () => {
    const expected = rows.flatMap(({ fault, points }) => points.flatMap((point) => cellsOf(fault, point)))
    expect(new Set(expected).size).toBe(expected.length)
    expect([...hit, ...left].sort()).toEqual([...expected].sort())
    expect([...PLAYS.keys()].sort()).toEqual(rows.map(({ fault }) => fault).sort())
  })
})
