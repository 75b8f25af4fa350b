import { conformsAsAdapter } from '../../support/adapter-conformance.ts'
import { aiSdkDriver } from './driver.ts'

for (const major of [7, 6] as const) {
  for (const mode of ['generateText', 'streamText', 'ToolLoopAgent', 'ToolLoopAgent.stream'] as const)
    conformsAsAdapter(aiSdkDriver(major, mode))
}
