import { Validator } from '@cfworker/json-schema'
import { describe, expect, it } from 'vitest'
import { createAuthzenPoint } from '../../src/decide/authzen.ts'
import { usualEndpoints } from '../../src/decide/discovery.ts'
import { vector } from '../bytes/vectors.ts'
import { evaluationRequest } from '../support/evaluation.ts'
import { scriptedService } from '../support/scripted-service.ts'

const text = vector('authzen', 'api', 'schemas', 'evaluation-request.schema.json')

describe.skipIf(text === undefined)('a request to an AuthZEN service', () => {
  it('is one by the schema of the working group', async () => {
    const schema = JSON.parse(text ?? '{}') as object
    const validator = new Validator(schema, '2020-12')
    const service = scriptedService(() => ({ decision: true }))
    const terms = { id: 'pdp', tools: undefined, policyDigest: '', readsSession: true, canary: 'required' } as const
    const place = { endpoints: async () => usualEndpoints(''), most: undefined, obligations: ['notification'] }
    const point = createAuthzenPoint(terms, place, service)
    await point.evaluate(evaluationRequest({ arguments: { amount: 5 }, agent: 'support', roles: ['finance'] }), {
      signal: new AbortController().signal,
      schema: undefined,
    })
    expect(validator.validate(service.puts[0]?.body)).toMatchObject({ valid: true })
    expect(validator.validate({ subject: 'alice' })).toMatchObject({ valid: false })
  })
})
