import fc from 'fast-check'
import { expect, it } from 'vitest'
import { joined } from '../../src/decide/join.ts'
import type { Decision, SilenceCause } from '../../src/types.ts'

const grounds = { determining: ['rule'], errors: [] }
const obligation = { id: 'o', type: 'log', properties: {} }
const causes: readonly SilenceCause[] = [
  { kind: 'no_permit' },
  { kind: 'requestable', requires: 'confirmation' },
  { kind: 'absent', fault: 'timeout' },
  { kind: 'absent', fault: 'circuit_open' },
  { kind: 'wrong', fault: 'malformed', detail: 'x' },
]
const decisions: readonly Decision[] = [
  { kind: 'permit', obligations: [obligation], ...grounds },
  { kind: 'permit', obligations: [], ...grounds },
  { kind: 'deny', ...grounds },
  ...causes.map((cause): Decision => ({ kind: 'silence', cause, ...grounds })),
]
const several = fc.array(fc.constantFrom(...decisions), { minLength: 1, maxLength: 5 })

function what(decision: Decision): string {
  return decision.kind === 'silence' ? decision.cause.kind : decision.kind
}

it('I4: several points permit only when every one of them does, and then with the obligations of all', () => {
  fc.assert(
    fc.property(several, (all) => {
      const decision = joined(all)
      expect(decision.kind === 'permit').toBe(all.every(({ kind }) => kind === 'permit'))
      if (decision.kind !== 'permit') return
      const owed = all.flatMap((each) => (each.kind === 'permit' ? each.obligations : []))
      expect(decision.obligations).toEqual(owed)
    }),
  )
})

it('I5: absence is what counts only where all others permit, so that nothing opens past a word against it', () => {
  fc.assert(
    fc.property(several, (all) => {
      const said = all.map(what)
      const isOwed = all.some((each) => each.kind === 'permit' && each.obligations.length > 0)
      const isAbsence =
        said.includes('absent') && said.every((each) => each === 'absent' || each === 'permit') && !isOwed
      expect(what(joined(all)) === 'absent').toBe(isAbsence)
    }),
  )
})

it('a deny wins over everything, in any order', () => {
  fc.assert(
    fc.property(several, fc.nat(), (all, at) => {
      const mixed = [...all.slice(0, at % all.length), { kind: 'deny', ...grounds } as const, ...all]
      expect(joined(mixed).kind).toBe('deny')
      expect(what(joined(all))).toBe(what(joined([...all].reverse())))
    }),
  )
})

it('nobody to ask is nobody who permits', () => {
  expect(joined([])).toMatchObject({ kind: 'silence', cause: { kind: 'no_permit' } })
})
