import { conformsAsAdapter } from '../../support/adapter-conformance.ts'
import { openaiAgentsDriver } from './driver.ts'

for (const mode of ['run', 'stream'] as const) conformsAsAdapter(openaiAgentsDriver(mode))
