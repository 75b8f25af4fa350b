import { conformsAsAdapter } from '../../support/adapter-conformance.ts'
import { openaiDriver } from './driver.ts'

for (const mode of [
  'runTools',
  'runTools stream',
  'runToolCalls',
  'responses',
  'responses eager',
  'runFunctionCalls',
] as const)
  conformsAsAdapter(openaiDriver(mode))
