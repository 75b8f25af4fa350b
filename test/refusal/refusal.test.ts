import { describe, expect, it } from 'vitest'
import { refusal } from '../../src/refusal/refusal.ts'
import { renderForModel } from '../../src/refusal/render.ts'

const grounds = { code: 'denied_by_policy', tool: 'shop/pay', materiality: 'high' } as const

describe('what a model is told to do about a deny', () => {
  it('names the argument that would have to be another', () => {
    const constraints = [{ policy: 'cap', path: '/amount', requires: 'at most 500', actual: '900' }]
    const no = refusal({ ...grounds, constraints })
    expect(no.remedy).toEqual({ kind: 'change_arguments' })
    expect(renderForModel(no)).toContain('(amount: at most 500, was 900)')
  })

  it('is to leave it, where no argument would help: nobody is sent round in circles', () => {
    const no = refusal(grounds)
    expect(no.remedy).toEqual({ kind: 'none' })
    expect(renderForModel(no)).toContain('Do not make it again.')
    expect(renderForModel(no)).not.toContain('Change the arguments')
  })
})
